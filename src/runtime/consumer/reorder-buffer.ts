import type { RecordFlow } from '../ring/index.js';
import type { RecordSource } from './record-pump.js';

/** How records of several rings are put into the order of their times. */
export interface OrderOptions<T> {
  /** When a record was made, in nanoseconds. */
  readonly timeOf: (record: T) => bigint;
  /** A record is held back until another one, or the clock, is so many nanoseconds ahead of it. */
  readonly withinNs: bigint;
  /** Records held back at most; default 65536. One more lets the oldest go before its time. */
  readonly most?: number;
  /** The clock that the times are of; absent: only records tell how late it is. */
  readonly now?: () => bigint;
}

/** What the order cost, and where it does not hold. */
export interface OrderCounts {
  /** Records that are held back now. */
  readonly held: number;
  /** Handed out behind a younger one: they came later than `withinNs` after it, or after one that had to go early. */
  readonly late: number;
  /** Handed out before their time because `most` others were held back. */
  readonly early: number;
}

interface Held<T> {
  readonly time: bigint;
  /** Those of one time keep the order in which they were taken. */
  readonly turn: number;
  readonly record: T;
}

const DEFAULT_MOST = 65_536;

/**
 * One source of several, whose records come in the order of their times. What is `withinNs` or more behind cannot be overtaken
 * any more and is handed out; as long as no ring is further behind than that, and not more than `most` records are in
 * between, the order is exact. No record is dropped: those that break the order are counted.
 */
export class ReorderBuffer<T> implements RecordSource<T> {
  readonly #sources: readonly RecordSource<T>[];
  readonly #options: OrderOptions<T>;
  readonly #most: number;
  /** A heap by time and turn. */
  readonly #heap: Held<T>[] = [];
  /** Counts what the rings hand over; the flow of the reader counts what it hands out. */
  readonly #taking: RecordFlow = { halted: false, delivered: 0 };
  #newest: bigint | null = null;
  #lastOut: bigint | null = null;
  #turn = 0;
  #late = 0;
  #early = 0;
  #flushing = false;

  /** RangeError for bounds that are none. */
  constructor(sources: readonly RecordSource<T>[], options: OrderOptions<T>) {
    const { withinNs, most = DEFAULT_MOST } = options;
    if (withinNs < 0n) throw new RangeError(`withinNs must not be negative, got ${withinNs}`);
    if (!Number.isInteger(most) || most < 1) throw new RangeError(`most must be a positive integer, got ${most}`);
    this.#sources = sources;
    this.#options = options;
    this.#most = most;
  }

  get counts(): OrderCounts {
    return { held: this.#heap.length, late: this.#late, early: this.#early };
  }

  /** While it is on nothing is held back: for the end, when no ring gets anything any more. */
  set flushing(on: boolean) {
    this.#flushing = on;
  }

  drain(flow: RecordFlow, deliver: (record: T) => void, limit: number): number {
    let done = 0;
    for (;;) {
      const before = done;
      const taken = this.#take();
      while (done < limit && !flow.halted && this.#mayGo()) {
        done++;
        flow.delivered++;
        deliver(this.#pop());
      }
      // What was handed out has made room for what had none.
      if (done >= limit || flow.halted || (taken === 0 && done === before)) return done;
    }
  }

  drained(): void {
    for (const source of this.#sources) source.drained?.();
  }

  onWakeup(waker: () => void): () => void {
    const ends = this.#sources.map((source) => source.onWakeup(waker));
    return () => {
      for (const end of ends) end();
    };
  }

  /** Takes what is in the rings as far as there is room; records that do not fit stay there. */
  #take(): number {
    let taken = 0;
    for (const source of this.#sources) {
      const room = this.#most + 1 - this.#heap.length;
      if (room <= 0) break;
      taken += source.drain(this.#taking, (record) => this.#push(record), room);
    }
    return taken;
  }

  #mayGo(): boolean {
    const first = this.#heap[0];
    if (first === undefined) return false;
    if (this.#flushing || this.#heap.length > this.#most) return true;
    return this.#isRipe(first.time);
  }

  #isRipe(time: bigint): boolean {
    const now = this.#options.now?.() ?? null;
    const newest = this.#newest ?? time;
    const reached = now !== null && now > newest ? now : newest;
    return time + this.#options.withinNs <= reached;
  }

  #pop(): T {
    const heap = this.#heap;
    const [first] = heap;
    if (!this.#flushing && !this.#isRipe(first.time)) this.#early++;
    if (this.#lastOut !== null && first.time < this.#lastOut) this.#late++;
    else this.#lastOut = first.time;
    const last = heap.pop() as Held<T>;
    if (heap.length > 0) this.#sink(last);
    return first.record;
  }

  #push(record: T): void {
    const time = this.#options.timeOf(record);
    if (this.#newest === null || time > this.#newest) this.#newest = time;
    const entry = { time, turn: this.#turn++, record };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  /** Puts `entry` in the place of the first one, and down to where it belongs. */
  #sink(entry: Held<T>): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], entry)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = entry;
  }
}

function isBefore<T>(a: Held<T>, b: Held<T>): boolean {
  return a.time < b.time || (a.time === b.time && a.turn < b.turn);
}
