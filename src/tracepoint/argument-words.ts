/** The arguments of a hit: one word pair each, in the order of the prototype. */
export class ArgumentWords {
  readonly words: Int32Array;
  /** The same memory: a bigint becomes two words by being stored. */
  readonly #pairs: BigInt64Array;
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = names;
    this.words = new Int32Array(2 * names.length);
    this.#pairs = new BigInt64Array(this.words.buffer);
  }

  fill(values: Readonly<Record<string, number | bigint>>): void {
    const names = this.#names;
    for (let i = 0; i < names.length; i++) this.#put(i, values[names[i]]);
  }

  #put(i: number, value: number | bigint): void {
    const { words } = this;
    if (typeof value === 'bigint') this.#pairs[i] = value;
    else if (value === (value | 0)) {
      words[2 * i] = value;
      words[2 * i + 1] = value >> 31;
    } else this.#pairs[i] = BigInt(value);
  }
}
