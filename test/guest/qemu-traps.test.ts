import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PtRegs } from '../../src/arch/index.js';
import { BpfError } from '../../src/base/index.js';
import type { QemuHost } from '../../src/host/qemu/index.js';
import { insnBoundaries, type Kprobe, KprobeRegistry, KretprobeRegistry } from '../../src/kprobe/index.js';
import type { GuestSession } from './guest-session.js';
import {
  bootQemuLinux,
  damage,
  type LinuxArch,
  type QemuLinux,
  type TrapWay,
  trapWays,
  turnsFor,
} from './qemu-linux.js';

const MINUTES = 60_000;
const CPUS = 2;
const wanted = (process.env['KSCOPE_GUEST_ARCH'] ?? 'x86_64,arm64,riscv64').split(',') as LinuxArch[];
const cases = wanted.flatMap((arch) => trapWays(arch).map((way) => [arch, way] as const));
/** Hits by function of the fifty, for the same work, by way of taking traps. */
const fifties = new Map<LinuxArch, Map<TrapWay, ReadonlyMap<string, number>>>();

describe.each(cases)('probes on a Linux guest: %s, traps by %s', (arch, way) => {
  let guest: QemuLinux;
  let host: QemuHost;
  let session: GuestSession;
  let kprobes: KprobeRegistry;
  let kretprobes: KretprobeRegistry;
  /** Text of the function that is probed most, before anybody probed it. */
  let pristine: Uint8Array;
  const turns = turnsFor(way);

  beforeAll(async () => {
    guest = await bootQemuLinux(arch, way, { cpus: CPUS });
    ({ host, session } = guest);
    kprobes = new KprobeRegistry(host);
    kretprobes = new KretprobeRegistry(kprobes);
    pristine = textOf(host, 'do_sys_openat2');
  }, 3 * MINUTES);

  afterAll(() => guest?.host.close());

  it(
    'counts each call at a function’s entry, on its CPU, with its arguments and its string',
    { timeout: 3 * MINUTES },
    () => {
      const sequences = Array.from({ length: CPUS }, () => [] as number[]);
      const seen = {
        absent: 0,
        cpus: new Set<number>(),
        names: new Set<string>(),
        tasks: new Set<number>(),
        comms: new Set<string>(),
      };
      const probe = kprobes.register({
        symbolName: 'do_sys_openat2',
        preHandler(_probe, regs, cpu) {
          const [dirfd, name] = [argument(regs, 0), argument(regs, 1)];
          if (Number(BigInt.asIntN(32, dirfd)) < 0) return 0;
          const sequence = Number(dirfd & 0xff_ffffn);
          const task = Number((dirfd >> 24n) & 0xffn);
          sequences[task]?.push(sequence);
          seen.cpus.add(cpu);
          const text = userString(host, name);
          if (text === null) seen.absent++;
          else seen.names.add(text);
          seen.tasks.add(pidOf(host));
          seen.comms.add(commOf(host));
          return 0;
        },
      });
      const counts = session.run(`open ${turns} ${CPUS}`);
      kprobes.unregister(probe);
      expect(counts.get('opens')).toBe(turns * CPUS);
      const inOrder = Array.from({ length: turns }, (_, i) => i);
      expect(sequences).toEqual(sequences.map(() => inOrder));
      expect([...seen.cpus].toSorted((a, b) => a - b)).toEqual([0, 1]);
      // A program's first look at a page of its image: absent yet, as for Linux' own probes.
      expect(seen.absent, 'names in pages not yet there').toBeLessThanOrEqual(CPUS);
      expect([...seen.names]).toEqual(['/counted']);
      expect(seen.tasks.size, 'one pid per task').toBe(CPUS);
      expect([...seen.comms]).toEqual(['init']);
    },
  );

  it('counts at an offset into a function, and runs what it displaces there', { timeout: 3 * MINUTES }, () => {
    const offset = boundaryOf(host, 'do_sys_openat2', 3);
    const probe = kprobes.register({ symbolName: 'do_sys_openat2', offset });
    const counts = session.run(`open ${turns} ${CPUS}`);
    kprobes.unregister(probe);
    expect(counts.get('opens')).toBe(turns * CPUS);
    expect(probe.nhit).toBe(turns * CPUS);
  });

  it('sees each return, with the value returned, on both CPUs', { timeout: 3 * MINUTES }, () => {
    const values = new Map<number, number>();
    const probe = kretprobes.register({
      symbolName: 'do_sys_openat2',
      handler(_instance, regs) {
        const value = Number(BigInt.asIntN(32, regs.get(regs.layout.ret)));
        values.set(value, (values.get(value) ?? 0) + 1);
      },
    });
    const counts = session.run(`open ${turns} ${CPUS}`);
    kretprobes.unregister(probe);
    expect(counts.get('opens')).toBe(turns * CPUS);
    expect(
      [...values.keys()].every((fd) => fd >= 3 && fd < 16),
      [...values.keys()].join(),
    ).toBe(true);
    expect([...values.values()].reduce((sum, n) => sum + n, 0)).toBe(turns * CPUS);
    expect({ ...probe.missed, nmissed: probe.nmissed }).toEqual({
      maxactive: 0,
      fault: 0,
      unwound: 0,
      exited: 0,
      unregistered: 0,
      nmissed: 0,
    });
  });

  it('keeps up with a hot path', { timeout: 3 * MINUTES }, () => {
    const probe = kprobes.register({ symbolName: systemCall(arch, 'getppid') });
    const started = performance.now();
    const counts = session.run(`hot ${turns * 2} ${CPUS}`);
    const seconds = (performance.now() - started) / 1000;
    kprobes.unregister(probe);
    console.log(`${arch}, ${way}: ${probe.nhit} hits, ${Math.round(probe.nhit / seconds)} a second, console included`);
    expect(counts.get('calls')).toBe(turns * 2 * CPUS);
    expect(probe.nhit).toBe(turns * 2 * CPUS);
  });

  it(
    'holds fifty probes at once, which count what each other way of taking traps counts',
    { timeout: 3 * MINUTES },
    () => {
      const probes = fiftyProbes(host, kprobes);
      const opens = Math.min(turns, 10);
      const counts = session.run(`open ${opens} ${CPUS}`);
      const hits = new Map(probes.map((probe) => [probe.symbolName, probe.nhit]));
      for (const probe of probes) kprobes.unregister(probe);
      expect(counts.get('opens')).toBe(opens * CPUS);
      expect(probes.length).toBe(50);
      expect(hits.get('vfs_open')).toBe(opens * CPUS);
      // One more: the line on the console.
      expect((hits.get('vfs_read') ?? 0) - opens * CPUS).toBeLessThanOrEqual(2);
      const ways = fifties.get(arch) ?? new Map<TrapWay, ReadonlyMap<string, number>>();
      fifties.set(arch, ways.set(way, perOpen(hits, opens * CPUS)));
      for (const [other, theirs] of ways) expect(ways.get(way), `${way} and ${other}`).toEqual(theirs);
    },
  );

  it(
    'leaves the guest its own probes, breakpoints and static keys; both sides count right',
    { timeout: 3 * MINUTES },
    () => {
      const opens = Math.min(turns, 400);
      const own = boundaryOf(host, 'do_sys_openat2', 3);
      const entry = kprobes.register({ symbolName: 'do_sys_openat2' });
      const other = kprobes.register({ symbolName: systemCall(arch, 'getppid') });
      session.run(`kprobe p:own do_sys_openat2+${own}`);
      session.run(`kprobe p:elsewhere vfs_open+${boundaryOf(host, 'vfs_open', 3)}`);
      session.run('enable 1');
      const before = session.run('profile');
      const entryBefore = entry.nhit;
      session.start(`open ${opens} ${CPUS} 3`);
      const counts = session.finish('open');
      session.run(`flip /proc/sys/kernel/sched_schedstats 4`);
      session.run(`hot ${opens} ${CPUS}`);
      const after = session.run('profile');
      const entryAfter = entry.nhit;
      session.run('enable 0');
      kprobes.unregister(entry);
      kprobes.unregister(other);
      const difference = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
      const breaks = Math.ceil(opens / 3) * CPUS;
      expect(counts.get('opens')).toBe(opens * CPUS);
      expect([counts.get('breaks'), counts.get('sigtraps')]).toEqual([breaks, breaks]);
      expect(difference('own'), 'the guest’s probe inside the function of ours').toBe(entryAfter - entryBefore);
      // The work, four flips, and the profile.
      expect(difference('own')).toBe(opens * CPUS + 5);
      expect(difference('elsewhere')).toBe(opens * CPUS + 5);
      expect([after.get('own.missed'), after.get('elsewhere.missed')]).toEqual([0, 0]);
      expect(other.nhit).toBe(opens * CPUS);
    },
  );

  it(
    'puts probes in and takes them out under load; text and guest are whole afterwards',
    { timeout: 4 * MINUTES },
    () => {
      // The guest takes out its own probes some time after they were turned off.
      const isPristine = (): boolean => Buffer.compare(textOf(host, 'do_sys_openat2'), pristine) === 0;
      expect(host.run({ ns: 20e9, until: isPristine })).toBe('until');
      const rounds = way.startsWith('stub') ? 5 : 20;
      const opens = way.startsWith('stub') ? 60 : turns * 4;
      let hits = 0;
      session.start(`open ${opens} ${CPUS} 7`);
      for (let round = 0; round < rounds; round++) {
        const probe = kprobes.register({
          symbolName: 'do_sys_openat2',
          offset: round % 2 === 0 ? 0 : boundaryOf(host, 'do_sys_openat2', 3),
        });
        const returns = kretprobes.register({ symbolName: 'vfs_open', handler: () => {} });
        host.run({ ns: way.startsWith('stub') ? 80e6 : 10e6 });
        kretprobes.unregister(returns);
        kprobes.unregister(probe);
        host.text.drain();
        hits += probe.nhit;
        host.run({ ns: 2e6 });
        expect(textOf(host, 'do_sys_openat2')).toEqual(pristine);
      }
      const counts = session.finish('open');
      expect(counts.get('opens')).toBe(opens * CPUS);
      expect(counts.get('sigtraps')).toBe(counts.get('breaks'));
      expect(hits).toBeGreaterThan(0);
      expect(kretprobes.tasksInCalls, 'calls that did not return').toBe(0);
      expect(damage(host.console)).toBeNull();
    },
  );

  it('lets go of the guest, which lives on', { timeout: 2 * MINUTES }, () => {
    expect(host.oops).toBeNull();
    const handler = textOf(host, handlerOf(arch));
    // The init waits for its next line in a call that is followed: it returns when nobody follows any more.
    const reads = kretprobes.register({ symbolName: 'vfs_read', handler: () => {} });
    session.run('open 2 1');
    host.run({ ns: 50e6 });
    expect(kretprobes.tasksInCalls).toBe(1);
    expect(reads.nactive).toBeGreaterThan(0);
    kretprobes.close();
    kprobes.close();
    guest.detach();
    expect(session.run('open 500 2 5').get('opens')).toBe(1000);
    expect(session.run('fork 5').get('children')).toBe(5);
    expect(damage(guest.machine.console.text)).toBeNull();
    if (way === 'mailbox' || way === 'pvpanic') expect(textOf(host, handlerOf(arch))).not.toEqual(handler);
  });
});

