import type { BpfMap } from '../map/index.js';
import type { RecordSource } from './record-pump.js';
import { type ReaderEvents, type ReaderOptions, RecordReader } from './record-reader.js';
import { type OrderCounts, type OrderOptions, ReorderBuffer } from './reorder-buffer.js';

/** One record of one of a poller's maps. */
export interface PolledRecord {
  readonly map: BpfMap;
  /** CPU whose ring it is of; undefined for a ring buffer, which all CPUs share. */
  readonly cpu: number | undefined;
  /** What the program emitted, copied. Behind that of a perf ring there is Linux's padding. */
  readonly data: Uint8Array;
}

/** Records of a map that its producers had to drop. */
export interface PolledLoss {
  readonly map: BpfMap;
  readonly cpu: number | undefined;
  readonly lost: number;
}

export interface PollerEvents extends ReaderEvents<PolledLoss> {
  data: [record: PolledRecord];
}

export interface PollerOptions extends ReaderOptions {
  /** Records of all rings by time, within a bound; absent: each ring's own order, one ring after the other. */
  readonly order?: OrderOptions<PolledRecord>;
}

/**
 * One reader of many rings, of both kinds, as one epoll descriptor is for libbpf's ring_buffer and perf_buffer. Made by
 * `Machine.poll`. A record is in its ring until somebody takes it: who is slow, or has paused, makes the rings fill up, and
 * what finds no room there is lost and counted.
 */
export class Poller extends RecordReader<PolledRecord, PollerEvents> {
  readonly #order: ReorderBuffer<PolledRecord> | null;

  constructor(sources: readonly RecordSource<PolledRecord>[], options: PollerOptions = {}) {
    const order = options.order === undefined ? null : new ReorderBuffer(sources, options.order);
    super('data', order === null ? sources : [order], options);
    this.#order = order;
  }

  /** What the order by time cost; null where none was asked for. */
  get order(): OrderCounts | null {
    return this.#order?.counts ?? null;
  }

  /** Takes everything, also what is held back for others to come before it: for the end. */
  flush(handler?: (record: PolledRecord) => void): number {
    if (this.#order !== null) this.#order.flushing = true;
    try {
      return this.poll(handler);
    } finally {
      if (this.#order !== null) this.#order.flushing = false;
    }
  }

  /**
   * Gives every record to `handler`, no more than `inFlight` at a time (default 1): the next one leaves its ring when an
   * earlier one is done with. Resolves when the poller is closed, rejects with what the handler rejects with.
   */
  async consume(handler: (record: PolledRecord) => void | Promise<void>, inFlight = 1): Promise<void> {
    if (!Number.isInteger(inFlight) || inFlight < 1) {
      throw new RangeError(`inFlight must be a positive integer, got ${inFlight}`);
    }
    const work = async (): Promise<void> => {
      for await (const record of this) await handler(record);
    };
    await Promise.all(Array.from({ length: inFlight }, work));
  }

  /** Tells of records that were dropped. */
  lost(loss: PolledLoss): void {
    this.reportLoss(loss);
  }
}

/** The records of `source` as another kind. */
export function mapSource<T, U>(source: RecordSource<T>, convert: (record: T) => U): RecordSource<U> {
  return {
    drain: (flow, deliver, limit) => source.drain(flow, (record) => deliver(convert(record)), limit),
    drained: () => source.drained?.(),
    onWakeup: (waker) => source.onWakeup(waker),
  };
}
