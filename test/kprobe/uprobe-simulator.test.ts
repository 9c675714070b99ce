import { describe, expect, it } from 'vitest';
import type { PtRegs } from '../../src/arch/index.js';
import { hi32, lo32 } from '../../src/base/index.js';
import { createSim, JournalKind, type SimHost } from '../../src/host/sim/index.js';
import { insnBoundaries, type UprobeSpec, UprobeRegistry } from '../../src/kprobe/index.js';
import { functionOf, programCounts } from './uprobe-workload.js';

const OP = '/bin/op';
const CAT = '/bin/cat';
const WORK = [
  'op open:/etc/passwd read:100 lseek:0 close getpid &',
  'op getpid getppid clock fork getpid &',
  'op threads:3 stat:/etc/passwd yield &',
  'wait',
  'cat /etc/passwd',
  'op getpid',
];
const SIGTRAP = 5n;
/** What the one fork of WORK happens inside of: these calls end in the parent and in the child. */
const FORKED = new Set(['main', 'other_operation', 'fork_once', 'fork', 'syscall']);

function boot(script: readonly string[], cpus = 2): { host: SimHost; uprobes: UprobeRegistry } {
  const host = createSim({ script: script.join('\n'), cpus });
  return { host, uprobes: new UprobeRegistry(host) };
}

/** A probe of a function of a program. */
function at(host: SimHost, path: string, name: string, into = 0): UprobeSpec {
  return { path, offset: functionOf(host, path, name).offset + into };
}

function finish(host: SimHost): void {
  expect(host.run()).toBe('finished');
  expect(host.oops).toBeNull();
}

/** tgid of the task that is current. */
function process(host: SimHost): number {
  const out = new Int32Array(2);
  host.tasks.pidTgid(out);
  return out[1];
}

