import { beforeEach, describe, expect, it } from 'vitest';
import { BpfMapType, BpfProgType as T } from '../../src/base/index.js';
import type { AttachOptions, Link } from '../../src/machine/index.js';
import {
  type AttachTarget,
  isBalanced,
  ldx,
  BPF_DW,
  exit,
  ldImm64,
  PerfEventArrayMap,
  type RingBufferMap,
} from '../../src/runtime/index.js';
import { instance } from '../support/instance.js';
import { TestHost } from '../support/test-host.js';
import { Machine } from '../../src/machine/index.js';
import { setTracing } from '../support/test-runtime.js';
import { FRAME } from '../support/text.js';
import { MachineFixture } from './machine-fixture.js';

/** Every kind of hook with a program type that fits, and how to hit it once. */
const HOOKS: readonly {
  readonly name: string;
  readonly type: number;
  readonly target: AttachTarget;
  readonly options?: AttachOptions;
  readonly hit: (fixture: MachineFixture) => void;
}[] = [
  {
    name: 'tracepoint:sched:sched_switch',
    type: T.BPF_PROG_TYPE_TRACEPOINT,
    target: { kind: 'tracepoint', system: 'sched', name: 'sched_switch' },
    hit: ({ host }) => void host.fire('sched_switch', [0n, 1n, 2n, 0n]),
  },
  {
    name: 'raw_tracepoint:sys_enter',
    type: T.BPF_PROG_TYPE_RAW_TRACEPOINT,
    target: { kind: 'raw_tracepoint', name: 'sys_enter', writable: false },
    hit: ({ host }) => void host.fire('sys_enter', [0n, 1n]),
  },
  {
    name: 'kprobe:frame',
    type: T.BPF_PROG_TYPE_KPROBE,
    target: { kind: 'kprobe', symbol: 'frame', offset: 0 },
    hit: ({ host }) => void host.call('frame'),
  },
  {
    name: 'kprobe:frame+0x1',
    type: T.BPF_PROG_TYPE_KPROBE,
    target: { kind: 'kprobe', symbol: 'frame', offset: 1 },
    hit: ({ host }) => void host.call('frame'),
  },
  {
    name: 'kretprobe:frame',
    type: T.BPF_PROG_TYPE_KPROBE,
    target: { kind: 'kretprobe', symbol: 'frame', maxactive: 0 },
    hit: ({ host }) => void host.call('frame'),
  },
  {
    name: 'perf_event:cpu-clock',
    type: T.BPF_PROG_TYPE_PERF_EVENT,
    target: { kind: 'perf_event' },
    options: { frequency: 100 },
    hit: ({ host }) => host.sample(1, host.enter('frame')),
  },
];

let fixture: MachineFixture;

beforeEach(() => {
  fixture = new MachineFixture();
});

