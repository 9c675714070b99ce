import { u64 } from '../../base/index.js';
import { fieldOffset } from '../helper/kernel-fields.js';
import { u64Result } from '../helper/u64-result.js';
import { KernelReader } from '../kernel/kernel-reader.js';
import { KernelTasks } from '../kernel/kernel-tasks.js';
import type { BpfRunCtx } from '../run-context.js';
import { type Kfunc, kfunc } from './kfunc.js';
import { objectsOf } from './objects-of.js';
import { GENERIC_TYPES } from './program-types.js';

/** Tasks found and kept. The machine stands still while a program runs: a reference is counted, and its task stays. */
export const taskKfuncs: readonly Kfunc[] = [
  // Hosts have one name space of process ids.
  ...['struct task_struct *bpf_task_from_pid(s32 pid)', 'struct task_struct *bpf_task_from_vpid(s32 vpid)'].map(
    (prototype) =>
      kfunc({
        prototype,
        flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
        args: ['anything'],
        ret: 'u64',
        programTypes: GENERIC_TYPES,
        impl: (run, pid) => acquire(run, taskOf(run, pid)),
      }),
  ),
  kfunc({
    prototype: 'struct task_struct *bpf_task_acquire(struct task_struct *p)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL', 'KF_TRUSTED_ARGS'],
    args: ['trusted_ptr'],
    ret: 'u64',
    programTypes: GENERIC_TYPES,
    impl: (run, lo, hi) => acquire(run, isLive(run, u64(lo, hi)) ? u64(lo, hi) : 0n),
  }),
  kfunc({
    prototype: 'void bpf_task_release(struct task_struct *p)',
    flags: ['KF_RELEASE'],
    args: ['released_ptr'],
    ret: 'void',
    programTypes: GENERIC_TYPES,
    impl: (run, lo, hi) => {
      objectsOf(run).release(u64(lo, hi));
      return 0;
    },
  }),
];

function acquire(run: BpfRunCtx, task: bigint): number {
  if (task !== 0n) objectsOf(run).acquire(task);
  return u64Result(run, task);
}

function taskOf({ runtime: { host } }: BpfRunCtx, pid: number): bigint {
  if (host.btf === null || pid <= 0) return 0n;
  return (
    KernelTasks.of(host)
      .list()
      .find((task) => task.pid === pid)?.address ?? 0n
  );
}

/** A task whose `rcu_users` are gone cannot be kept; kernels that do not count them keep all. */
function isLive({ runtime: { host } }: BpfRunCtx, task: bigint): boolean {
  const offset = fieldOffset(host, 'task_struct', 'rcu_users');
  return offset < 0 || new KernelReader(host, 'keeping a task').u32(task + BigInt(offset)) !== 0;
}
