import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BpfAttachType as A, BpfFuncId, BpfProgType as T } from '../../src/base/index.js';
import { createSim } from '../../src/host/sim/index.js';
import { Machine } from '../../src/machine/index.js';
import { type AttachTarget, call, encodeInsns, exit, mov64Imm, mov64Reg } from '../../src/runtime/index.js';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { describeWithLinux } from '../oracle/linux.js';

/** BPF_F_SLEEPABLE */
const SLEEPABLE = 1 << 4;
const nothing = [mov64Imm(0, 0), exit()];
const VERDICT = 'Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable';

function load(
  machine: Machine,
  type: number,
  expectedAttachType: number,
): ReturnType<Machine['runtime']['loadProgram']> {
  return machine.runtime.loadProgram({
    name: 'sleeper',
    type,
    expectedAttachType,
    license: 'GPL',
    insns: nothing,
    maps: [],
    sleepable: true,
  });
}

const refusedAtLoad: readonly (readonly [string, number, number])[] = [
  ['xdp', T.BPF_PROG_TYPE_XDP, 0],
  ['tracepoint', T.BPF_PROG_TYPE_TRACEPOINT, 0],
  ['raw_tracepoint', T.BPF_PROG_TYPE_RAW_TRACEPOINT, 0],
  ['perf_event', T.BPF_PROG_TYPE_PERF_EVENT, 0],
  ['socket', T.BPF_PROG_TYPE_SOCKET_FILTER, 0],
];

describe('a program that may sleep', () => {
  const machine = new Machine(createSim({ workload: 'shell' }));

  it.each([...refusedAtLoad, ['tp_btf', T.BPF_PROG_TYPE_TRACING, A.BPF_TRACE_RAW_TP]] as const)(
    'is not loaded as %s',
    (_name, type, attachType) => {
      expect(() => load(machine, type, attachType)).toThrow(
        expect.objectContaining({ code: 'EINVAL', verdict: VERDICT }),
      );
    },
  );

  const places: readonly (readonly [string, number, number, AttachTarget])[] = [
    [
      'fentry on a security hook',
      T.BPF_PROG_TYPE_TRACING,
      A.BPF_TRACE_FENTRY,
      { kind: 'fentry', name: 'security_file_open' },
    ],
    ['fexit on a system call', T.BPF_PROG_TYPE_TRACING, A.BPF_TRACE_FEXIT, { kind: 'fexit', name: '__x64_sys_read' }],
    ['an iterator', T.BPF_PROG_TYPE_TRACING, A.BPF_TRACE_ITER, { kind: 'iter', target: 'task' }],
    ['a uprobe', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'uprobe', path: '/bin/sh', symbol: 'main', offset: 0 }],
  ];
  it.each(places)('is attached to %s', (_name, type, attachType, target) => {
    machine.attach(load(machine, type, attachType), target).detach();
  });

  const refused: readonly (readonly [string, number, number, AttachTarget, string])[] = [
    ['a kprobe', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'kprobe', symbol: 'vfs_read', offset: 0 }, 'only uprobe programs'],
    [
      'a system call by kprobe',
      T.BPF_PROG_TYPE_KPROBE,
      0,
      { kind: 'ksyscall', syscall: 'read' },
      'only uprobe programs',
    ],
    [
      'a function that runs where nothing may wait',
      T.BPF_PROG_TYPE_TRACING,
      A.BPF_TRACE_FENTRY,
      { kind: 'fentry', name: 'try_to_wake_up' },
      'try_to_wake_up is not sleepable',
    ],
  ];
  it.each(refused)('is not attached to %s', (_name, type, attachType, target, message) => {
    const program = load(machine, type, attachType);
    expect(() => machine.attach(program, target)).toThrow(
      expect.objectContaining({ code: 'EINVAL', message: expect.stringContaining(message) }),
    );
  });

  it('keeps what its section says when it is loaded from an object', () => {
    const spec = CollectionSpec.parse(readFileSync(new URL('../testdata/hook-objects/hooks.bpf.o', import.meta.url)));
    const sleepers = spec.programs.filter(({ sleepable }) => sleepable).map(({ name }) => name);
    const { programs } = Collection.load(spec, machine.runtime, { programs: [...sleepers, 'on_fexit'] });
    const flags = [...programs.values()].map(({ program }) => program.executable.sleepable === true);
    expect(flags).toEqual([...sleepers.map(() => true), false]);
    expect(sleepers.length).toBeGreaterThan(0);
  });

  it('may call what sleeps, others are stopped there', () => {
    const insns = [
      mov64Reg(1, 10),
      { ...mov64Imm(0, 0), code: 0x07, dst: 1, imm: -8 },
      mov64Imm(2, 8),
      mov64Imm(3, 0),
      call(BpfFuncId.BPF_FUNC_copy_from_user),
      exit(),
    ];
    const run = (sleepable: boolean): number => {
      const common = {
        name: 'copy',
        type: T.BPF_PROG_TYPE_SYSCALL,
        expectedAttachType: 0,
        license: 'GPL',
        insns,
        maps: [],
      };
      const program = machine.runtime.loadProgram({ ...common, sleepable });
      return machine.runtime.testRun(program, { ctxIn: new Uint8Array(8) }).retval | 0;
    };
    expect(run(true)).toBe(-14);
    expect(() => run(false)).toThrow(/helper call might sleep in a non-sleepable prog: bpf_copy_from_user#148/);
  });
});

describeWithLinux('programs that may sleep, live', (linux) => {
  it.each(refusedAtLoad)('%s is refused in the same words', async (_name, type, expectedAttachType) => {
    const slot = linux.slot();
    const insns = encodeInsns(nothing);
    const { result, log } = await linux.progLoad(slot, {
      type,
      expectedAttachType,
      insns,
      flags: SLEEPABLE,
      logLevel: 1,
    });
    await linux.close(slot);
    expect([result, log]).toEqual([-22, expect.stringContaining(VERDICT)]);
  });
});
