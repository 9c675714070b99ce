import { BpfProgType } from '../../base/index.js';

/** Program types whose helpers are bpf_tracing_func_proto's (kernel/trace/bpf_trace.c). */
export const TRACING_TYPES: readonly number[] = [
  BpfProgType.BPF_PROG_TYPE_KPROBE,
  BpfProgType.BPF_PROG_TYPE_TRACEPOINT,
  BpfProgType.BPF_PROG_TYPE_PERF_EVENT,
  BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT,
  BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
  BpfProgType.BPF_PROG_TYPE_TRACING,
  BpfProgType.BPF_PROG_TYPE_LSM,
  BpfProgType.BPF_PROG_TYPE_SYSCALL,
];
