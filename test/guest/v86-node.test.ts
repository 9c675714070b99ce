import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { i386 } from '../../src/arch/index.js';
import { BpfError, hi32, lo32 } from '../../src/base/index.js';
import { parseKallsyms } from '../../src/host/index.js';
import { decodeSavedState, encodeSavedState, restoreV86, type V86Host } from '../../src/host/v86/index.js';
import { Machine } from '../../src/machine/index.js';
import type { AttachTarget } from '../../src/runtime/index.js';
import { describeWith } from '../oracle/describe-with.js';
import { CountingProgram } from './v86/counting-program.js';
import { GuestSession } from './v86/guest-session.js';
import { bootTestGuest, keepState, savedTestGuest, testGuest } from './v86/test-guest.js';

const BOOT_MS = 300_000;
const slot = (name: string): number => i386.ptRegs.names.indexOf(name);
const kprobe = (symbol: string, offset = 0): AttachTarget => ({ kind: 'kprobe', symbol, offset });
const kretprobe = (symbol: string): AttachTarget => ({ kind: 'kretprobe', symbol, maxactive: 0 });

/** Sum of the lengths that `times` reads of init.c ask for. */
function bytesRead(times: number): number {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += 1 + (i % 64);
  return sum;
}

describeWith('an i686 guest in v86', testGuest(), (guest) => {
  let host: V86Host;
  let session: GuestSession;
  let machine: Machine;

  beforeAll(async () => {
    host = await bootTestGuest(guest);
    await keepState(guest, host);
    session = new GuestSession(host);
  }, BOOT_MS);

  afterAll(() => host.close());

  afterEach(() => {
    machine?.close();
    expect(host.text.pristine).toBe(true);
    session.skip();
    expect(session.command('g 10', 'getppid')).toBe(10);
    expect(host.oops).toBeNull();
    session.skip();
  });

  /** `program` on `target` while the guest does what `line` says: the program. */
  function counted(target: AttachTarget, register: string, line: string, name: string): CountingProgram {
    machine = new Machine(host);
    const program = new CountingProgram(machine, 'count', slot(register));
    const link = machine.attach(program.program, target);
    session.command(line, name);
    link.detach();
    return program;
  }

  it('has the symbols that its own kernel lists', () => {
    session.command('y', 'kallsyms');
    const own = parseKallsyms(session.unread.replace(/^KSCOPE.*\n/gm, '').replace(/^y\n/, ''));
    const names = (symbols: Iterable<{ name: string; address: bigint }>): string[] =>
      [...symbols].map(({ name, address }) => `${address.toString(16)} ${name}`).toSorted();
    expect(names(host.symbols)).toEqual(names(own));
  });

  describe('counts every hit, and sees the registers', () => {
    it.each([
      ['at a function entry', kprobe('read_zero'), 'cx', 'r 5000', 'read', 5000, bytesRead(5000)],
      ['inside of a function', kprobe('read_zero', 5), 'cx', 'r 3000', 'read', 3000, bytesRead(3000)],
      ['at a return', kretprobe('read_zero'), 'ax', 'r 5000', 'read', 5000, bytesRead(5000)],
    ] as const)('%s', (_where, target, register, line, name, times, sum) => {
      const program = counted(target, register, line, name);
      expect([program.runs, program.sum]).toEqual([times, sum]);
    });

    it.each([
      ['opens', kprobe('do_sys_openat2'), 'o 4000', 'open', 4000],
      ['a system call that does nothing else', kprobe('__ia32_sys_getppid'), 'g 30000', 'getppid', 30_000],
    ] as const)('%s', (_what, target, line, name, times) => {
      expect(counted(target, 'ip', line, name).runs).toBe(times);
    });

    it('of fifty probes at once', () => {
      machine = new Machine(host);
      const wanted = ['do_sys_openat2', 'read_zero', '__ia32_sys_getppid', 'vfs_read', 'vfs_write', 'do_filp_open'];
      const names = [...host.symbols]
        .map(({ name }) => name)
        .filter((name) => /^(vfs|ksys|do_sys|__ia32_sys)_/.test(name));
      const programs = new Map<string, CountingProgram>();
      for (const name of new Set([...wanted, ...names])) {
        if (programs.size === 50) break;
        if (host.symbols.lookupAll(name).length !== 1) continue;
        const program = new CountingProgram(machine, name.slice(0, 15), slot('ip'));
        if (attached(machine, program, kprobe(name))) programs.set(name, program);
      }
      expect(programs.size).toBe(50);
      session.command('o 1000', 'open');
      session.skip();
      session.command('r 1000', 'read');
      session.skip();
      session.command('g 1000', 'getppid');
      const runs = (name: string): number | undefined => programs.get(name)?.runs;
      // `r` opens /dev/zero once.
      expect([runs('do_sys_openat2'), runs('read_zero'), runs('__ia32_sys_getppid')]).toEqual([1001, 1000, 1000]);
    });
  });

  it('sees arguments, strings, tasks and stacks at the hit', () => {
    const seen: unknown[] = [];
    const pair = new Int32Array(2);
    const frames = new Int32Array(32);
    const address = host.symbols.lookup('do_sys_openat2')?.address ?? 0n;
    host.text.setTrapHandler(({ user, regs }) => {
      if (user || regs.ip !== address + 1n) return false;
      const path = new Uint8Array(6);
      host.memory.readUser(regs.lo(slot('dx')), 0, path, 0, path.length);
      const comm = new Uint8Array(16);
      host.tasks.comm(comm, 0);
      host.tasks.pidTgid(pair);
      const depth = host.stacks.kernel(null, frames, 16);
      const callers = Array.from({ length: depth }, (_, i) => host.symbols.at(BigInt(frames[2 * i] >>> 0))?.name);
      const inProgram = host.stacks.user(null, frames, 16) > 0 && frames[0] >>> 0 < 0xc000_0000;
      seen.push([text(path), text(comm), ...pair, callers.slice(0, 3), inProgram]);
      regs.ip = address + 5n;
      return true;
    });
    expect(host.text.patch(address, Uint8Array.of(0x3e), Uint8Array.of(0xcc))).toBe(true);
    session.command('o 2', 'open');
    expect(host.text.patch(address, Uint8Array.of(0xcc), Uint8Array.of(0x3e))).toBe(true);
    host.text.setTrapHandler(null);
    const expected = ['/init', 'init', 1, 1, ['do_sys_openat2', '__ia32_sys_openat', 'ia32_sys_call'], true];
    expect(seen).toEqual([expected, expected]);
    expect([0, 1, 2].map((pid) => host.tasks.commOf(pid))).toEqual(['swapper/0', 'init', 'kthreadd']);
    expect(host.tasks.commOf(99_999)).toBeUndefined();
  });

  it('passes on breakpoints that are not ours, and both counts are exact', () => {
    machine = new Machine(host);
    const opens = new CountingProgram(machine, 'opens', slot('ip'));
    const reads = new CountingProgram(machine, 'reads', slot('cx'));
    const calls = new CountingProgram(machine, 'calls', slot('ip'));
    machine.attach(opens.program, kprobe('do_sys_openat2'));
    machine.attach(reads.program, kretprobe('read_zero'));
    machine.attach(calls.program, kprobe('__ia32_sys_getppid', 5));
    for (const event of ['p:opens do_sys_openat2+0x5', 'p:reads read_zero+0x5', 'p:calls __ia32_sys_getpid']) {
      expect(session.command(`k ${event}`, 'kprobes')).toBe(1);
      session.skip();
    }
    const [before, ours] = [profile(session), opens.runs];
    const background = session.underLoad(() => {
      session.skip();
      expect(session.command('t 500', 'sigtrap')).toBe(500);
      session.skip();
      expect(session.command('r 2000', 'read')).toBe(2000);
      session.skip();
      expect(session.command('f 20', 'flip')).toBe(20);
      session.skip();
      expect(session.command('g 2000', 'getppid')).toBe(2000);
    });
    session.skip();
    const after = profile(session);
    expect(background).toBeGreaterThan(0);
    expect(opens.runs - ours).toBeGreaterThan(background);
    expect(after.get('opens')?.hits).toBe((before.get('opens')?.hits ?? 0) + opens.runs - ours);
    expect([after.get('reads')?.hits, reads.runs]).toEqual([2000, 2000]);
    expect(calls.runs).toBe(2000);
    expect([...after.values()].map(({ missed }) => missed)).toEqual([0, 0, 0]);
    session.skip();
    machine.close();
    session.command('d', 'cleared');
  });

  it('lives on when probes come and go under load', () => {
    let hits = 0;
    const before = [textOf(host, 'do_sys_openat2'), textOf(host, 'read_zero'), textOf(host, 'vfs_read')];
    const background = session.underLoad(() => {
      for (let round = 0; round < 30; round++) {
        const busy = new Machine(host);
        const programs = [kprobe('do_sys_openat2'), kprobe('vfs_read', 5), kretprobe('vfs_read')].map((target) => {
          const program = new CountingProgram(busy, 'busy', slot('ip'));
          busy.attach(program.program, target);
          return program;
        });
        host.run({ ns: 20e6 });
        hits += programs.reduce((sum, { runs }) => sum + runs, 0);
        busy.close();
        host.run({ ns: 5e6 });
      }
    });
    expect(background).toBeGreaterThan(0);
    expect(hits).toBeGreaterThan(0);
    expect([textOf(host, 'do_sys_openat2'), textOf(host, 'read_zero'), textOf(host, 'vfs_read')]).toEqual(before);
  });

  it('gives what a handler throws to whoever runs it, and the hit is made again', () => {
    const address = host.symbols.lookup('__ia32_sys_getppid')?.address ?? 0n;
    let hits = 0;
    host.text.setTrapHandler(({ user, regs }) => {
      if (user || regs.ip !== address + 1n) return false;
      if (hits++ === 0) throw new Error('from the handler');
      regs.ip = address + 5n;
      return true;
    });
    host.text.patch(address, Uint8Array.of(0x3e), Uint8Array.of(0xcc));
    host.send('g 5\n');
    expect(() => session.await('getppid')).toThrow('from the handler');
    expect(session.await('getppid')).toBe(5);
    expect(hits).toBe(6);
    host.text.patch(address, Uint8Array.of(0xcc), Uint8Array.of(0x3e));
    host.text.setTrapHandler(null);
  });

  it.each([
    ['entry code', 'asm_exc_int3', 'entry code, on the way of every trap'],
    ['the way of every trap', 'exc_int3', 'noinstr: may run while the kernel cannot take traps'],
    ['return probes on what changes the task', '__switch_to', 'it makes another task current before it returns'],
  ])('refuses %s', (_what, symbol, reason) => {
    machine = new Machine(host);
    const program = new CountingProgram(machine, 'refused', slot('ip'));
    expect(() => machine.attach(program.program, kretprobe(symbol))).toThrow(reason);
  });

  it('is not saved while a probe stands in its text', async () => {
    machine = new Machine(host);
    const program = new CountingProgram(machine, 'standing', slot('ip'));
    const link = machine.attach(program.program, kprobe('vfs_read'));
    await expect(host.save()).rejects.toThrow(/EBUSY; detach/);
    link.detach();
  });

  it('is restored in under a second, with its symbols, and counts right', async () => {
    const { parts, saved } = await savedTestGuest(guest);
    let best = Infinity;
    let restored = await restoreV86(parts, saved);
    for (let i = 0; i < 3; i++) {
      restored.close();
      const before = process.cpuUsage();
      restored = await restoreV86(parts, saved);
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, (user + system) / 1e3);
    }
    // Of the processor's time: others may have it, too.
    expect(best).toBeLessThan(1000);
    const again = new GuestSession(restored);
    const other = new Machine(restored);
    const program = new CountingProgram(other, 'restored', slot('cx'));
    other.attach(program.program, kprobe('read_zero'));
    expect(again.command('r 1000', 'read')).toBe(1000);
    expect([program.runs, program.sum]).toEqual([1000, bytesRead(1000)]);
    other.close();
    restored.close();
  });

  it('is restored from what zstd made of it', async () => {
    const { parts, saved } = await savedTestGuest(guest);
    const { state, ...rest } = decodeSavedState(saved);
    const { status, stdout, error } = spawnSync('zstd', ['-c', '-3'], { input: state, maxBuffer: 1 << 28 });
    expect([status, error]).toEqual([0, undefined]);
    const packed = encodeSavedState({ ...rest, state: stdout });
    expect(packed.length).toBeLessThan(saved.length / 2);
    const restored = await restoreV86(parts, packed);
    expect(new GuestSession(restored).command('g 10', 'getppid')).toBe(10);
    restored.close();
  });
});

function attached(machine: Machine, program: CountingProgram, target: AttachTarget): boolean {
  try {
    machine.attach(program.program, target);
    return true;
  } catch (error) {
    if (error instanceof BpfError) return false;
    throw error;
  }
}

/** The guest's own kprobe_profile, by event. */
function profile(session: GuestSession): Map<string, { readonly hits: number; readonly missed: number }> {
  session.skip();
  session.command('p', 'profile');
  const rows = [...session.unread.matchAll(/^ +(\S+) +([0-9]+) +([0-9]+)$/gm)];
  return new Map(rows.map(([, name, hits, missed]) => [name, { hits: Number(hits), missed: Number(missed) }]));
}

function textOf(host: V86Host, name: string): string {
  const symbol = host.symbols.lookup(name);
  const bytes = new Uint8Array(Number(symbol?.size ?? 0n));
  const address = symbol?.address ?? 0n;
  host.memory.readKernel(lo32(address), hi32(address), bytes, 0, bytes.length);
  return Buffer.from(bytes).toString('hex');
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}
