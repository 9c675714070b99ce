import { Btf } from '../btf.js';
import { forEachNameField, forEachTypeField } from '../record-shape.js';
import { scanTypeRecords } from '../type-records.js';
import { StringPool } from './string-pool.js';
import { encodeType, type NewBtfType } from './type-encoder.js';
import { WordWriter } from './word-writer.js';

export interface BtfBuilderOptions {
  /** Byte order of the result; the base's, or little-endian. */
  readonly littleEndian?: boolean;
  /** Makes split BTF: ids and strings go on where the base's end, and strings of the base are used. */
  readonly base?: Btf;
}

/**
 * Makes BTF type by type, or out of whole BTFs. Ids are given in the order of adding, so a type may name one that
 * follows (`nextId` says which id that will be). Each string is stored once. `build` may be called again later.
 *
 *     const builder = new BtfBuilder();
 *     const int = builder.add({ kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, signed: true, char: false, bool: false });
 *     builder.add({ kind: 'ptr', type: int });
 *     encodeBtf(builder.build());
 */
export class BtfBuilder {
  readonly #littleEndian: boolean;
  readonly #base: Btf | undefined;
  readonly #words = new WordWriter();
  readonly #strings: StringPool;
  #nextId: number;

  constructor({ base, littleEndian }: BtfBuilderOptions = {}) {
    if (base !== undefined && littleEndian !== undefined && base.littleEndian !== littleEndian) {
      throw new TypeError('split BTF has the byte order of its base');
    }
    this.#littleEndian = base?.littleEndian ?? littleEndian ?? true;
    this.#base = base;
    this.#strings = new StringPool(base?.strings);
    this.#nextId = base?.typeCount ?? 1;
  }

  /** The id that the next type will get. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Adds a type and returns its id. Values that a BTF record cannot hold are a `RangeError`. */
  add(type: NewBtfType): number {
    this.#words.push(encodeType(type, (text) => this.#strings.offsetOf(text)));
    return this.#nextId++;
  }

  /** The offset of a string of its own or the base's, added if it is new: what .BTF.ext records refer to. */
  addString(text: string): number {
    return this.#strings.offsetOf(text);
  }

  /**
   * Adds all types of another BTF as libbpf's btf__add_btf does: in order, equal ones again, flags kept. Returns what to
   * add to an id of `btf` to get the id here; 0 stays 0. Split BTF needs a builder with the same base, whose ids stay.
   */
  append(btf: Btf): number {
    if (btf.base !== this.#base && btf.base !== undefined) {
      throw new TypeError('split BTF can be appended only to a builder with the same base');
    }
    const { words, firstId } = btf.records;
    const delta = this.#nextId - firstId;
    const copy = words.slice();
    const strings = new Map<number, number>();
    const moveName = (place: number): void => {
      const offset = copy[place];
      let moved = strings.get(offset);
      if (moved === undefined) {
        moved = this.#strings.offsetOf(btf.string(offset));
        strings.set(offset, moved);
      }
      copy[place] = moved;
    };
    const moveType = (place: number): void => {
      if (copy[place] >= firstId) copy[place] += delta;
    };
    for (const at of btf.records.starts) {
      forEachNameField(copy, at, moveName);
      forEachTypeField(copy, at, moveType);
    }
    this.#words.push(copy);
    this.#nextId += btf.records.starts.length;
    return delta;
  }

  /** What was added so far. A type that names an id which was never added is an EINVAL `BpfError`. */
  build(): Btf {
    const strings = this.#strings.table();
    const firstId = this.#base?.typeCount ?? 1;
    const records = scanTypeRecords(this.#words.words(), { firstId, stringsEnd: strings.end, sectionOffset: 0 });
    return new Btf(records, strings, this.#littleEndian, this.#base);
  }
}
