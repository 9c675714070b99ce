import { BpfAttachType, BpfFuncId, BpfProgType, BpfStackFlag, Errno } from '../../base/index.js';
import { MAX_STACK_DEPTH } from '../map/map-attr.js';
import { StackTraceMap } from '../map/stack-trace-map.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Helper } from './helper.js';
import { mapOf } from './map-argument.js';
import { TRACING_TYPES } from './program-type-sets.js';

const F = BpfStackFlag;
const STACKID_FLAGS = F.BPF_F_SKIP_FIELD_MASK | F.BPF_F_USER_STACK | F.BPF_F_FAST_STACK_CMP | F.BPF_F_REUSE_STACKID;
/** Addresses of the walk under way, as word pairs. */
const frames = new Int32Array(2 * MAX_STACK_DEPTH);
const frameBytes = new Uint8Array(frames.buffer);

/**
 * Stack walks of the host, into a stack map or a buffer (kernel/bpf/stackmap.c). Build ids are not supported:
 * BPF_F_USER_BUILD_ID is an unknown flag, -EINVAL.
 */
export const stackHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_get_stackid,
    name: 'get_stackid',
    args: ['ctx', 'const_map_ptr', 'anything'],
    ret: 'integer',
    gplOnly: true,
    programTypes: TRACING_TYPES,
    impl: (run, _ctx, _ctxHi, map, _mapHi, flags, flagsHi) => getStackId(run, map, flags, flagsHi),
  },
  {
    id: BpfFuncId.BPF_FUNC_get_stack,
    name: 'get_stack',
    args: ['ctx', 'mem_uninit', 'const_size_or_zero', 'anything'],
    ret: 'integer',
    gplOnly: true,
    programTypes: TRACING_TYPES,
    impl: (run, _ctx, _ctxHi, buffer, _bufferHi, size, _sizeHi, flags, flagsHi) => {
      const at = buffer >>> 0;
      const result = getStack(run, at, size, flags, flagsHi);
      run.runtime.memory.u8.fill(0, at + Math.max(result, 0), at + size);
      return result;
    },
  },
];

function getStackId(run: BpfRunCtx, mapLo: number, flags: number, flagsHi: number): number {
  const map = mapOf(run, mapLo);
  if ((flags & ~STACKID_FLAGS) !== 0 || flagsHi !== 0 || !(map instanceof StackTraceMap)) return -Errno.EINVAL;
  const skip = flags & F.BPF_F_SKIP_FIELD_MASK;
  const found = walk(run, map.maxFrames + skip, flags);
  if (found <= skip) return -Errno.EFAULT;
  return map.store(frames, skip, found - skip, flags);
}

/** Frames to `frames`, so many at most; how many there are. */
type Walk = (max: number) => number;

/** The kernel stack of another task, asleep. -EOPNOTSUPP for user stacks, as in Linux, and where the host cannot walk it. */
export function getStackOf(
  run: BpfRunCtx,
  taskLo: number,
  taskHi: number,
  buffer: number,
  size: number,
  flags: number,
  flagsHi: number,
): number {
  const { stacks } = run.runtime.host;
  if (!areStackFlags(flags, flagsHi)) return -Errno.EINVAL;
  if ((flags & F.BPF_F_USER_STACK) !== 0 || stacks.kernelOf === undefined) return -Errno.EOPNOTSUPP;
  const walkTask: Walk = (max) => stacks.kernelOf?.(taskLo, taskHi, frames, max) ?? 0;
  return putStack(run, buffer, size, flags, walkTask, 1);
}

function areStackFlags(flags: number, flagsHi: number): boolean {
  return (flags & ~(F.BPF_F_SKIP_FIELD_MASK | F.BPF_F_USER_STACK)) === 0 && flagsHi === 0;
}

/** Bytes written, or -errno. */
export function getStack(run: BpfRunCtx, buffer: number, size: number, flags: number, flagsHi: number): number {
  if (!areStackFlags(flags, flagsHi)) return -Errno.EINVAL;
  return putStack(run, buffer, size, flags, (max) => walk(run, max, flags));
}

/** `least`: fewer frames are -EFAULT. */
function putStack(run: BpfRunCtx, buffer: number, size: number, flags: number, walkFrames: Walk, least = 0): number {
  if (size % 8 !== 0) return -Errno.EINVAL;
  const skip = flags & F.BPF_F_SKIP_FIELD_MASK;
  const found = walkFrames(Math.min(size / 8 + skip, MAX_STACK_DEPTH));
  if (found < Math.max(skip, least)) return -Errno.EFAULT;
  const bytes = Math.min(8 * (found - skip), size);
  run.runtime.memory.u8.set(frameBytes.subarray(8 * skip, 8 * skip + bytes), buffer);
  return bytes;
}

/** Fills `frames`; returns how many there are. */
function walk(run: BpfRunCtx, depth: number, flags: number): number {
  const { stacks } = run.runtime.host;
  const max = Math.min(depth, MAX_STACK_DEPTH);
  if ((flags & F.BPF_F_USER_STACK) !== 0) return stacks.user(run.regs, frames, max);
  const found = stacks.kernel(run.regs, frames, max);
  const expected =
    run.program?.type === BpfProgType.BPF_PROG_TYPE_TRACING ? run.program.executable.expectedAttachType : -1;
  if (expected === BpfAttachType.BPF_TRACE_FEXIT) return withFunction(run, found, max);
  if (expected === BpfAttachType.BPF_TRACE_FENTRY || expected === BpfAttachType.BPF_MODIFY_RETURN) nameFunction(run);
  return found;
}

/** When fexit programs run the function has returned, but in Linux their trampoline is called by it. */
function withFunction(run: BpfRunCtx, found: number, max: number): number {
  if (max === 0) return 0;
  frames.copyWithin(2, 0, 2 * Math.min(found, max - 1));
  nameFunction(run);
  return Math.min(found + 1, max);
}

/** The innermost frame is the function itself, at its first instruction. */
function nameFunction(run: BpfRunCtx): void {
  frames[0] = run.funcIpLo;
  frames[1] = run.funcIpHi;
}
