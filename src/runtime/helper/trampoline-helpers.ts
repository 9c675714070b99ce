import { BpfAttachType, BpfFuncId, BpfProgType, Errno } from '../../base/index.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Helper } from './helper.js';

const A = BpfAttachType;
const TRACING: readonly number[] = [BpfProgType.BPF_PROG_TYPE_TRACING];
/** Programs that a trampoline calls (bpf_prog_has_trampoline()). */
const TRAMPOLINE: readonly number[] = [A.BPF_TRACE_FENTRY, A.BPF_TRACE_FEXIT, A.BPF_MODIFY_RETURN];

/** Arguments and return value of the traced function: what the context holds, by number. */
export const trampolineHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_get_func_arg,
    name: 'get_func_arg',
    args: ['ctx', 'anything', 'long_uninit'],
    ret: 'integer',
    gplOnly: false,
    programTypes: TRACING,
    attachTypes: TRAMPOLINE,
    impl: (run, _ctx, _ctxHi, n, nHi, out) => {
      const inRange = nHi === 0 && n >>> 0 < argumentWords(run);
      return inRange ? copyWord(run, n, out) : -Errno.EINVAL;
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_get_func_ret,
    name: 'get_func_ret',
    args: ['ctx', 'long_uninit'],
    ret: 'integer',
    gplOnly: false,
    programTypes: TRACING,
    attachTypes: TRAMPOLINE,
    impl: (run, _ctx, _ctxHi, out) => (seesReturn(run) ? copyWord(run, argumentWords(run), out) : -Errno.EOPNOTSUPP),
  },
  {
    id: BpfFuncId.BPF_FUNC_get_func_arg_cnt,
    name: 'get_func_arg_cnt',
    args: ['ctx'],
    ret: 'integer',
    gplOnly: false,
    programTypes: TRACING,
    attachTypes: TRAMPOLINE,
    impl: argumentWords,
  },
];

/** Whether the last word of the context is the function's return value. */
function seesReturn(run: BpfRunCtx): boolean {
  return run.program?.executable.expectedAttachType !== A.BPF_TRACE_FENTRY;
}

function argumentWords(run: BpfRunCtx): number {
  return run.ctxSize / 8 - (seesReturn(run) ? 1 : 0);
}

function copyWord({ runtime: { memory }, ctx }: BpfRunCtx, index: number, out: number): number {
  memory.u8.copyWithin(out >>> 0, ctx + 8 * index, ctx + 8 * index + 8);
  return 0;
}