function argument(regs: PtRegs, index: number): bigint {
  return regs.get(regs.layout.args[index]);
}

/** Null: its page is absent. */
function userString(host: QemuHost, address: bigint): string | null {
  const bytes = new Uint8Array(16);
  const lo = Number(BigInt.asIntN(32, address));
  const hi = Number(BigInt.asIntN(32, address >> 32n));
  for (let i = 0; i < bytes.length; i++) {
    if (!host.memory.readUser(lo + i, hi, bytes, i, 1)) return null;
    if (bytes[i] === 0) return new TextDecoder().decode(bytes.subarray(0, i));
  }
  return 'no end';
}

function pidOf(host: QemuHost): number {
  const out = new Int32Array(2);
  host.tasks.pidTgid(out);
  return out[0];
}

function commOf(host: QemuHost): string {
  const bytes = new Uint8Array(16);
  return host.tasks.comm(bytes, 0) ? new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0))) : 'fault';
}

function textOf(host: QemuHost, symbolName: string): Uint8Array {
  const symbol = host.symbols.lookup(symbolName);
  if (symbol === undefined) throw new Error(`no ${symbolName}`);
  const bytes = new Uint8Array(Number(symbol.size));
  const { address } = symbol;
  const read = host.memory.readKernel(
    Number(BigInt.asIntN(32, address)),
    Number(BigInt.asIntN(32, address >> 32n)),
    bytes,
    0,
    bytes.length,
  );
  if (!read) throw new Error(`the text of ${symbolName} cannot be read`);
  return bytes;
}

