import { essentialName } from './essential-name.js';
import type { BtfStringTable } from './string-table.js';
import type { TypeRecords } from './type-records.js';

const UNDERSCORE = 0x5f;
const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/**
 * Ids of a blob's own types by name. A kernel has more than a hundred thousand names, of which a process asks for a few: they are
 * hashed where they stand, and become texts only where they have a flavour.
 */
export class NameIndex {
  readonly #strings: BtfStringTable;
  readonly #records: TypeRecords;
  /** Of each bucket and each type: number of the next type with the hash, plus one; in the order of ids. */
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  #hasMark = false;
  /** Descending. */
  readonly #flavours = new Map<string, number[]>();

  constructor(strings: BtfStringTable, records: TypeRecords) {
    this.#strings = strings;
    this.#records = records;
    const count = records.starts.length;
    this.#heads = new Int32Array(1 << (32 - Math.clz32(count)));
    this.#next = new Int32Array(count);
    for (let i = count - 1; i >= 0; i--) this.#add(i);
  }

  /** Ids of the types of that name, ascending. */
  get(name: string): readonly number[] {
    const ids: number[] = [];
    for (let i = this.#heads[this.#bucketOf(hashOfText(name))]; i > 0; i = this.#next[i - 1]) {
      if (this.#strings.at(this.#offset(i - 1)) === name) ids.push(this.#records.firstId + i - 1);
    }
    return ids;
  }

  /** Ids of the types that are called `name` but for a `___flavour`, ascending. */
  flavoursOf(name: string): readonly number[] {
    return (this.#flavours.get(name) ?? []).toReversed();
  }

  #bucketOf(hash: number): number {
    return hash & (this.#heads.length - 1);
  }

  #offset(i: number): number {
    return this.#records.words[this.#records.starts[i]];
  }

  #add(i: number): void {
    const offset = this.#offset(i);
    const table = this.#strings.tableAt(offset);
    const at = offset - table.start;
    if (table.bytes[at] === 0) return;
    const hash = this.#hash(table.bytes, at);
    const bucket = this.#bucketOf(hash ?? hashOfText(this.#strings.at(offset)));
    this.#next[i] = this.#heads[bucket];
    this.#heads[bucket] = i + 1;
    if (this.#hasMark) this.#addFlavour(this.#strings.at(offset), this.#records.firstId + i);
  }

  /** FNV-1a of the string there, by the codes of its text; undefined where that is not ASCII. Notes whether it may have a flavour. */
  #hash(bytes: Uint8Array, from: number): number | undefined {
    let hash = FNV_OFFSET;
    let underscores = 0;
    this.#hasMark = false;
    for (let at = from, byte = bytes[at]; byte !== 0; byte = bytes[++at]) {
      if (byte > 0x7f) {
        this.#hasMark = true;
        return undefined;
      }
      underscores = byte === UNDERSCORE ? underscores + 1 : 0;
      if (underscores === 3) this.#hasMark = true;
      hash = Math.imul(hash ^ byte, FNV_PRIME);
    }
    return hash;
  }

  #addFlavour(name: string, id: number): void {
    const essential = essentialName(name);
    if (essential === name) return;
    const ids = this.#flavours.get(essential);
    if (ids === undefined) this.#flavours.set(essential, [id]);
    else ids.push(id);
  }
}

function hashOfText(text: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash;
}
