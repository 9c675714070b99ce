import { PerfEventType } from '../base/index.js';
import { type BpfMemory, PerfRingArea } from '../runtime/index.js';
import { PERF_RECORD_HEADER_SIZE } from './perf-record.js';

const PAGE = 4096;

export interface PerfRingOptions {
  /** Data pages; a power of two. */
  readonly pages: number;
  /** Wakes once so many samples are in; 0: by bytes. */
  readonly wakeupEvents?: number;
  /** Wakes whenever more than so many bytes came in; 0: half of the ring. */
  readonly wakeupWatermark?: number;
  /** Builds the LOST record that goes in front of the record after a loss. */
  readonly lostRecord: (lost: bigint) => Uint8Array;
}

/**
 * The ring of one perf event with both of its ends: records go in as Linux writes them (LOST before the
 * next sample that fits, one byte always free), come out copied, and the consumer is woken by Linux's
 * rule: every `wakeupEvents` samples, or else every `wakeupWatermark` bytes.
 */
export class PerfRing {
  readonly area: PerfRingArea;
  /** Samples offered, samples that got in, and samples that a consumer took. */
  readonly counts = { offered: 0, written: 0, taken: 0 };
  readonly #memory: BpfMemory;
  readonly #watermark: number;
  readonly #wakeupEvents: number;
  readonly #wakers = new Set<() => void>();
  #bytesSinceWakeup = 0;
  #eventsSinceWakeup = 0;

  constructor(memory: BpfMemory, options: PerfRingOptions) {
    this.#memory = memory;
    this.area = new PerfRingArea(memory, { pages: options.pages, lostRecord: options.lostRecord });
    const watermark = Math.min(options.wakeupWatermark ?? 0, this.area.dataSize);
    this.#watermark = watermark > 0 ? watermark : this.area.dataSize / 2;
    this.#wakeupEvents = options.wakeupEvents ?? 0;
  }

  /**
   * Calls `waker` when the consumer should look: inside the program or interrupt that writes, so it must
   * only take note. Returns the end of the subscription.
   */
  onWakeup(waker: () => void): () => void {
    this.#wakers.add(waker);
    return () => this.#wakers.delete(waker);
  }

  /** Appends a sample of `size` bytes, a multiple of 8; false where it does not fit and counts as lost. */
  write(record: Uint8Array, size: number): boolean {
    this.counts.offered++;
    const before = this.area.head;
    if (!this.area.write(record, 0, size)) return false;
    this.counts.written++;
    this.#account(Number(this.area.head - before));
    return true;
  }

  /**
   * Takes the oldest record, header included, as a copy, and gives its room back; null when there is none.
   * The header is copied before it is read, for even a header may straddle the end of the ring.
   */
  take(): Uint8Array | null {
    const { head, tail } = this.area;
    if (head === tail) return null;
    const header = this.#copy(tail, PERF_RECORD_HEADER_SIZE);
    const view = new DataView(header.buffer);
    const size = Math.max(view.getUint16(6, true), PERF_RECORD_HEADER_SIZE);
    if (view.getUint32(0, true) === PerfEventType.PERF_RECORD_SAMPLE) this.counts.taken++;
    const record = this.#copy(tail, size);
    this.area.tail = tail + BigInt(size);
    return record;
  }

  dispose(): void {
    this.#wakers.clear();
    this.area.dispose();
  }

  #copy(position: bigint, size: number): Uint8Array<ArrayBuffer> {
    const { dataSize, address } = this.area;
    const start = address + PAGE;
    const at = Number(position & BigInt(dataSize - 1));
    const copy = new Uint8Array(size);
    const first = Math.min(size, dataSize - at);
    copy.set(this.#memory.u8.subarray(start + at, start + at + first));
    if (first < size) copy.set(this.#memory.u8.subarray(start, start + size - first), first);
    return copy;
  }

  /** perf_output_begin() and perf_output_sample() of kernel/events: both rules may fire, once per record. */
  #account(bytes: number): void {
    let wake = false;
    this.#bytesSinceWakeup += bytes;
    if (this.#bytesSinceWakeup > this.#watermark) {
      this.#bytesSinceWakeup -= this.#watermark;
      wake = true;
    }
    if (this.#wakeupEvents > 0 && ++this.#eventsSinceWakeup >= this.#wakeupEvents) {
      this.#eventsSinceWakeup -= this.#wakeupEvents;
      wake = true;
    }
    if (wake) for (const waker of this.#wakers) waker();
  }
}