describe.each(HOOKS)('a link to $name', ({ name, type, target, options, hit }) => {
  const attach = (tag: number, more: AttachOptions = {}): Link =>
    fixture.machine.attach(fixture.program(tag, type), target, { ...options, ...more });

  it('runs its program with its cookie, for each hit', () => {
    attach(7, { cookie: 0x1234_5678_9abc_def0n });
    hit(fixture);
    hit(fixture);
    const run = { tag: 7, cookie: 0x1234_5678_9abc_def0n };
    expect(fixture.emitted()).toEqual([run, run]);
  });

  it('runs after the links made before it; on a kprobe before them, as in Linux', () => {
    for (const tag of [1, 2, 3]) attach(tag);
    hit(fixture);
    expect(fixture.tags()).toEqual(target.kind === 'kprobe' ? [3, 2, 1] : [1, 2, 3]);
  });

  it('sees nothing while paused and everything after', () => {
    const link = attach(1);
    link.pause();
    link.pause();
    hit(fixture);
    expect(link.info.state).toBe('paused');
    expect(fixture.tags()).toEqual([]);
    link.resume();
    hit(fixture);
    expect(fixture.tags()).toEqual([1]);
    expect(link.ledgerRow()).toMatchObject({ seen: 1, delivered: 1 });
  });

  it('takes another program without missing a hit', () => {
    const link = attach(1, { cookie: 5n });
    hit(fixture);
    link.update(fixture.program(2, type));
    hit(fixture);
    expect(fixture.emitted()).toEqual([
      { tag: 1, cookie: 5n },
      { tag: 2, cookie: 5n },
    ]);
    expect(link.ledgerRow()).toMatchObject({ name: `${name} prog2`, seen: 2, delivered: 2 });
  });

  it('stays paused when its program is replaced', () => {
    const link = attach(1);
    link.pause();
    link.update(fixture.program(2, type));
    hit(fixture);
    link.resume();
    hit(fixture);
    expect(fixture.tags()).toEqual([2]);
  });

  it('keeps a program that its loader closed, until it is detached', () => {
    const program = fixture.program(1, type);
    const link = fixture.machine.attach(program, target, options);
    program.release();
    hit(fixture);
    expect(fixture.tags()).toEqual([1]);
    expect([...fixture.machine.runtime.programs]).toEqual([program]);
    link.detach();
    expect([...fixture.machine.runtime.programs]).toEqual([]);
  });

  it('detached, leaves the host as it was', () => {
    const before = fixture.text('frame');
    const link = attach(1);
    link.detach();
    link.detach();
    hit(fixture);
    expect(fixture.tags()).toEqual([]);
    expect(fixture.text('frame')).toEqual(before);
    expect(fixture.host.tracepoints.enabled).toEqual([false, false]);
    expect(fixture.host.samplersOn(0)).toBe(0);
    expect(fixture.machine.links).toEqual([]);
    expect(link.info.state).toBe('detached');
    expect(() => link.pause()).toThrow('ENOLINK');
    expect(() => link.update(fixture.program(2, type))).toThrow('ENOLINK');
  });

  it('is in the books while it is attached and after', () => {
    const link = attach(1);
    hit(fixture);
    const row = { kind: 'probe', name: `${name} prog1`, seen: 1, delivered: 1, pending: 0 };
    expect(fixture.machine.ledgerRows()).toContainEqual(expect.objectContaining(row));
    link.detach();
    hit(fixture);
    expect(fixture.machine.ledgerRows()).toContainEqual(expect.objectContaining(row));
  });

  it('counts what it missed because the CPU ran another program', () => {
    if (type === T.BPF_PROG_TYPE_RAW_TRACEPOINT) return;
    const link = attach(1);
    const { runtime } = fixture.machine;
    const setAll = (on: boolean): void =>
      Array.from({ length: runtime.cpus }, (_, cpu) => cpu).forEach((cpu) => setTracing(runtime, cpu, on));
    setAll(true);
    hit(fixture);
    setAll(false);
    hit(fixture);
    const row = link.ledgerRow();
    expect(row).toMatchObject({ seen: 2, delivered: 1, dropped: { recursion: 1 } });
    expect(isBalanced(row)).toBe(true);
  });

  it('refuses a program of another type', () => {
    const wrong = type === T.BPF_PROG_TYPE_KPROBE ? T.BPF_PROG_TYPE_TRACEPOINT : T.BPF_PROG_TYPE_KPROBE;
    expect(() => fixture.machine.attach(fixture.program(1, wrong), target, options)).toThrow('EINVAL');
    expect(fixture.machine.links).toEqual([]);
  });

  it('describes itself', () => {
    expect(attach(3, { cookie: 9n }).info).toMatchObject({
      id: 1,
      target,
      hook: name,
      program: { name: 'prog3' },
      cookie: 9n,
      state: 'attached',
    });
  });
});

