import { BpfProgType } from '../../base/index.js';

/**
 * Program types that kernel functions registered for BPF_PROG_TYPE_TRACING are for (bpf_prog_type_to_kfunc_hook() in
 * kernel/bpf/btf.c), and the others that the generic ones are registered for (kernel/bpf/helpers.c).
 */
export const GENERIC_TYPES: readonly number[] = [
  BpfProgType.BPF_PROG_TYPE_TRACING,
  BpfProgType.BPF_PROG_TYPE_TRACEPOINT,
  BpfProgType.BPF_PROG_TYPE_PERF_EVENT,
  BpfProgType.BPF_PROG_TYPE_LSM,
  BpfProgType.BPF_PROG_TYPE_SCHED_CLS,
  BpfProgType.BPF_PROG_TYPE_XDP,
  BpfProgType.BPF_PROG_TYPE_STRUCT_OPS,
  BpfProgType.BPF_PROG_TYPE_SYSCALL,
  BpfProgType.BPF_PROG_TYPE_CGROUP_SKB,
];

/** Programs whose context is the kernel's own. */
export const KERNEL_CONTEXT_TYPES: readonly number[] = [
  BpfProgType.BPF_PROG_TYPE_KPROBE,
  BpfProgType.BPF_PROG_TYPE_TRACEPOINT,
  BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT,
  BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
  BpfProgType.BPF_PROG_TYPE_TRACING,
];
