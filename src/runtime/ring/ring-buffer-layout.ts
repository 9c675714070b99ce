/**
 * Pages of a BPF ring buffer (kernel/bpf/ringbuf.c), from the start of its area: one that only the kernel
 * sees, one per position so that they can be mapped with different rights, then the data, then the data
 * once more. What user space maps starts at the consumer page. The private page is ours to fill.
 */
export const RING_PAGE = 4096;

export const RingLayout = {
  /** u32: the map's header. */
  map: 0,
  /** u32: not 0 once a commit has asked for consumers to be woken. */
  wakePending: 4,
  /** u64 each, see `RingBufferCounts`: what is submitted needs no count of its own. */
  reserved: 8,
  discarded: 16,
  dropped: 24,
  /** u64, in shared memory: where the next record goes. The producer position follows when one is committed. */
  head: 32,
  consumerPage: RING_PAGE,
  producerPage: 2 * RING_PAGE,
  /** On the producer page, after the position: where the oldest record not committed yet begins. */
  pendingPos: 2 * RING_PAGE + 8,
  data: 3 * RING_PAGE,
} as const;

/** Largest payload a record's length word can tell (RINGBUF_MAX_RECORD_SZ). */
export const RING_MAX_RECORD = 0x3fff_ffff;

/** Bytes a record of `size` payload bytes takes. */
export function ringRecordSize(size: number): number {
  return Math.ceil((size + 8) / 8) * 8;
}