describe('a place the host does not have', () => {
  it.each([
    [
      { kind: 'kprobe', symbol: 'frme', offset: 0 },
      T.BPF_PROG_TYPE_KPROBE,
      'attaching prog1: test has no function frme: ENOENT; similar names: frame',
    ],
    [
      { kind: 'kretprobe', symbol: 'no_such_thing', maxactive: 0 },
      T.BPF_PROG_TYPE_KPROBE,
      'attaching prog1: test has no function no_such_thing: ENOENT; no symbol is like it (inlined functions have none)',
    ],
    [
      { kind: 'tracepoint', system: 'sched', name: 'sched_swich' },
      T.BPF_PROG_TYPE_TRACEPOINT,
      'attaching prog1: test has no trace event sched:sched_swich: ENOENT; similar names: sched:sched_switch',
    ],
    [
      { kind: 'raw_tracepoint', name: 'sys_entre', writable: false },
      T.BPF_PROG_TYPE_RAW_TRACEPOINT,
      'attaching prog1: test has no tracepoint sys_entre: ENOENT; similar names: sys_enter',
    ],
    [{ kind: 'tp_btf', name: 'sys_enter' }, T.BPF_PROG_TYPE_TRACING, 'ESRCH'],
    [{ kind: 'kprobe', symbol: 'secret', offset: 0 }, T.BPF_PROG_TYPE_KPROBE, 'blacklisted'],
    [{ kind: 'kprobe', symbol: 'frame', offset: 2 }, T.BPF_PROG_TYPE_KPROBE, 'EILSEQ'],
    [
      { kind: 'lsm', name: 'file_open', cgroup: false },
      T.BPF_PROG_TYPE_LSM,
      'machines have no lsm hooks [value file_open]',
    ],
    [
      { kind: 'net', hook: 'tcx/ingress', attachType: 46 },
      T.BPF_PROG_TYPE_SCHED_CLS,
      'no net hooks [value tcx/ingress]',
    ],
    [
      { kind: 'other', section: 'bogus/x', why: 'unknown' },
      T.BPF_PROG_TYPE_KPROBE,
      'section bogus/x names a hook that',
    ],
    [{ kind: 'other', section: 'kprobe', why: 'no_target' }, T.BPF_PROG_TYPE_KPROBE, 'section kprobe tells no target'],
    [{ kind: 'other', section: 'kprobe/', why: 'malformed' }, T.BPF_PROG_TYPE_KPROBE, 'cannot be read'],
  ] as const)('%o', (target, type, message) => {
    expect(() => fixture.machine.attach(fixture.program(1, type), target)).toThrow(message);
    expect(fixture.machine.links).toEqual([]);
    expect([...fixture.machine.runtime.programs]).toHaveLength(1);
  });

  it('a host without text to patch: EOPNOTSUPP', () => {
    const host = Object.assign(new TestHost({ functions: { frame: FRAME } }), { text: null, tracepoints: null });
    const machine = new Machine(host);
    const program = machine.runtime.loadProgram({
      name: 'p',
      type: T.BPF_PROG_TYPE_KPROBE,
      expectedAttachType: 0,
      license: 'GPL',
      maps: [],
      insns: [...ldImm64(0, 0n), exit()],
    });
    expect(() => machine.attach(program, { kind: 'kprobe', symbol: 'frame', offset: 0 })).toThrow('EOPNOTSUPP');
    expect(machine.list().map(({ name }) => name)).toEqual(['perf_event:cpu-clock', 'perf_event:task-clock']);
  });
});

describe('sampling', () => {
  const perf = { kind: 'perf_event' } as const;

  /** Samplers on CPU 0 and 1 while a link with these options exists. */
  const samplers = (options: AttachOptions): number[] => {
    const link = fixture.machine.attach(fixture.program(1, T.BPF_PROG_TYPE_PERF_EVENT), perf, options);
    const counts = [0, 1].map((cpu) => fixture.host.samplersOn(cpu));
    link.detach();
    return counts;
  };

  it('on all CPUs, on some, or of one thread', () => {
    expect(samplers({})).toEqual([1, 1]);
    expect(samplers({ cpus: [1] })).toEqual([0, 1]);
    expect(samplers({ pid: 100 })).toEqual([1, 1]);
    expect(samplers({ pid: 100, cpus: [0] })).toEqual([1, 0]);
  });

  it.each([
    [{ frequency: 10, periodNs: 10n }, 'EINVAL'],
    [{ frequency: 200_000 }, 'EINVAL'],
    [{ frequency: 0 }, 'positive integer'],
    [{ cpus: [9] }, 'EINVAL'],
    [{ pid: 4 }, 'ESRCH'],
  ])('%o is refused, and nothing stays open', (options, message) => {
    expect(() => fixture.machine.attach(fixture.program(1, T.BPF_PROG_TYPE_PERF_EVENT), perf, options)).toThrow(
      message,
    );
    expect(fixture.machine.perf.list).toEqual([]);
  });
});

