import { BpfRingbuf } from '../../base/index.js';
import type { BpfMemory } from '../memory/bpf-memory.js';
import { advance, type RecordVisitor, type RingPlace } from './drain-ring.js';
import type { RingBufferArea } from './ring-buffer-area.js';

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
  readonly #place: RingPlace;

  constructor(memory: BpfMemory, area: RingBufferArea) {
    this.#memory = memory;
    this.#area = area;
    this.#place = area.place;
  }

  /** Hands out the complete records, at most `limit` of them; returns how many. Discarded ones do not count. */
  consume(handler: RingRecordHandler, limit?: number): number {
    return this.visit((_, at, length) => handler(this.#memory.u8.subarray(4 * at, 4 * at + length)), limit);
  }

  /** The same without an object per record: the visitor reads from the memory's words. */
  visit(visitor: RecordVisitor, limit: number = Number.POSITIVE_INFINITY): number {
    const { memory, consumer, producer, data, mask } = this.#place;
    let taken = 0;
    let words = memory.i32;
    let position = words[consumer];
    while (taken < limit && position !== words[producer]) {
      const at = (data + (position & mask)) >>> 2;
      const header = words[at];
      // The BUSY bit is the sign.
      if (header < 0) break;
      const length = header & 0x3fff_ffff;
      try {
        if ((header & BpfRingbuf.BPF_RINGBUF_DISCARD_BIT) === 0) {
          taken++;
          visitor(words, at + 2, length, memory.u8);
        }
      } finally {
        words = memory.i32;
        position = advance(words, consumer, position, length);
      }
    }
    return taken;
  }

  /** Whether there is something between consumer and producer, complete or not: what epoll would say. */
  get readable(): boolean {
    return this.#area.producer !== this.#area.consumer;
  }

  /** Calls `waker` when a record is committed in a way that wakes consumers; see RingBufferArea.onWakeup. */
  onWakeup(waker: () => void): () => void {
    return this.#area.onWakeup(waker);
  }
}
