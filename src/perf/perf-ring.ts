import { PerfEventType } from '../base/index.js';
import { type BpfMemory, PerfRingArea, type PerfRingPlace } from '../runtime/index.js';
import { PERF_RECORD_HEADER_SIZE } from './perf-record.js';

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
  readonly #memory: BpfMemory;
  readonly #place: PerfRingPlace;
  readonly #watermark: number;
  readonly #wakeupEvents: number;
  readonly #wakers = new Set<() => void>();
  /** While it is true every sample is lost. */
  paused = false;
  #offered = 0;
  #written = 0;
  /** Samples that nobody had taken when the ring went. */
  #leftOver: number | undefined;
  #bytesSinceWakeup = 0;
  #eventsSinceWakeup = 0;

  constructor(memory: BpfMemory, options: PerfRingOptions) {
    this.#memory = memory;
    this.area = new PerfRingArea(memory, { pages: options.pages, lostRecord: options.lostRecord });
    this.#place = this.area.place;
    const watermark = Math.min(options.wakeupWatermark ?? 0, this.area.dataSize);
    this.#watermark = watermark > 0 ? watermark : this.area.dataSize / 2;
    this.#wakeupEvents = options.wakeupEvents ?? 0;
  }

  /** Samples offered, samples that got in, and samples that a consumer took, of whichever thread. */
  get counts(): { readonly offered: number; readonly written: number; readonly taken: number } {
    return {
      offered: this.#offered,
      written: this.#written,
      taken: this.#written - (this.#leftOver ?? this.#unreadSamples()),
    };
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
    this.#offered++;
    if (this.paused) {
      this.area.lose();
      return false;
    }
    const { head } = this.#place;
    const before = this.#memory.i32[head];
    if (!this.area.write(record, 0, size)) return false;
    this.#written++;
    this.#account((this.#memory.i32[head] - before) >>> 0);
    return true;
  }

  /** Takes the oldest record, header included, as a copy, and gives its room back; null when there is none. */
  take(): Uint8Array | null {
    const { head, tail } = this.#place;
    const { i32 } = this.#memory;
    const position = i32[tail];
    if (position === i32[head]) return null;
    const size = this.#sizeAt(position);
    const record = this.#copy(position, size);
    const next = (position + size) | 0;
    i32[tail] = next;
    if (next >>> 0 < position >>> 0) i32[tail + 1]++;
    return record;
  }

  dispose(): void {
    this.#leftOver = this.#unreadSamples();
    this.#wakers.clear();
    this.area.dispose();
  }

  #copy(position: number, size: number): Uint8Array<ArrayBuffer> {
    const { data, mask } = this.#place;
    const { u8 } = this.#memory;
    const at = position & mask;
    const first = Math.min(size, mask + 1 - at);
    if (first === size) return u8.slice(data + at, data + at + size);
    const copy = new Uint8Array(size);
    copy.set(u8.subarray(data + at, data + at + first));
    copy.set(u8.subarray(data, data + size - first), first);
    return copy;
  }

  /** The high half of a header's second word. Records are multiples of 8 bytes: no header straddles the end. */
  #sizeAt(position: number): number {
    const { data, mask } = this.#place;
    return Math.max(this.#memory.i32[(data + (position & mask) + 4) >>> 2] >>> 16, PERF_RECORD_HEADER_SIZE);
  }

  #unreadSamples(): number {
    const { head, tail, data, mask } = this.#place;
    const { i32 } = this.#memory;
    let samples = 0;
    let left = (i32[head] - i32[tail]) >>> 0;
    for (let position = i32[tail]; left > 0;) {
      if (i32[(data + (position & mask)) >>> 2] === PerfEventType.PERF_RECORD_SAMPLE) samples++;
      const size = this.#sizeAt(position);
      position = (position + size) | 0;
      left -= size;
    }
    return samples;
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
