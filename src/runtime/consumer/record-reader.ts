import { EventEmitter } from 'eventemitter3';
import { RecordPump, type RecordSource } from './record-pump.js';

/** Events that every reader has besides the one that carries its records. */
export interface ReaderEvents<L> {
  /** Records that the producer had to drop. */
  lost: [loss: L];
  /** A listener threw, or a record could not be decoded. Without a listener for it the error is thrown. */
  error: [error: unknown];
  /** The reader was closed; nothing comes after it. */
  end: [];
}

export interface ReaderOptions {
  /** Aborting it closes the reader: a loop over it ends. */
  readonly signal?: AbortSignal;
}

const DEFAULT_BATCH = 1024;

type Listener<Events extends object, E extends EventEmitter.EventNames<Events>> = EventEmitter.EventListener<Events, E>;

/**
 * Reads records of type `T` from one or more rings: as events, as an async iterator, or by `poll`. Each
 * record goes to exactly one of them, whoever asks first: callers of `poll`, waiting iterators, listeners.
 * Each of them sees the records of one ring in order. Records are copies and stay valid. A reader without takers leaves the records in their rings.
 */
export abstract class RecordReader<T, Events extends object> extends EventEmitter<Events> {
  readonly #pump: RecordPump<T>;
  readonly #recordEvent: string;

  /** `recordEvent` is the event that carries the records. */
  protected constructor(recordEvent: string, sources: readonly RecordSource<T>[], options: ReaderOptions) {
    super();
    this.#recordEvent = recordEvent;
    this.#pump = new RecordPump(
      sources,
      {
        wanted: () => this.#untyped.listenerCount(recordEvent) > 0,
        deliver: (record) => void this.#untyped.emit(recordEvent, record),
        failed: (error) => this.#failed(error),
        ended: () => void this.#untyped.emit('end'),
      },
      options.signal,
    );
  }

  /** Records handed over so far. */
  get delivered(): number {
    return this.#pump.delivered;
  }

  get closed(): boolean {
    return this.#pump.closed;
  }

  get paused(): boolean {
    return this.#pump.paused;
  }

  /**
   * Takes what is there now, without waiting, at most `limit` records: `handler` gets them, or else the
   * listeners. Returns how many were taken. What `handler` or a listener throws comes out of here; the
   * record it was given is done with, and the next poll goes on behind it.
   */
  poll(handler?: (record: T) => void, limit?: number): number {
    return this.#pump.poll(handler, limit);
  }

  /** Its rings, for another reader that takes their records in the place of whoever asks this one. */
  asSource(): RecordSource<T> {
    return this.#pump.asSource();
  }

  /** Leaves records in their rings until `resume`: whatever no longer fits there is lost, and counted. */
  pause(): void {
    this.#pump.pause();
  }

  resume(): void {
    this.#pump.resume();
  }

  /** Ends the reader: waiting iterators finish at once, `end` is emitted, unread records stay in the rings. */
  close(): void {
    this.#pump.close();
  }

  /** Leaving the loop does not close the reader: another loop may go on where it stopped. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined, undefined> {
    return { next: () => this.#pump.next() };
  }

  /**
   * Arrays of all records there are at the time, `limit` at most: what a loop awaits once per batch instead of once
   * per record. Leaving the loop does not close the reader.
   */
  batches(limit: number = DEFAULT_BATCH): AsyncGenerator<T[], undefined, undefined> {
    return this.#pump.batches(limit);
  }

  override on<E extends EventEmitter.EventNames<Events>>(
    event: E,
    listener: Listener<Events, E>,
    context?: unknown,
  ): this {
    super.on(event, listener, context);
    return this.#listenerAdded(event);
  }

  override addListener<E extends EventEmitter.EventNames<Events>>(
    event: E,
    listener: Listener<Events, E>,
    context?: unknown,
  ): this {
    return this.on(event, listener, context);
  }

  override once<E extends EventEmitter.EventNames<Events>>(
    event: E,
    listener: Listener<Events, E>,
    context?: unknown,
  ): this {
    super.once(event, listener, context);
    return this.#listenerAdded(event);
  }

  /** Tells the listeners of `lost`. */
  protected reportLoss(loss: unknown): void {
    this.#untyped.emit('lost', loss);
  }

  /** The same emitter, for events whose types the subclass declares. */
  get #untyped(): EventEmitter {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the types differ
    return this as unknown as EventEmitter;
  }

  /** Records may have been waiting for their first listener. */
  #listenerAdded(event: unknown): this {
    if (event === this.#recordEvent) this.#pump.schedule();
    return this;
  }

  #failed(error: unknown): void {
    if (this.#untyped.listenerCount('error') === 0) throw error;
    this.#untyped.emit('error', error);
  }
}
