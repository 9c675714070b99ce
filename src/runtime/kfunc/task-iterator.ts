import { Errno, u64 } from '../../base/index.js';
import { u64Result } from '../helper/u64-result.js';
import { KernelTasks } from '../kernel/kernel-tasks.js';
import type { BpfRunCtx } from '../run-context.js';
import { destroyKfunc, nextItem, openIterator } from './iterator-items.js';
import { type Kfunc, kfunc } from './kfunc.js';

/** BPF_TASK_ITER_*; 0 is for processes. */
const ALL_THREADS = 1;
const PROC_THREADS = 2;
const iterator = { name: 'task', size: 24 } as const;

/** bpf_for_each(task, ...): from the idle task on, in the order of the kernel's own list (kernel/bpf/task_iter.c). */
export const taskIteratorKfuncs: readonly Kfunc[] = [
  kfunc({
    prototype:
      'int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task__nullable, unsigned int flags)',
    flags: ['KF_ITER_NEW', 'KF_TRUSTED_ARGS', 'KF_RCU_PROTECTED'],
    args: ['iter_uninit', 'btf_id', 'anything'],
    ret: 'integer',
    iterator,
    impl: (run, it, _itHi, lo, hi, flags) => {
      const walk = walkTasks(run, u64(lo, hi), flags >>> 0);
      const items = typeof walk === 'number' ? [].values() : walk;
      openIterator(run, it, iterator, items);
      return typeof walk === 'number' ? walk : 0;
    },
  }),
  kfunc({
    prototype: 'struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it)',
    flags: ['KF_ITER_NEXT', 'KF_RET_NULL'],
    args: ['iter'],
    ret: 'u64',
    iterator,
    impl: (run, it) => u64Result(run, nextItem(run, it) ?? 0n),
  }),
  destroyKfunc(iterator),
];

function walkTasks({ runtime: { host } }: BpfRunCtx, task: bigint, flags: number): Iterator<bigint> | number {
  if (flags > PROC_THREADS || (flags === PROC_THREADS && task === 0n)) return -Errno.EINVAL;
  if (host.btf === null) return -Errno.EOPNOTSUPP;
  const tasks = KernelTasks.of(host);
  if (flags === PROC_THREADS) return tasks.threadsFrom(task);
  return flags === ALL_THREADS ? allThreads(tasks) : tasks.processes();
}

function* allThreads(tasks: KernelTasks): Generator<bigint, void, undefined> {
  for (const process of tasks.processes()) yield* tasks.threadsFrom(process);
}