/** Offset of the instruction number `index` of a function. */
function boundaryOf(host: QemuHost, symbolName: string, index: number): number {
  return insnBoundaries(host.arch.probing, textOf(host, symbolName))[index];
}

function systemCall(arch: LinuxArch, name: string): string {
  const prefix = { x86_64: '__x64_sys_', arm64: '__arm64_sys_', riscv64: '__riscv_sys_' }[arch];
  // Calls without arguments have no wrapper on some kernels: sys_getppid is the function itself.
  return `${prefix}${name}`;
}

function handlerOf(arch: LinuxArch): string {
  return { x86_64: 'exc_int3', arm64: 'brk_handler', riscv64: 'do_trap_break' }[arch];
}

/** One probe each at the entry of fifty functions of the VFS. */
function fiftyProbes(host: QemuHost, kprobes: KprobeRegistry): Kprobe[] {
  const names = [...new Set([...host.symbols].filter(({ type }) => /^[tT]$/.test(type)).map(({ name }) => name))]
    .filter((name) => /^vfs_[a-z_]+$/.test(name) && host.symbols.lookupAll(name).length === 1)
    .toSorted();
  const first = ['vfs_open', 'vfs_read', ...names.filter((name) => name !== 'vfs_open' && name !== 'vfs_read')];
  const probes: Kprobe[] = [];
  for (const symbolName of first) {
    if (probes.length === 50) break;
    try {
      probes.push(kprobes.register({ symbolName }));
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
    }
  }
  return probes;
}

/** Hits for each open, rounded: what the console adds does not count. */
function perOpen(hits: ReadonlyMap<string, number>, opens: number): ReadonlyMap<string, number> {
  return new Map([...hits].map(([name, count]) => [name, Math.floor(count / opens)]));
}