describe('a uprobe', () => {
  it('registered before anything is in memory is met by every process that executes the file', () => {
    const { host, uprobes } = boot(WORK);
    const { address } = functionOf(host, OP, 'syscall');
    const pids = new Set<number>();
    const handler = (_probe: unknown, regs: PtRegs): void => {
      expect(regs.ip).toBe(address);
      pids.add(process(host));
    };
    const probe = uprobes.register({ ...at(host, OP, 'syscall'), handler });
    finish(host);
    const { syscalls, started, forks } = programCounts(host, OP);
    // Three threads are started and end by system calls of their own.
    expect(probe.nhit).toBe(syscalls - 6);
    expect(probe.nhit).toBeGreaterThan(20);
    expect(pids.size).toBe(started + forks - 3);
  });

  it('registered while programs run is met from the next instruction on, and no more once it is removed', () => {
    const { host, uprobes } = boot(['repeat 3', 'op compute:9000 &', 'op compute:9000 &', 'wait', 'end']);
    const { address } = functionOf(host, OP, 'mix');
    let executed = 0;
    let counting = false;
    host.traceInstructions((_cpu, lo, hi) => {
      if (counting && hi === 0 && lo === Number(address)) executed++;
    });
    host.run({ ns: 12_000_000 });
    let hits = 0;
    for (let i = 0; i < 6; i++) {
      const probe = uprobes.register(at(host, OP, 'mix'));
      counting = true;
      host.run({ ns: 250_000 });
      uprobes.unregister(probe);
      counting = false;
      hits += probe.nhit;
      const after = probe.nhit;
      host.run({ ns: 250_000 });
      expect(probe.nhit).toBe(after);
    }
    // A CPU may have executed the breakpoint and not reached the handler yet when the probe is taken out, each time.
    expect(executed - hits).toBeGreaterThanOrEqual(0);
    expect(executed - hits).toBeLessThanOrEqual(6);
    expect(hits).toBeGreaterThan(100);
    finish(host);
  });

  it('of one process is not told of others that execute the same page', () => {
    const { host, uprobes } = boot(['op getpid compute:9000 getpid &', 'op getpid compute:9000 getpid &', 'wait']);
    const all = uprobes.register(at(host, OP, 'compute'));
    const pids: number[] = [];
    uprobes.register({ ...at(host, OP, 'compute'), handler: () => pids.push(process(host)) });
    host.run({ until: () => pids.length > 0 });
    const one = uprobes.register({ ...at(host, OP, 'mix'), pid: pids[0] });
    const both = uprobes.register(at(host, OP, 'mix'));
    finish(host);
    expect(all.nhit).toBe(2);
    expect(one.nhit).toBeGreaterThan(0);
    expect(both.nhit).toBeGreaterThan(one.nhit * 1.5);
  });

  it('follows fork and exec: each process counts for the program that it is at the time', () => {
    const { host, uprobes } = boot(WORK);
    const probes = [OP, CAT, '/bin/sh'].map((path) => uprobes.register(at(host, path, 'main')));
    finish(host);
    const started = [OP, CAT, '/bin/sh'].map((path) => programCounts(host, path).started);
    expect(probes.map(({ nhit }) => nhit)).toEqual(started);
  });

  it('shares its place with others, newest first, and each can be disabled', () => {
    const { host, uprobes } = boot(['op getpid getpid']);
    const order: string[] = [];
    const [first, second] = ['first', 'second'].map((name) =>
      uprobes.register({ ...at(host, OP, 'syscall'), handler: () => order.push(name) }),
    );
    host.run({ until: () => order.length >= 2 });
    uprobes.setEnabled(second, false);
    host.run({ until: () => order.length >= 3 });
    uprobes.setEnabled(first, false);
    finish(host);
    expect(order).toEqual(['second', 'first', 'first']);
  });

  it('leaves a program its own breakpoints: they are SIGTRAP', () => {
    const { host, uprobes } = boot(['op poke:int3', 'op getpid']);
    const poke = functionOf(host, OP, 'poke');
    const code = new Uint8Array(poke.size);
    const file = host.userText.open(OP);
    expect(file !== null && host.userText.read(file, poke.offset, code)).toBe(true);
    const own = code.indexOf(0xcc);
    expect(() => uprobes.register({ path: OP, offset: poke.offset + own })).toThrow(
      /EOPNOTSUPP.*breakpoint of the program/,
    );
    const probe = uprobes.register(at(host, OP, 'poke'));
    finish(host);
    expect(probe.nhit).toBe(1);
    const killed = [...host.journal.entries(JournalKind.EXIT)].filter(({ b }) => (b & 0x7fn) === SIGTRAP);
    expect(killed).toHaveLength(1);
  });

  it('may stand where one of an earlier registry stood, whose displaced instructions are still being run', () => {
    const { host, uprobes } = boot(['op compute:6000 open:/etc/passwd getpid']);
    const places = ['mix', 'compute'].flatMap((name) => {
      const { offset, size } = functionOf(host, OP, name);
      const code = new Uint8Array(size);
      const file = host.userText.open(OP);
      expect(file !== null && host.userText.read(file, offset, code)).toBe(true);
      return insnBoundaries(host.arch.probing, code).map((into) => ({ path: OP, offset: offset + into }));
    });
    let registry = uprobes;
    let hits = 0;
    host.run({ until: () => programCounts(host, OP).started > 0 });
    // Each leaves tasks anywhere, in slots too; all together make far more slots than there is room for at once.
    for (let i = 0; i < 60; i++) {
      const probes = places.map((place) => registry.register(place));
      host.run({ ns: 60_000 + 37 * i });
      hits += probes.reduce((sum, { nhit }) => sum + nhit, 0);
      registry.close();
      registry = new UprobeRegistry(host);
    }
    finish(host);
    expect(hits).toBeGreaterThan(500);
    // openat, getpid and exit_group: the program came to its end.
    expect(programCounts(host, OP).syscalls).toBe(3);
  });

  it('is not seen by a program that reads its own file', () => {
    const { host, uprobes } = boot(['cp /bin/cat /tmp/copy', 'cat /tmp/copy']);
    uprobes.register(at(host, CAT, 'main'));
    const plain = createSim({ script: 'cp /bin/cat /tmp/copy\ncat /tmp/copy' });
    plain.run();
    finish(host);
    expect(host.console).toBe(plain.console);
  });

  it.each([
    ['a file that is not there', { path: '/bin/none', offset: 0 }, /ENOENT.*no such file/],
    ['an address instead of an offset', { path: OP, offset: 0x400120 }, /EINVAL.*offset in the file/],
    ['an odd counter', { path: OP, offset: 0x120, refCtrOffset: 3 }, /EINVAL.*even offset/],
    [
      'a counter behind the file',
      { path: OP, offset: 0x120, refCtrOffset: 0x10_0000 },
      /EINVAL.*two bytes of the file/,
    ],
  ])('is refused for %s', (_what, spec, message) => {
    const { uprobes } = boot(['op getpid']);
    expect(() => uprobes.register(spec)).toThrow(message);
    expect([...uprobes.probes]).toEqual([]);
  });
});

