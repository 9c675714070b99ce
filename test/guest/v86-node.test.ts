import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { i386 } from '../../src/arch/index.js';
import { BpfError, hi32, lo32 } from '../../src/base/index.js';
import { parseKallsyms } from '../../src/host/index.js';
import {
  bootV86,
  decodeSavedState,
  encodeSavedState,
  restoreV86,
  V86_CMDLINE,
  type V86Host,
} from '../../src/host/v86/index.js';
import { Machine } from '../../src/machine/index.js';
import type { AttachTarget } from '../../src/runtime/index.js';
import { expectPatchSitesRefused, ProbeVerdicts } from './probe-verdicts.js';
import { CountingProgram } from './v86/counting-program.js';
import { bootTestGuest, READY, savedTestGuest, type TestGuest, testGuest } from './v86/test-guest.js';
import { V86Session } from './v86/v86-session.js';

const BOOT_MS = 300_000;
/** What the init of the test guests gets as descriptor of each file it opens. */
const DESCRIPTOR = 3;
const slot = (name: string): number => i386.ptRegs.names.indexOf(name);
const kprobe = (symbol: string, offset = 0): AttachTarget => ({ kind: 'kprobe', symbol, offset });
const kretprobe = (symbol: string): AttachTarget => ({ kind: 'kretprobe', symbol, maxactive: 0 });
/** Sum of the sequence numbers that `times` opens carry as their first argument. */
const sequence = (times: number): number => (times * (times - 1)) / 2;

