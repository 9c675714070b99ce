import { BpfRingbuf } from '../../base/index.js';
import type { BpfMemory } from '../memory/bpf-memory.js';
import type { RingBufferArea } from './ring-buffer-area.js';
import { RingLayout, ringRecordSize } from './ring-buffer-layout.js';

/**
 * Receives one record. `data` is a view of the ring: valid only during the call, to be copied if kept.
 */
export type RingRecordHandler = (data: Uint8Array) => void;

/**
 * The reading side of a ring buffer, as libbpf's ring_buffer: it stops at a record that is still being
 * written even if later ones are complete, skips discarded ones, and stores the consumer position after
 * each record, also when the handler throws. One consumer per ring.
 */
export class RingBufferConsumer {
  readonly #memory: BpfMemory;
  readonly #area: RingBufferArea;
  /** Records handed out, ever. */
  #handled = 0;

  constructor(memory: BpfMemory, area: RingBufferArea) {
    this.#memory = memory;
    this.#area = area;
  }

  /** Hands out the complete records, at most `limit` of them; returns how many. Discarded ones do not count. */
  consume(handler: RingRecordHandler, limit: number = Number.POSITIVE_INFINITY): number {
    const before = this.#handled;
    const wanted = before + limit;
    while (this.#handled < wanted && this.#one(handler));
    return this.#handled - before;
  }

  /** Whether there is something between consumer and producer, complete or not: what epoll would say. */
  get readable(): boolean {
    return this.#area.producer !== this.#area.consumer;
  }

  /** Calls `waker` when a record is committed in a way that wakes consumers; see RingBufferArea.onWakeup. */
  onWakeup(waker: () => void): () => void {
    return this.#area.onWakeup(waker);
  }

  /** False where there is nothing more to read now. */
  #one(handler: RingRecordHandler): boolean {
    const position = this.#area.consumer;
    if (position === this.#area.producer) return false;
    const header = this.#area.address + RingLayout.data + Number(position & BigInt(this.#area.size - 1));
    const word = this.#memory.u32[header >>> 2];
    if ((word & BpfRingbuf.BPF_RINGBUF_BUSY_BIT) !== 0) return false;
    const length = (word & ~BpfRingbuf.BPF_RINGBUF_DISCARD_BIT) >>> 0;
    try {
      if (word === length) {
        this.#handled++;
        handler(this.#memory.u8.subarray(header + 8, header + 8 + length));
      }
    } finally {
      this.#area.consumer = position + BigInt(ringRecordSize(length));
    }
    return true;
  }
}
