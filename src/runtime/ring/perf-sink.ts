import type { BpfRunCtx } from '../run-context.js';

/**
 * One slot of a perf event array as programs see it: what bpf_perf_event_output() writes to and
 * bpf_perf_event_read_value() reads. Implemented by the perf layer; the helpers check in kernel order:
 * `isBpfOutput`, then `cpu`, then `output`.
 */
export interface PerfEventSink {
  /** CPU the event is bound to, -1 for none: output from another CPU is -EOPNOTSUPP. */
  readonly cpu: number;
  /** True for PERF_TYPE_SOFTWARE / PERF_COUNT_SW_BPF_OUTPUT; output to any other event is -EINVAL. */
  readonly isBpfOutput: boolean;
  /**
   * Emits a record whose raw data are the `size` bytes at `data` of BpfMemory. 0, or -ENOSPC where the
   * event has no ring or the ring is full (the ring counts the loss).
   */
  output(run: BpfRunCtx, data: number, size: number): number;
  /**
   * Writes counter, time enabled and time running as three little-endian u64 to `out` of BpfMemory
   * (struct bpf_perf_event_value). 0 or -errno; -EINVAL where the event cannot be read from a program.
   */
  readValue(run: BpfRunCtx, out: number): number;
}