describe('a uretprobe', () => {
  it('sees each call return, with its value', () => {
    const { host, uprobes } = boot(WORK);
    const opened: bigint[] = [];
    const probe = uprobes.register({
      ...at(host, OP, 'open'),
      retHandler: (_probe, regs) => {
        opened.push(regs.get(regs.layout.ret));
      },
    });
    finish(host);
    const results = [...host.journal.entries(JournalKind.OPEN)].filter(({ text }) => text === '/etc/passwd');
    expect(opened).toEqual(results.slice(0, opened.length).map(({ d }) => d));
    expect(opened).toHaveLength(1);
    expect([probe.nhit, probe.nreturned, probe.nactive]).toEqual([1, 1, 0]);
  });

  it('accounts for every call of every function, those that end inside among them', () => {
    const { host, uprobes } = boot(WORK);
    const names = [...(host.programs.get(OP) ?? [])].filter(({ type, size }) => /^[tT]$/.test(type) && size > 0n);
    const probes = names
      .filter(({ name }) => name !== '_start')
      .map(({ name }) => ({ name, probe: uprobes.register({ ...at(host, OP, name), retHandler: () => {} }) }));
    finish(host);
    for (const { name, probe } of probes) {
      const { nhit, nreturned, nactive, missed } = probe;
      const ended = nreturned + missed.exited + missed.unwound + missed.depth + missed.fault;
      expect(ended - nhit, name).toBe(FORKED.has(name) ? 1 : 0);
      expect(nactive, name).toBe(0);
    }
    expect(probes.filter(({ probe }) => probe.nreturned > 0).length).toBeGreaterThan(20);
  });

  it('of fork returns in the parent and in the child', () => {
    const { host, uprobes } = boot(['op fork fork getpid']);
    const returns: bigint[] = [];
    const pids = new Set<number>();
    const probe = uprobes.register({
      ...at(host, OP, 'fork'),
      retHandler: (_probe, regs) => {
        returns.push(regs.get(regs.layout.ret));
        pids.add(process(host));
      },
    });
    finish(host);
    expect(probe.nhit).toBe(2);
    expect(probe.nreturned).toBe(4);
    expect(returns.filter((value) => value === 0n)).toHaveLength(2);
    expect(pids.size).toBe(3);
  });

  it('of a program that becomes another one is given up with it', () => {
    const script = ['op getpid &', 'cat /etc/passwd', 'wait'];
    const { host, uprobes } = boot(script);
    const symbols = [...(host.programs.get('/bin/sh') ?? [])].filter(
      ({ type, size }) => /^[tT]$/.test(type) && size > 0n,
    );
    const functions = symbols.filter(({ name }) => name !== '_start').map(({ name }) => ['/bin/sh', name] as const);
    const probes = [...functions, ['/lib/libc.so.6', 'execve'] as const].map(([path, name]) => ({
      name,
      probe: uprobes.register({ ...at(host, path, name), retHandler: () => {} }),
    }));
    finish(host);
    const execve = probes.find(({ name }) => name === 'execve')?.probe;
    expect(execve?.nhit).toBe(2);
    expect(execve?.missed.exited).toBe(2);
    // Each of the two children had copies of the calls that its parent was in, and left them by exec.
    for (const { name, probe } of probes) {
      const { nhit, nreturned, nactive, missed } = probe;
      expect(nactive, name).toBe(0);
      expect(nreturned + missed.exited + missed.unwound, name).toBeGreaterThanOrEqual(nhit);
      expect(missed.unwound + missed.depth + missed.fault, name).toBe(0);
    }
    const plain = createSim({ script: script.join('\n') });
    plain.run();
    expect(host.console).toBe(plain.console);
  });

  it('removed while calls are under way lets them return unseen', () => {
    const { host, uprobes } = boot(['op sleep:3000 getpid']);
    const probe = uprobes.register({ ...at(host, OP, 'sleep_us'), retHandler: () => {} });
    host.run({ until: () => probe.nhit > 0 });
    uprobes.unregister(probe);
    finish(host);
    expect([probe.nreturned, probe.nactive, probe.missed.unregistered]).toEqual([0, 0, 1]);
  });
});

