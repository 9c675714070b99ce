import { BtfStringTable } from '../string-table.js';

const utf8 = new TextEncoder();

/** Strings of BTF under construction, each kept once; those that a base has are the base's. */
export class StringPool {
  readonly #base: BtfStringTable | undefined;
  readonly #offsets = new Map<string, number>();
  readonly #added: Uint8Array[] = [];
  #end: number;

  constructor(base?: BtfStringTable) {
    this.#base = base;
    if (base === undefined) {
      this.#end = 0;
      this.offsetOf('');
      return;
    }
    this.#end = base.end;
    for (const [text, offset] of base.entries()) if (!this.#offsets.has(text)) this.#offsets.set(text, offset);
  }

  /** Where `text` stands; it is added where it is new. NUL would end it early: that is the caller's mistake. */
  offsetOf(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    if (text.includes('\0')) throw new TypeError(`a BTF string cannot hold NUL: ${JSON.stringify(text)}`);
    const offset = this.#end;
    const bytes = utf8.encode(`${text}\0`);
    this.#added.push(bytes);
    this.#end += bytes.length;
    this.#offsets.set(text, offset);
    return offset;
  }

  /** Where `text` stands, if it does. */
  find(text: string): number | undefined {
    return this.#offsets.get(text);
  }

  /** What was added so far, after the base's strings. */
  table(): BtfStringTable {
    const start = this.#base?.end ?? 0;
    const bytes = new Uint8Array(this.#end - start);
    let at = 0;
    for (const each of this.#added) {
      bytes.set(each, at);
      at += each.length;
    }
    return new BtfStringTable(bytes, this.#base);
  }
}
