const FIRST_ROOM = 1024;

/** Grows by doubling. */
export class WordWriter {
  #words = new Uint32Array(FIRST_ROOM);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(words: ArrayLike<number>): void {
    const end = this.#length + words.length;
    if (end > this.#words.length) {
      const grown = new Uint32Array(Math.max(end, 2 * this.#words.length));
      grown.set(this.#words.subarray(0, this.#length));
      this.#words = grown;
    }
    this.#words.set(words, this.#length);
    this.#length = end;
  }

  /** A copy of what was pushed. */
  words(): Uint32Array {
    return this.#words.slice(0, this.#length);
  }
}
