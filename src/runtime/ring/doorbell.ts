const Word = { rung: 0, sleeping: 1, closed: 2, count: 3 } as const;

/**
 * How the thread that fills a ring wakes the thread that empties it. Ringing costs one load while nobody sleeps.
 * One sleeper at a time; its `buffer` is what both threads share.
 */
export class Doorbell {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** The bell of the other thread, by its buffer; or a new one. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(4 * Word.count)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  get closed(): boolean {
    return Atomics.load(this.#words, Word.closed) !== 0;
  }

  /** Wakes the sleeper, if there is one. What it waits for must be stored before. */
  ring(): void {
    if (Atomics.load(this.#words, Word.sleeping) !== 0) this.#wake();
  }

  /** Nobody sleeps from now on. */
  close(): void {
    Atomics.store(this.#words, Word.closed, 1);
    this.#wake();
  }

  /**
   * Blocks this thread until `isReady`, the bell is closed, or `timeout` ms are over; returns whether it is ready.
   * The bell must ring whenever it may have become so.
   */
  sleepUntil(isReady: () => boolean, timeout: number): boolean {
    const end = performance.now() + timeout;
    // Sleeping is announced before looking: a producer that stores later than we look sees it and rings.
    Atomics.store(this.#words, Word.sleeping, 1);
    for (;;) {
      const rung = Atomics.load(this.#words, Word.rung);
      const left = end - performance.now();
      if (isReady() || this.closed || left <= 0) break;
      Atomics.wait(this.#words, Word.rung, rung, left);
    }
    Atomics.store(this.#words, Word.sleeping, 0);
    return isReady();
  }

  #wake(): void {
    Atomics.add(this.#words, Word.rung, 1);
    Atomics.notify(this.#words, Word.rung);
  }
}
