import type { RecordFlow } from '../ring/index.js';

/** One ring as a reader sees it. */
export interface RecordSource<T> {
  /**
   * Hands out complete records, oldest first, until there are none, `limit` is reached or the flow is halted; counts
   * them in `flow.delivered` and returns how many. The ring's position has moved on whenever `deliver` is called,
   * and when a record cannot be read and this throws: no record comes twice.
   */
  drain(flow: RecordFlow, deliver: (record: T) => void, limit: number): number;
  /** Called whenever there was nothing left to take: a place to report losses. */
  drained?(): void;
  /** Calls `waker` when there is something to take; it only takes note. Returns the end of the subscription. */
  onWakeup(waker: () => void): () => void;
}

/** What a pump does with what it takes. */
export interface RecordPumpHooks<T> {
  /** Whether records may be delivered without being asked for: somebody listens. */
  wanted(): boolean;
  deliver(record: T): void;
  /** A record could not be taken or delivered, outside of `poll`. */
  failed(error: unknown): void;
  ended(): void;
}

interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What all readers share: it takes records from rings, one ring after the other, and gives each record
 * to exactly one taker: the caller of `poll`, a waiting iterator, or else the listeners. Rings wake it
 * from inside a program's run; it acts in a microtask after that run, never during it.
 */
export class RecordPump<T> {
  readonly #sources: readonly RecordSource<T>[];
  readonly #hooks: RecordPumpHooks<T>;
  readonly #waiters: Waiter<T>[] = [];
  readonly #unsubscribe: (() => void)[] = [];
  readonly #flow: RecordFlow = { halted: false, delivered: 0 };
  readonly #deliver = (record: T): void => this.#hooks.deliver(record);
  /** The record that `#takeOne` takes. */
  #one: T | undefined;
  readonly #keepOne = (record: T): void => {
    this.#one = record;
  };
  #paused = false;
  #closed = false;
  #scheduled = false;
  /** Ring from which the next single record is taken, so that none starves. */
  #turn = 0;

  constructor(sources: readonly RecordSource<T>[], hooks: RecordPumpHooks<T>, signal?: AbortSignal) {
    this.#sources = sources;
    this.#hooks = hooks;
    for (const source of sources) this.#unsubscribe.push(source.onWakeup(() => this.schedule()));
    if (signal !== undefined) this.#followSignal(signal);
  }

  /** Records handed over so far, to whomever. */
  get delivered(): number {
    return this.#flow.delivered;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Takes everything there is now, at most `limit` records, and returns how many. What `handler` throws
   * goes to the caller: the record it was called with counts as delivered, the next poll goes on after it.
   */
  poll(handler?: (record: T) => void, limit: number = Number.POSITIVE_INFINITY): number {
    const deliver = handler ?? (this.#hooks.wanted() ? this.#deliver : undefined);
    if (deliver === undefined) return 0;
    let taken = 0;
    for (const source of this.#sources) {
      if (this.#flow.halted) break;
      if (taken < limit) taken += source.drain(this.#flow, deliver, limit - taken);
      if (!this.#flow.halted) source.drained?.();
    }
    return taken;
  }

  /** The next record as soon as there is one; done once the reader is closed. */
  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#serveWaiters();
    });
  }

  /**
   * All records there are as soon as there is one, `limit` at most; done once the reader is closed. A record that
   * cannot be read fails only the batch that would begin with it, and the next batch begins behind it.
   */
  async *batches(limit: number): AsyncGenerator<T[], undefined, undefined> {
    for (;;) {
      const first = await this.next();
      if (first.done === true) return;
      const batch = [first.value];
      let failure: { readonly error: unknown } | undefined;
      try {
        if (limit > 1) this.poll((record) => batch.push(record), limit - 1);
      } catch (error) {
        failure = { error };
      }
      yield batch;
      if (failure !== undefined) throw failure.error;
    }
  }

  /** All its rings as one source of another reader, which takes the records in the place of this one's takers. */
  asSource(): RecordSource<T> {
    const sources = this.#sources;
    return {
      drain: (flow, deliver, limit) => {
        let taken = 0;
        for (const source of sources) {
          if (taken >= limit || flow.halted) break;
          taken += source.drain(flow, deliver, limit - taken);
        }
        return taken;
      },
      drained: () => {
        for (const source of sources) source.drained?.();
      },
      onWakeup: (waker) => {
        const ends = sources.map((source) => source.onWakeup(waker));
        return () => {
          for (const end of ends) end();
        };
      },
    };
  }

  /** Records stay in their rings until `resume`. */
  pause(): void {
    this.#paused = true;
    this.#flow.halted = true;
  }

  resume(): void {
    this.#paused = false;
    this.#flow.halted = this.#closed;
    this.schedule();
  }

  /** Wakes every waiting iterator at once; what is left in the rings stays there. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#flow.halted = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#serveWaiters();
    this.#hooks.ended();
  }

  /** Looks into the rings in a microtask from now. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#serveWaiters();
      this.#serveListeners();
    });
  }

  #serveWaiters(): void {
    while (this.#waiters.length > 0 && !this.#flow.halted) {
      const waiter = this.#waiters[0];
      try {
        const value = this.#takeOne();
        if (value === undefined) break;
        waiter.resolve({ value, done: false });
      } catch (error) {
        waiter.reject(error);
      }
      this.#waiters.shift();
    }
    if (!this.#closed) return;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve({ value: undefined, done: true });
  }

  #serveListeners(): void {
    while (this.#hooks.wanted()) {
      try {
        this.poll();
        return;
      } catch (error) {
        // A throwing listener must not keep the records behind this one from the others.
        this.schedule();
        this.#hooks.failed(error);
      }
    }
  }

  #takeOne(): T | undefined {
    this.#one = undefined;
    for (let i = 0; i < this.#sources.length; i++) {
      const source = this.#sources[this.#turn];
      this.#turn = (this.#turn + 1) % this.#sources.length;
      source.drain(this.#flow, this.#keepOne, 1);
      if (this.#one !== undefined) return this.#one;
      source.drained?.();
    }
    return undefined;
  }

  #followSignal(signal: AbortSignal): void {
    if (signal.aborted) {
      this.close();
      return;
    }
    const abort = (): void => this.close();
    signal.addEventListener('abort', abort, { once: true });
    this.#unsubscribe.push(() => signal.removeEventListener('abort', abort));
  }
}
