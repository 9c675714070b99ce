/** One ring as a reader sees it. */
export interface RecordSource<T> {
  /**
   * Takes the oldest complete record; undefined where there is none now. The ring's position has moved on
   * when it returns, and also when it throws: no record comes twice.
   */
  take(): T | undefined;
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
  /** A record has left its ring and is about to be handed over, to whomever. */
  taken(): void;
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
    const deliver = handler ?? (this.#hooks.wanted() ? (record: T) => this.#hooks.deliver(record) : undefined);
    if (deliver === undefined) return 0;
    let taken = 0;
    for (const source of this.#sources) {
      while (taken < limit && !this.#halted()) {
        const record = source.take();
        if (record === undefined) break;
        taken++;
        this.#hooks.taken();
        deliver(record);
      }
      if (!this.#halted()) source.drained?.();
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

  /** Records stay in their rings until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.schedule();
  }

  /** Wakes every waiting iterator at once; what is left in the rings stays there. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
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

  #halted(): boolean {
    return this.#closed || this.#paused;
  }

  #serveWaiters(): void {
    while (this.#waiters.length > 0 && !this.#halted()) {
      const waiter = this.#waiters[0];
      try {
        const value = this.#takeOne();
        if (value === undefined) break;
        this.#hooks.taken();
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
    for (let i = 0; i < this.#sources.length; i++) {
      const source = this.#sources[this.#turn];
      this.#turn = (this.#turn + 1) % this.#sources.length;
      const record = source.take();
      if (record !== undefined) return record;
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
