import type { StringPool } from '../build/string-pool.js';
import type { Btf } from '../btf.js';
import { forEachNameField, recordCount, recordKind } from '../record-shape.js';

const UNKNOWN = 0xffff_ffff;

/**
 * All types of a BTF and its bases in one array of words that may be changed, with names made comparable: equal text,
 * equal number. For the BTF's own types that number is the offset in `pool`, to which their names are added in order.
 */
export class TypeSpace {
  readonly words: Uint32Array;
  /** Word index of each type, by id; `starts[0]`, void's, is unused. */
  readonly starts: Uint32Array;
  readonly firstId: number;
  readonly count: number;

  constructor(btf: Btf, pool: StringPool, offsetOf: (offset: number) => number) {
    this.firstId = btf.firstId;
    this.count = btf.typeCount;
    this.starts = new Uint32Array(btf.typeCount);
    this.words = this.#gather(btf);
    for (let id = btf.firstId; id < btf.typeCount; id++) this.#rename(id, offsetOf);
    const inherited = (offset: number): number => pool.find(btf.string(offset)) ?? offset;
    for (let id = 1; id < btf.firstId; id++) this.#rename(id, inherited);
  }

  kind(id: number): number {
    return id === 0 ? 0 : recordKind(this.words[this.starts[id] + 1]);
  }

  /** Elements of the type. */
  elements(id: number): number {
    return recordCount(this.words[this.starts[id] + 1]);
  }

  isOwn(id: number): boolean {
    return id >= this.firstId;
  }

  #rename(id: number, offsetOf: (offset: number) => number): void {
    forEachNameField(this.words, this.starts[id], (place) => {
      this.words[place] = offsetOf(this.words[place]);
    });
  }

  #gather(btf: Btf): Uint32Array {
    const chain: Btf[] = [];
    for (let each: Btf | undefined = btf; each !== undefined; each = each.base) chain.unshift(each);
    const words = new Uint32Array(chain.reduce((sum, { records }) => sum + records.words.length, 0));
    let at = 0;
    for (const { records } of chain) {
      words.set(records.words, at);
      for (let i = 0; i < records.starts.length; i++) this.starts[records.firstId + i] = at + records.starts[i];
      at += records.words.length;
    }
    return words;
  }
}

/** Where strings of one table stand in a pool; each is added when it is first asked for. */
export class StringMoves {
  readonly #btf: Btf;
  readonly #pool: StringPool;
  readonly #moved: Uint32Array;

  constructor(btf: Btf, pool: StringPool) {
    this.#btf = btf;
    this.#pool = pool;
    this.#moved = new Uint32Array(btf.strings.end).fill(UNKNOWN);
  }

  /** The new offset of the string at `offset`. */
  move(offset: number): number {
    const known = this.#moved[offset];
    if (known !== undefined && known !== UNKNOWN) return known;
    return (this.#moved[offset] = this.#pool.offsetOf(this.#btf.string(offset)));
  }
}