describe('a reference counter', () => {
  const WORKERS = [
    // Reads the page of the counter, and shares it; then has a copy of its own, since it writes to it.
    'op fstat getpid getpid sleep:4000 getpid getpid &',
    'op open:/etc/passwd getpid getpid sleep:4000 getpid getpid &',
    'sleep 8000',
    'op fstat getpid',
    'op open:/etc/passwd fstat getpid',
  ];

  /** The upper bytes of op's only variable with a value, -1 until it has a file: nothing else lies in that page. */
  function counterOf(host: SimHost): { offset: number; address: bigint } {
    const address = (host.programs.get(OP)?.lookup('fd')?.address ?? 0n) + 6n;
    const header = new Uint8Array(56);
    const file = host.userText.open(OP);
    expect(file !== null && host.userText.read(file, 64 + 56, header)).toBe(true);
    const segment = new DataView(header.buffer);
    const offset = Number(address - segment.getBigUint64(16, true) + segment.getBigUint64(8, true));
    return { offset, address };
  }

  /** The counter as each getpid of each process finds it, null where its page is absent. */
  function watch(host: SimHost, uprobes: UprobeRegistry): Map<number, (number | null)[]> {
    const { address } = counterOf(host);
    const seen = new Map<number, (number | null)[]>();
    const handler = (_probe: unknown, regs: PtRegs): void => {
      if (regs.get(regs.layout.args[0]) !== 39n) return;
      const bytes = new Uint8Array(2);
      const there = host.memory.readUser(lo32(address), hi32(address), bytes, 0, 2);
      const values = seen.get(process(host)) ?? [];
      seen.set(process(host), [...values, there ? bytes[0] + 256 * bytes[1] : null]);
    };
    uprobes.register({ ...at(host, OP, 'syscall'), handler });
    return seen;
  }

  it('is one more for each probe, in shared pages, in private copies, and in what is mapped later', () => {
    const { host, uprobes } = boot(WORKERS);
    const seen = watch(host, uprobes);
    const bothSleep = (): boolean => [...seen.values()].filter((values) => values.length === 2).length === 2;
    host.run({ until: bothSleep });
    const { offset } = counterOf(host);
    const spec = { ...at(host, OP, 'open'), refCtrOffset: offset };
    const probes = [uprobes.register(spec), uprobes.register(spec)];
    expect(() => uprobes.register({ ...at(host, OP, 'open'), refCtrOffset: 0 })).toThrow(/must name the same counter/);
    finish(host);
    // -1 as it is in the file; 0 in the copy of the process that has file 3.
    expect([...seen.values()]).toEqual([[0xffff, 0xffff, 1, 1], [0, 0, 2, 2], [1], [0]]);
    for (const probe of probes) uprobes.unregister(probe);
  });

  it('is back where it was when the probes are gone', () => {
    const { host, uprobes } = boot(WORKERS);
    const seen = watch(host, uprobes);
    const probe = uprobes.register({ ...at(host, OP, 'open'), refCtrOffset: counterOf(host).offset });
    host.run({ until: () => [...seen.values()].filter((values) => values.length === 2).length === 2 });
    uprobes.unregister(probe);
    finish(host);
    expect([...seen.values()]).toEqual([[0, 0, 0xffff, 0xffff], [0, 0, 0xffff, 0xffff], [0xffff], [0]]);
  });
});
