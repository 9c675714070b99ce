import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSim } from '../../src/host/sim/index.js';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { Machine } from '../../src/machine/index.js';
import {
  createInterpreter,
  createJit,
  type Engine,
  eventDecoder,
  type ProgramFault,
  RingBufferMap,
} from '../../src/runtime/index.js';
import { instance } from '../support/instance.js';

/** struct other_task of other-tasks.bpf.c */
interface OtherTask {
  readonly pid: bigint;
  readonly frames: bigint;
  readonly user_frames: bigint;
  readonly skipped: bigint;
  readonly wrong: bigint;
  readonly copied: bigint;
  readonly nowhere: bigint;
  readonly code: bigint;
  readonly stack: readonly bigint[];
}

const [EFAULT, EINVAL, EOPNOTSUPP] = [-14n, -22n, -95n];
const byName = (a = '', b = ''): number => (a < b ? -1 : 1);
/** Where stacks begin: system calls, new tasks, and the idle task. */
const OUTERMOST = ['entry_SYSCALL_64', 'ret_from_fork', 'startup_64'];
/** The instruction `syscall`. */
const SYSCALL = 0x050fn;

function watch(engine: Engine): { tasks: OtherTask[]; names: (task: OtherTask) => string[]; faults: ProgramFault[] } {
  const host = createSim({ workload: 'mixed', seed: 4, cpus: 2 });
  const faults: ProgramFault[] = [];
  const machine = new Machine(host, { engine, onFault: (fault) => faults.push(fault) });
  const spec = CollectionSpec.parse(
    readFileSync(new URL('../testdata/hook-objects/other-tasks.bpf.o', import.meta.url)),
  );
  const { maps, programs } = Collection.load(spec, machine.runtime);
  for (const { program, attach } of programs.values()) machine.attach(program, attach);
  if (spec.btf === null) throw new Error('the object has no BTF');
  const decode = eventDecoder(spec.btf, 'other_task');
  const reader = machine.readRings(instance(maps.get('events'), RingBufferMap));
  host.run({ ns: 8_000_000 });
  const tasks: OtherTask[] = [];
  reader.poll(({ data }) => tasks.push(decode(data) as unknown as OtherTask));
  reader.close();
  const names = ({ frames, stack }: OtherTask): string[] =>
    stack.slice(0, Math.max(Number(frames) / 8, 0)).map((address) => host.symbols.format(address).replace(/\+.*/, ''));
  return { tasks, names, faults };
}

describe.each([
  ['interpreted', createInterpreter],
  ['compiled', () => createJit()],
])('tasks that are not current, %s', (_name, engine) => {
  const { tasks, names, faults } = watch(engine());
  const asleep = tasks.filter(({ frames }) => frames > 0n);

  it('bpf_get_task_stack: where each one left off, the scheduler left out', () => {
    expect(faults).toEqual([]);
    expect(asleep.length).toBeGreaterThan(20);
    const whole = asleep.filter(({ frames, stack }) => Number(frames) < 8 * stack.length);
    const outermost = new Set(whole.map((task) => names(task).at(-1)));
    expect([...outermost].toSorted(byName)).toEqual(OUTERMOST);
    for (const task of asleep) expect(names(task)[0]).not.toMatch(/schedule/);
    expect(asleep.some((task) => names(task).includes('do_wait'))).toBe(true);
    for (const { skipped, frames } of asleep) expect(skipped).toBe(frames > 8n ? 8n : 0n);
  });

  it('bpf_get_task_stack: the errors of Linux', () => {
    for (const { user_frames: user, wrong, frames } of tasks) {
      expect([user, wrong]).toEqual([EOPNOTSUPP, EINVAL]);
      if (frames <= 0n) expect(frames).toBe(EFAULT);
    }
  });

  it('bpf_copy_from_user_task: the code that a task waits at, or -EFAULT', () => {
    const waiting = asleep.filter((task) => names(task).some((name) => name.includes('_sys_')));
    expect(waiting.length).toBeGreaterThan(5);
    for (const { copied, code } of waiting) expect([copied, code & 0xffffn]).toEqual([0n, SYSCALL]);
    for (const { nowhere } of tasks) expect(nowhere).toBe(EFAULT);
  });
});
