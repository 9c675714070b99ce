import { BpfProgType } from '../base/index.js';

/** Which word says that a hit must be missed. */
export type HitGuard =
  /** `CpuBlock.active`: one program of these types at a time on a CPU (trace_call_bpf() in kernel/trace/bpf_trace.c). */
  | 'cpu'
  /** `BpfProgram.active`: a program is not interrupted by itself (__bpf_trace_run()). */
  | 'program';

const T = BpfProgType;
const guards: ReadonlyMap<number, HitGuard> = new Map<number, HitGuard>([
  [T.BPF_PROG_TYPE_KPROBE, 'cpu'],
  [T.BPF_PROG_TYPE_TRACEPOINT, 'cpu'],
  [T.BPF_PROG_TYPE_PERF_EVENT, 'cpu'],
  [T.BPF_PROG_TYPE_RAW_TRACEPOINT, 'program'],
  [T.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 'program'],
  [T.BPF_PROG_TYPE_TRACING, 'program'],
]);

/** Undefined for types that run at no hook. */
export function hitGuard(progType: number): HitGuard | undefined {
  return guards.get(progType);
}