describe('Machine', () => {
  it('lists what can be probed, and what cannot', () => {
    expect(fixture.machine.list('sched*').map(({ name }) => name)).toEqual([
      'tracepoint:sched:sched_switch',
      'raw_tracepoint:sched_switch',
    ]);
    expect(fixture.machine.list('kprobe:*')).toEqual([
      { kind: 'kprobe', name: 'kprobe:frame', refused: null },
      { kind: 'kprobe', name: 'kprobe:leaf', refused: null },
      { kind: 'kprobe', name: 'kprobe:secret', refused: expect.any(String) },
    ]);
    expect(fixture.machine.list('k*probe:lea?').map(({ name }) => name)).toEqual(['kprobe:leaf', 'kretprobe:leaf']);
    expect(fixture.machine.list('(').map(({ name }) => name)).toEqual([]);
  });

  it('tells of runs that had to stop', () => {
    const faults: string[] = [];
    const stopping = new MachineFixture(
      {},
      { onFault: ({ program, pc }, cpu) => faults.push(`${program}:${pc} on ${cpu}`) },
    );
    const program = stopping.machine.runtime.loadProgram({
      name: 'wild',
      type: T.BPF_PROG_TYPE_KPROBE,
      expectedAttachType: 0,
      license: 'GPL',
      maps: [],
      insns: [ldx(BPF_DW, 0, 10, 8), exit()],
    });
    const link = stopping.machine.attach(program, { kind: 'kprobe', symbol: 'frame', offset: 0 });
    stopping.host.call('frame', 1);
    expect(faults).toEqual(['wild:0 on 1']);
    expect(link.ledgerRow()).toMatchObject({ seen: 1, delivered: 0, dropped: { fault: 1 } });
  });

  it('keeps the books of rings that nobody reads, also when they are gone', () => {
    fixture.machine.attach(fixture.program(1), { kind: 'kprobe', symbol: 'frame', offset: 0 });
    fixture.host.call('frame');
    const ring = { kind: 'ring', name: 'runs', seen: 1, delivered: 0 };
    expect(fixture.machine.ledgerRows()).toContainEqual({ ...ring, pending: 1, dropped: { 'ring full': 0 } });
    const gone = { ...ring, pending: 0, dropped: { 'ring full': 0, 'consumer gone': 1 } };
    expect(fixture.machine.finalLedgerRows()).toContainEqual(gone);
    for (const program of fixture.machine.runtime.programs) program.release();
    fixture.machine.close();
    fixture.ring.release();
    expect(fixture.machine.ledgerRows()).toContainEqual(gone);
  });

  it('shows the real return address on a stack where a return probe hijacked it', () => {
    fixture.machine.attach(fixture.program(1), { kind: 'kretprobe', symbol: 'frame', maxactive: 0 });
    const trampoline = fixture.host.text.returnTrampoline as bigint;
    let seen: bigint[] = [];
    fixture.host.beforeInsn = (_cpu, regs) => {
      if (regs.ip === fixture.host.address('frame')) return;
      fixture.host.kernelStack = [regs.ip, trampoline];
      const out = new Int32Array(4);
      fixture.machine.runtime.host.stacks.kernel(regs, out, 2);
      if (seen.length === 0) seen = [BigInt.asUintN(64, (BigInt(out[3]) << 32n) | BigInt(out[2] >>> 0))];
    };
    fixture.host.call('frame');
    expect(seen).toEqual([0xffff_ffff_8200_0000n]);
  });

  it('close detaches everything, ends readers, and may be called again', async () => {
    const reader = fixture.machine.readRings(fixture.ring);
    const blocked = reader[Symbol.asyncIterator]().next();
    const links = HOOKS.map(({ type, target, options }, i) =>
      fixture.machine.attach(fixture.program(i, type), target, options),
    );
    fixture.machine.close();
    fixture.machine.close();
    expect(await blocked).toEqual({ value: undefined, done: true });
    expect(links.map(({ info }) => info.state)).toEqual(links.map(() => 'detached'));
    expect(fixture.text('frame')).toEqual(FRAME.slice(0, 4));
    expect(fixture.host.tracepoints.enabled).toEqual([false, false]);
    for (const { hit } of HOOKS) hit(fixture);
    fixture.machine.finalLedgerRows().forEach((row) => expect(isBalanced(row)).toBe(true));
  });

  it('closed once more it leaves the next machine of its host alone, and gives no memory back twice', () => {
    fixture.machine.attach(fixture.program(1), { kind: 'kprobe', symbol: 'frame', offset: 0 });
    fixture.machine.tracepoints.event('sched', 'sched_switch').register(() => undefined, null);
    fixture.machine.close();
    const { used } = fixture.machine.runtime.memory;
    const next = new Machine(fixture.host);
    let switches = 0;
    next.tracepoints.event('sched', 'sched_switch').register(() => switches++, null);
    fixture.machine.close();
    fixture.host.fire('sched_switch', [0n, 1n, 2n, 0n]);
    expect(switches).toBe(1);
    expect(fixture.machine.runtime.memory.used).toBe(used);
  });

  it('keeps no map for a reader that could not be had', () => {
    const { machine } = fixture;
    const spec = { name: 'perf', keySize: 4, valueSize: 4, maxEntries: 2, flags: 0, keyTypeId: 0, valueTypeId: 0 };
    const created = machine.runtime.createMap({ ...spec, type: BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY });
    const map = instance(created, PerfEventArrayMap);
    expect(() => machine.readPerf(map, { pages: 3 })).toThrowError(/EINVAL/);
    map.release();
    expect([...machine.runtime.maps]).toEqual([fixture.ring]);
  });

  it('reads no map of another type', () => {
    const { machine, ring } = fixture;
    const spec = { name: 'm', keySize: 4, valueSize: 4, maxEntries: 2, flags: 0, keyTypeId: 0, valueTypeId: 0 };
    const hash = machine.runtime.createMap({ ...spec, type: BpfMapType.BPF_MAP_TYPE_HASH }) as unknown;
    const refused = /reading map m \[value 1\]: EINVAL; ring buffers/;
    expect(() => machine.readRings(hash as RingBufferMap)).toThrowError(refused);
    expect(() => machine.readRings([ring, hash as RingBufferMap])).toThrowError(refused);
    expect(() => machine.readPerf(hash as PerfEventArrayMap)).toThrowError(refused);
    expect(machine.perf.list).toEqual([]);
  });

  it('attaches no program that is unloaded, and gives nothing back twice', () => {
    const { machine } = fixture;
    const program = fixture.program(1);
    program.release();
    for (const { target, options } of HOOKS.filter(({ type }) => type === T.BPF_PROG_TYPE_KPROBE)) {
      expect(() => machine.attach(program, target, options)).toThrowError(/prog1: it is unloaded: EBADF/);
    }
    const { used } = machine.runtime.memory;
    program.release();
    expect(machine.runtime.memory.used).toBe(used);
    expect(machine.links).toEqual([]);
    fixture.ring.release();
    expect(() => machine.readRings(fixture.ring)).toThrowError(/map runs: it is gone: EBADF/);
  });

  it('attaches nothing once it is closed: EBADF instead of a program that never runs', () => {
    const program = fixture.program(1);
    fixture.machine.close();
    for (const { target } of HOOKS) {
      expect(() => fixture.machine.attach(program, target)).toThrowError(/prog1: the machine is closed: EBADF/);
    }
    expect(fixture.machine.links).toEqual([]);
  });
});
