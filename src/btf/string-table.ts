import { BpfError, utf8Text } from '../base/index.js';

const oneCharPerByte = new TextDecoder('latin1');

/** So many strings are decoded alone; then the whole table is decoded, which takes as long as tens of thousands. */
const MAX_CUT_ALONE = 4096;

/**
 * The string section of a BTF blob, kept byte for byte: offsets may point into the middle of a string, and do where
 * a linker merged suffixes. Strings are cut lazily, because a kernel's table holds more than
 * a hundred thousand of them and a query touches a few. The table of split BTF goes on where its base's ends.
 */
export class BtfStringTable {
  readonly bytes: Uint8Array;
  /** Offset of the first byte: where the base's table ends, 0 without a base. */
  readonly start: number;
  readonly #base: BtfStringTable | undefined;
  #text: string | undefined;
  #cut = 0;
  /** No byte of the table has the upper bit: then texts are right as they are cut. */
  #ascii = false;

  /** `bytes` must end with NUL and, without a base, start with one; `parseBtf` has checked it. */
  constructor(bytes: Uint8Array, base?: BtfStringTable) {
    this.bytes = bytes;
    this.#base = base;
    this.start = base?.end ?? 0;
  }

  /** Offset after the last byte. */
  get end(): number {
    return this.start + this.bytes.byteLength;
  }

  /** The table, this or one it goes on from, that holds the string at `offset`. */
  tableAt(offset: number): BtfStringTable {
    return this.#base !== undefined && offset < this.start ? this.#base.tableAt(offset) : this;
  }

  at(offset: number): string {
    if (this.#base !== undefined && offset < this.start) return this.#base.at(offset);
    if (!(offset >= this.start && offset < this.end)) {
      throw new BpfError('EINVAL', 'BTF string offset lies outside the string table', {
        section: '.BTF',
        value: offset,
        remedy: `the table holds ${this.end} bytes; the BTF is corrupt`,
      });
    }
    const first = offset - this.start;
    if (this.#text === undefined && this.#cut++ < MAX_CUT_ALONE)
      return utf8Text(this.bytes.subarray(first, this.bytes.indexOf(0, first)));
    this.#text ??= this.#decode();
    const end = this.#text.indexOf('\0', first);
    const text = this.#text.substring(first, end);
    return this.#ascii || isAscii(text) ? text : utf8Text(this.bytes.subarray(first, end));
  }

  /**
   * Every offset at which `text` stands, inside other strings and in a base's table too: one pass over the table, without an index.
   * Of text that is not ASCII, undefined.
   */
  offsetsOf(text: string): number[] | undefined {
    if (!isAscii(text)) return undefined;
    const found = this.#base?.offsetsOf(text) ?? [];
    this.#text ??= this.#decode();
    const needle = `${text}\0`;
    for (let at = this.#text.indexOf(needle); at >= 0; at = this.#text.indexOf(needle, at + 1))
      found.push(this.start + at);
    return found;
  }

  #decode(): string {
    let bits = 0;
    for (let i = 0; i < this.bytes.length; i++) bits |= this.bytes[i];
    this.#ascii = bits < 0x80;
    return oneCharPerByte.decode(this.bytes);
  }

  /** All strings with their offsets, a base's first. A string that is another's suffix is not among them. */
  *entries(): Generator<readonly [text: string, offset: number], void, undefined> {
    if (this.#base !== undefined) yield* this.#base.entries();
    for (let offset = this.start; offset < this.end;) {
      const next = this.bytes.indexOf(0, offset - this.start) + this.start + 1;
      yield [this.at(offset), offset];
      offset = next;
    }
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
