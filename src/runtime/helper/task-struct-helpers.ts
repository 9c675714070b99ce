import { BpfFuncId, Errno, u64 } from '../../base/index.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Helper } from './helper.js';
import { readHost } from './host-read.js';
import { pointerField } from './kernel-fields.js';
import { getStack, getStackOf } from './stack-helpers.js';
import { u64Result } from './u64-result.js';

/** Bytes of a kernel stack (THREAD_SIZE) on the architectures there are. */
const THREAD_SIZE = 16_384n;
const words = new Int32Array(2);

/** What programs ask of a task that they have a pointer to. */
export const taskStructHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_task_pt_regs,
    name: 'task_pt_regs',
    args: ['btf_id'],
    ret: 'u64',
    gplOnly: true,
    impl: (run, lo, hi) => u64Result(run, userRegs(run, u64(lo, hi))),
  },
  {
    id: BpfFuncId.BPF_FUNC_get_task_stack,
    name: 'get_task_stack',
    args: ['btf_id', 'mem_uninit', 'const_size_or_zero', 'anything'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, lo, hi, buffer, _bufferHi, size, _sizeHi, flags, flagsHi) => {
      run.runtime.host.tasks.current(words);
      const at = buffer >>> 0;
      const isCurrent = words[0] === lo && words[1] === hi;
      const result = isCurrent
        ? getStack(run, at, size, flags, flagsHi)
        : getStackOf(run, lo, hi, at, size, flags, flagsHi);
      run.runtime.memory.u8.fill(0, at + Math.max(result, 0), at + size);
      return result;
    },
  },
  {
    // The page is not brought in: where it is absent this is -EFAULT, as for bpf_probe_read_user.
    id: BpfFuncId.BPF_FUNC_copy_from_user,
    name: 'copy_from_user',
    args: ['mem_uninit', 'const_size_or_zero', 'anything'],
    ret: 'integer',
    gplOnly: false,
    sleepable: true,
    impl: (run, dst, _dstHi, size, _sizeHi, lo, hi) =>
      readHost(run, 'user', run.runtime.memory.u8, dst >>> 0, size, lo, hi),
  },
  {
    id: BpfFuncId.BPF_FUNC_copy_from_user_task,
    name: 'copy_from_user_task',
    args: ['mem_uninit', 'const_size_or_zero', 'anything', 'btf_id', 'anything'],
    ret: 'integer',
    gplOnly: true,
    sleepable: true,
    impl: (run, dst, _dstHi, size, _sizeHi, lo, hi, taskLo, taskHi, flags, flagsHi) =>
      (flags | flagsHi) === 0 ? copyFromTask(run, dst >>> 0, size, [lo, hi], [taskLo, taskHi]) : -Errno.EINVAL,
  },
];

type Pair = readonly [lo: number, hi: number];

/** 0, or -EFAULT with the destination zeroed; -EOPNOTSUPP where the host cannot reach the memory of a task that is not current. */
function copyFromTask(run: BpfRunCtx, at: number, size: number, [lo, hi]: Pair, [taskLo, taskHi]: Pair): number {
  if (size === 0) return 0;
  const { host, memory } = run.runtime;
  host.tasks.current(words);
  if (words[0] === taskLo && words[1] === taskHi) return readHost(run, 'user', memory.u8, at, size, lo, hi);
  const isRead = host.memory.readUserOf?.(taskLo, taskHi, lo, hi, memory.u8, at, size);
  if (isRead !== true) memory.u8.fill(0, at, at + size);
  return isRead === undefined ? -Errno.EOPNOTSUPP : isRead ? 0 : -Errno.EFAULT;
}

/** task_pt_regs(): at the far end of the task's kernel stack. */
function userRegs({ runtime: { host } }: BpfRunCtx, task: bigint): bigint {
  const stack = pointerField(host, 'task_struct', 'stack', task);
  return stack === 0n ? 0n : stack + THREAD_SIZE - BigInt(host.arch.ptRegs.size);
}