describe('an i686 guest in v86', () => {
  let guest: TestGuest;
  let host: V86Host;
  let session: V86Session;
  let machine: Machine;

  beforeAll(async () => {
    guest = await testGuest();
    host = await bootTestGuest(guest);
    session = new V86Session(host);
    // Kprobes of the guest's own that are jumps would be no breakpoints.
    session.run('write /proc/sys/debug/kprobes-optimization 0');
  }, BOOT_MS);

  afterAll(() => host?.close());

  afterEach(() => {
    machine?.close();
    expect(host.text.pristine).toBe(true);
    expect(session.run('hot 10').get('calls')).toBe(10);
    expect(host.oops).toBeNull();
  });

  it('has the symbols that its own kernel lists', () => {
    const own = parseKallsyms(session.cat('/proc/kallsyms'));
    const names = (symbols: Iterable<{ name: string; address: bigint }>): string[] =>
      [...symbols].map(({ name, address }) => `${address.toString(16)} ${name}`).toSorted();
    expect(names(host.symbols)).toEqual(names(own));
  });

  describe('counts every hit, and sees the registers', () => {
    it.each([
      ['at a function entry', kprobe('do_sys_openat2'), 'ax', sequence(4000)],
      ['inside of a function', kprobe('do_sys_openat2', 5), 'ax', sequence(4000)],
      ['at a return', kretprobe('do_sys_openat2'), 'ax', 4000 * DESCRIPTOR],
    ] as const)('%s', (_where, target, register, sum) => {
      machine = new Machine(host);
      const program = new CountingProgram(machine, 'count', register);
      const link = machine.attach(program.program, target);
      expect(session.run('open 4000').get('opens')).toBe(4000);
      link.detach();
      expect([program.runs, program.sum]).toEqual([4000, sum]);
    });

    it('on a hot path', () => {
      machine = new Machine(host);
      const program = new CountingProgram(machine, 'hot', 'ip');
      machine.attach(program.program, kprobe('__ia32_sys_getppid'));
      expect(session.run('hot 100000').get('calls')).toBe(100_000);
      expect(program.runs).toBe(100_000);
    });

    it('of fifty probes at once', () => {
      machine = new Machine(host);
      const wanted = ['do_sys_openat2', '__ia32_sys_getppid', 'vfs_open', 'vfs_read', 'vfs_write', 'do_filp_open'];
      const named = [...host.symbols]
        .map(({ name }) => name)
        .filter((name) => /^(vfs|ksys|do_sys|__ia32_sys)_/.test(name));
      const programs = new Map<string, CountingProgram>();
      for (const name of new Set([...wanted, ...named])) {
        if (programs.size === 50) break;
        if (host.symbols.lookupAll(name).length !== 1) continue;
        const program = new CountingProgram(machine, name.slice(0, 15), 'ip');
        if (isAttached(machine, program, kprobe(name))) programs.set(name, program);
      }
      expect(programs.size).toBe(50);
      session.run('open 1000');
      session.run('hot 1000');
      const runs = ['do_sys_openat2', 'vfs_open', 'do_filp_open', '__ia32_sys_getppid'].map(
        (name) => programs.get(name)?.runs,
      );
      expect(runs).toEqual([1000, 1000, 1000, 1000]);
    });
  });

  it('sees arguments, strings, tasks and stacks at the hit', () => {
    const seen: unknown[] = [];
    const pair = new Int32Array(2);
    const frames = new Int32Array(32);
    const address = host.symbols.lookup('do_sys_openat2')?.address ?? 0n;
    host.text.setTrapHandler(({ user, regs }) => {
      if (user || regs.ip !== address + 1n) return false;
      const path = new Uint8Array(9);
      host.memory.readUser(regs.lo(slot('dx')), 0, path, 0, path.length);
      const comm = new Uint8Array(16);
      host.tasks.comm(comm, 0);
      host.tasks.pidTgid(pair);
      const depth = host.stacks.kernel(null, frames, 16);
      const callers = Array.from({ length: depth }, (_, i) => host.symbols.at(BigInt(frames[2 * i] >>> 0))?.name);
      const inProgram = host.stacks.user(null, frames, 16) > 0 && frames[0] >>> 0 < 0xc000_0000;
      seen.push([textOf(path), textOf(comm), ...pair, callers.slice(0, 3), inProgram]);
      regs.ip = address + 5n;
      return true;
    });
    expect(host.text.patch(address, Uint8Array.of(0x3e), Uint8Array.of(0xcc))).toBe(true);
    expect(session.run('names 2').get('missing')).toBe(2);
    expect(host.text.patch(address, Uint8Array.of(0xcc), Uint8Array.of(0x3e))).toBe(true);
    host.text.setTrapHandler(null);
    const callers = ['do_sys_openat2', '__ia32_sys_openat', 'ia32_sys_call'];
    expect(seen).toEqual([0, 1].map((i) => [`/names/${i}`, 'init', 1, 1, callers, true]));
    expect([0, 1, 2].map((pid) => host.tasks.commOf(pid))).toEqual(['swapper/0', 'init', 'kthreadd']);
    expect(host.tasks.commOf(99_999)).toBeUndefined();
  });

  it('hears of every task that ends, and frees the return probes of those that never return', () => {
    machine = new Machine(host);
    const exits = new CountingProgram(machine, 'exits', 'ip');
    const link = machine.attach(exits.program, { kind: 'kretprobe', symbol: 'do_exit', maxactive: 2 });
    const ended = new Set<number>();
    const stop = host.tasks.onExit((task) => void ended.add(task));
    expect(session.run('fork 50').get('children')).toBe(50);
    stop();
    expect(ended.size).toBeGreaterThan(0);
    expect(exits.runs).toBe(0);
    const dropped = { 'no return': 50, maxactive: 0 };
    expect(link.ledgerRow()).toMatchObject({ seen: 50, delivered: 0, pending: 0, dropped });
    link.detach();
  });

  it('passes on breakpoints that are not ours, and both counts are exact', () => {
    machine = new Machine(host);
    const [opens, returns, calls] = ['opens', 'returns', 'calls'].map(
      (name) => new CountingProgram(machine, name, 'ip'),
    );
    machine.attach(opens.program, kprobe('do_sys_openat2'));
    machine.attach(returns.program, kretprobe('do_sys_openat2'));
    machine.attach(calls.program, kprobe('__ia32_sys_getppid', 5));
    for (const place of ['opens do_sys_openat2+0x5', 'files do_filp_open', 'calls __ia32_sys_getppid+0x6']) {
      session.run(`kprobe p:${place}`);
    }
    session.run('enable 1');
    const before = session.run('profile');
    const ours = [opens.runs, returns.runs, calls.runs];
    const work = session.run('open 3000 1 10');
    expect([work.get('opens'), work.get('breaks'), work.get('sigtraps')]).toEqual([3000, 300, 300]);
    expect(session.run('break 500').get('sigtraps')).toBe(500);
    expect(session.run('flip /proc/sys/kernel/sched_schedstats 40').get('flips')).toBe(40);
    expect(session.run('hot 2000').get('calls')).toBe(2000);
    const after = session.run('profile');
    const theirs = (name: string): number => (after.get(name) ?? NaN) - (before.get(name) ?? NaN);
    const made = [opens.runs - ours[0], returns.runs - ours[1], calls.runs - ours[2]];
    // Turning the key opens its file each time, and reading the profile opens that.
    expect(made).toEqual([3041, 3041, 2000]);
    expect([theirs('opens'), theirs('files'), theirs('calls')]).toEqual([3041, 3041, 2000]);
    expect(['opens', 'files', 'calls'].map((name) => after.get(`${name}.missed`))).toEqual([0, 0, 0]);
    machine.close();
    session.run('enable 0');
    session.run('write /sys/kernel/tracing/kprobe_events  ');
  });

  it('lives on when probes come and go under load', () => {
    const before = ['do_sys_openat2', 'vfs_read'].map((name) => textAt(host, name));
    let hits = 0;
    session.start('open 30000 1 500');
    for (let round = 0; round < 30; round++) {
      const busy = new Machine(host);
      const programs = [kprobe('do_sys_openat2'), kprobe('vfs_read', 5), kretprobe('vfs_read')].map((target) => {
        const program = new CountingProgram(busy, 'busy', 'ip');
        busy.attach(program.program, target);
        return program;
      });
      host.run({ ns: 15e6 });
      hits += programs.reduce((sum, { runs }) => sum + runs, 0);
      busy.close();
      host.run({ ns: 2e6 });
    }
    const work = session.finish('open');
    expect([work.get('opens'), work.get('sigtraps'), work.get('failed')]).toEqual([30_000, 60, 0]);
    expect(hits).toBeGreaterThan(0);
    expect(['do_sys_openat2', 'vfs_read'].map((name) => textAt(host, name))).toEqual(before);
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
    session.start('hot 5');
    expect(() => session.finish('hot')).toThrow('from the handler');
    expect(session.finish('hot').get('calls')).toBe(5);
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
    const program = new CountingProgram(machine, 'refused', 'ip');
    expect(() => machine.attach(program.program, kretprobe(symbol))).toThrow(reason);
  });

  it('refuses jumps of static keys, as its own kernel does', async () => {
    const other = await restoreV86(guest.parts, await savedTestGuest(guest));
    try {
      expectPatchSitesRefused(other, new ProbeVerdicts(other, new V86Session(other)), 'static key');
    } finally {
      other.close();
    }
  });

  it('is not saved while a probe stands in its text', async () => {
    machine = new Machine(host);
    const program = new CountingProgram(machine, 'standing', 'ip');
    const link = machine.attach(program.program, kprobe('vfs_read'));
    await expect(host.save()).rejects.toThrow(/EBUSY; detach/);
    link.detach();
  });

  it('is restored in under a second, with its symbols, and counts right', async () => {
    const saved = await savedTestGuest(guest);
    let best = Infinity;
    let restored = await restoreV86(guest.parts, saved);
    for (let i = 0; i < 3; i++) {
      restored.close();
      const before = process.cpuUsage();
      restored = await restoreV86(guest.parts, saved);
      const { user, system } = process.cpuUsage(before);
      best = Math.min(best, (user + system) / 1e3);
    }
    // Of the processor's time: others may have it, too.
    expect(best).toBeLessThan(1000);
    const other = new Machine(restored);
    const program = new CountingProgram(other, 'restored', 'ax');
    other.attach(program.program, kprobe('do_sys_openat2'));
    expect(new V86Session(restored).run('open 1000').get('opens')).toBe(1000);
    expect([program.runs, program.sum]).toEqual([1000, sequence(1000)]);
    other.close();
    restored.close();
  });

  it('is restored from what zstd made of it', async () => {
    const saved = await savedTestGuest(guest);
    const { state, ...rest } = decodeSavedState(saved);
    const { status, stdout, error } = spawnSync('zstd', ['-c', '-3'], { input: state, maxBuffer: 1 << 28 });
    expect([status, error]).toEqual([0, undefined]);
    const packed = encodeSavedState({ ...rest, state: stdout });
    expect(packed.length).toBeLessThan(saved.length / 2);
    const restored = await restoreV86(guest.parts, packed);
    expect(new V86Session(restored).run('hot 10').get('calls')).toBe(10);
    restored.close();
  });

  it('is found wherever KASLR has put it', { timeout: BOOT_MS }, async () => {
    const options = { ...guest, cmdline: V86_CMDLINE.replace('nokaslr ', '') };
    const moved = await bootV86(guest.parts, options, { ready: READY });
    const base = moved.symbols.lookup('_text')?.address ?? 0n;
    expect([base % 0x1000n, base >= 0xc100_0000n]).toEqual([0n, true]);
    const other = new Machine(moved);
    const program = new CountingProgram(other, 'moved', 'ax');
    other.attach(program.program, kprobe('do_sys_openat2'));
    new V86Session(moved).run('open 500');
    expect([program.runs, program.sum, moved.tasks.commOf(1)]).toEqual([500, sequence(500), 'init']);
    other.close();
    moved.close();
  });
});

function isAttached(machine: Machine, program: CountingProgram, target: AttachTarget): boolean {
  try {
    machine.attach(program.program, target);
    return true;
  } catch (error) {
    if (error instanceof BpfError) return false;
    throw error;
  }
}

function textAt(host: V86Host, name: string): string {
  const symbol = host.symbols.lookup(name);
  const bytes = new Uint8Array(Number(symbol?.size ?? 0n));
  const address = symbol?.address ?? 0n;
  host.memory.readKernel(lo32(address), hi32(address), bytes, 0, bytes.length);
  return Buffer.from(bytes).toString('hex');
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}
