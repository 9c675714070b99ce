import { hi32, lo32 } from '../base/index.js';

interface Entry<T> {
  readonly hi: number;
  readonly value: T;
  readonly next: Entry<T> | undefined;
}

/** Values by 64-bit address; `find` takes the two words and allocates nothing. */
export class AddressTable<T> {
  /** Chains by low word. */
  readonly #entries = new Map<number, Entry<T>>();
  /** What was found last: mostly what is looked for next. */
  #lastLo = 0;
  #last: Entry<T> | undefined;

  get empty(): boolean {
    return this.#entries.size === 0;
  }

  find(lo: number, hi: number): T | undefined {
    const last = this.#last;
    if (last !== undefined && this.#lastLo === lo && last.hi === hi) return last.value;
    let entry = this.#entries.get(lo);
    while (entry !== undefined && entry.hi !== hi) entry = entry.next;
    if (entry === undefined) return undefined;
    this.#lastLo = lo;
    this.#last = entry;
    return entry.value;
  }

  get(address: bigint): T | undefined {
    return this.find(lo32(address), hi32(address));
  }

  /** Adds a value; the address must be free. */
  set(lo: number, hi: number, value: T): void {
    this.#entries.set(lo, { hi, value, next: this.#entries.get(lo) });
  }

  delete(lo: number, hi: number): void {
    this.#last = undefined;
    const rest = without(this.#entries.get(lo), hi);
    if (rest === undefined) this.#entries.delete(lo);
    else this.#entries.set(lo, rest);
  }

  *values(): IterableIterator<T> {
    for (const first of this.#entries.values()) {
      for (let entry: Entry<T> | undefined = first; entry !== undefined; entry = entry.next) yield entry.value;
    }
  }
}

function without<T>(entry: Entry<T> | undefined, hi: number): Entry<T> | undefined {
  if (entry === undefined || entry.hi === hi) return entry?.next;
  return { hi: entry.hi, value: entry.value, next: without(entry.next, hi) };
}
