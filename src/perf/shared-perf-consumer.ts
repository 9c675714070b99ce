import { BpfError, PerfEventType } from '../base/index.js';
import { Doorbell, type EventType, type RecordVisitor } from '../runtime/index.js';
import type { PerfRecord } from './perf-record.js';
import { decodePerfRecord } from './record-codec.js';
import { rawOffset } from './sample-codec.js';
import { SharedPerfCursor, type SharedPerfRing } from './shared-perf-ring.js';

/**
 * Reads a perf ring whose programs run on another thread: made in a worker of what `sharePerfRing` gave there. One
 * consumer per ring. It gives room back in batches.
 *
 *     const consumer = new SharedPerfConsumer(ring);
 *     while (consumer.wait()) consumer.consume((record) => ...);
 */
export class SharedPerfConsumer {
  /** Records that did not fit into the ring, as LOST records told so far. */
  lost = 0;
  readonly #ring: SharedPerfRing;
  readonly #cursor: SharedPerfCursor;
  readonly #bell: Doorbell;
  readonly #isReadable = (): boolean => this.#cursor.readable;

  constructor(ring: SharedPerfRing) {
    this.#ring = ring;
    this.#cursor = new SharedPerfCursor(ring);
    this.#bell = new Doorbell(ring.bell);
  }

  /** Samples handed out so far. */
  get delivered(): number {
    return this.#cursor.delivered;
  }

  /** Whether the producer's side has closed the link; what was written before can still be read. */
  get closed(): boolean {
    return this.#bell.closed;
  }

  /** Hands out all records there are, until `limit` of them were samples; returns how many were. */
  consume(handler: (record: PerfRecord) => void, limit: number = Number.POSITIVE_INFINITY): number {
    return this.#cursor.drain((words, at, size, bytes) => {
      this.#noteLoss(words, at);
      handler(decodePerfRecord(bytes.slice(4 * at, 4 * at + size), this.#ring.format));
    }, limit);
  }

  /**
   * Shows the raw data of samples where they lie, with Linux's padding. EINVAL where the event's samples have none, or
   * have fields in front of it whose length varies.
   */
  consumeRaw(visit: RecordVisitor, limit: number = Number.POSITIVE_INFINITY): number {
    const raw = rawOffset(this.#ring.format.sampleType);
    if (raw === undefined) {
      throw new BpfError('EINVAL', 'reading raw data of samples that have none at a fixed place', {
        remedy: 'use consume',
      });
    }
    return this.#cursor.drain((words, at, _size, bytes) => {
      if (words[at] === PerfEventType.PERF_RECORD_SAMPLE) {
        const length = at + raw / 4;
        visit(words, length + 1, words[length], bytes);
      } else this.#noteLoss(words, at);
    }, limit);
  }

  /** The same with the raw data as events of their type. */
  consumeEvents<E extends object>(type: EventType<E>, handler: (event: E) => void, limit?: number): number {
    return this.consumeRaw((words, at, length, bytes) => handler(type.at(words, at, length, bytes)), limit);
  }

  /**
   * Blocks the thread until there is something to consume: true; or until the link is closed and nothing is left, or
   * `timeout` ms are over: false. The event's `wakeup` says after how many samples or bytes a sleeper is woken. Not
   * allowed on a browser's main thread.
   */
  wait(timeout: number = Number.POSITIVE_INFINITY): boolean {
    return this.#cursor.readable || this.#bell.sleepUntil(this.#isReadable, timeout);
  }

  /** A LOST record has its event's id, then the count. */
  #noteLoss(words: Int32Array, at: number): void {
    if (words[at] === PerfEventType.PERF_RECORD_LOST) this.lost += (words[at + 4] >>> 0) + words[at + 5] * 2 ** 32;
  }
}
