import { BpfError } from '../base/index.js';
import { type BtfKind, btfKindNames } from './kinds.js';
import { alignmentOf, sizeOf } from './layout.js';
import { type BtfMemberLocation, findMember } from './member-path.js';
import { NameIndex } from './name-index.js';
import type { BtfStringTable } from './string-table.js';
import { decodeType } from './type-decoder.js';
import { recordCount, RECORD_HEADER_WORDS, recordKind } from './record-shape.js';
import type { TypeRecords } from './type-records.js';
import type { BtfAlias, BtfDatasec, BtfFuncProto, BtfType, BtfTypeByKind } from './types.js';

const VOID: BtfType = { kind: 'void', id: 0, name: '' };

/** References that `resolve` follows before it takes them for a cycle; libbpf stops at the same number. */
const MAX_RESOLVE_DEPTH = 32;

/** So many names are looked for one by one, which takes a pass over strings and types each; then all of them are indexed. */
const MAX_NAME_SEARCHES = 2;

const CONVENTIONAL_LONG_NAMES: ReadonlySet<string> = new Set([
  'long',
  'long int',
  'int long',
  'unsigned long',
  'long unsigned',
  'unsigned long int',
  'unsigned int long',
  'long unsigned int',
  'long int unsigned',
  'int unsigned long',
  'int long unsigned',
]);

/**
 * The types of one program or kernel, as `parseBtf` read them or a `BtfBuilder` built them. Immutable; types are decoded
 * when first asked for. Split BTF (a module's) shows its base's types and its own as one sequence of ids.
 */
export class Btf implements Iterable<BtfType> {
  readonly littleEndian: boolean;
  /** The BTF that this one goes on from, where this is split BTF. */
  readonly base: Btf | undefined;
  readonly #records: TypeRecords;
  readonly #strings: BtfStringTable;
  readonly #decoded: (BtfType | undefined)[] = [];
  #names: NameIndex | undefined;
  #searches = 0;
  #pointerSize: number | undefined;

  /** Use `parseBtf` or a `BtfBuilder`. */
  constructor(records: TypeRecords, strings: BtfStringTable, littleEndian: boolean, base?: Btf) {
    this.#records = records;
    this.#strings = strings;
    this.littleEndian = littleEndian;
    this.base = base;
  }

  /** Number of types, void and a base's included: valid ids are 0 .. typeCount-1. */
  get typeCount(): number {
    return this.firstId + this.#records.starts.length;
  }

  /** Id of the first type of its own: 1, or the base's `typeCount`. */
  get firstId(): number {
    return this.#records.firstId;
  }

  /** Its own types as words, for what rewrites BTF as a whole. Not to be changed. */
  get records(): TypeRecords {
    return this.#records;
  }

  /** Its own strings, for the same. */
  get strings(): BtfStringTable {
    return this.#strings;
  }

  /** Bytes of a pointer: told by the size of `long` where the BTF has one, else 8. */
  get pointerSize(): number {
    this.#pointerSize ??= this.#findPointerSize();
    return this.#pointerSize;
  }

  /** The type of that id; ids out of range are an EINVAL `BpfError`. */
  byId(id: number): BtfType {
    const known = this.#decoded[id];
    if (known !== undefined) return known;
    this.#need(id);
    const type = this.#isOwn(id) ? decodeType(this.#records, this.#strings, id) : this.#inherited(id);
    this.#decoded[id] = type;
    return type;
  }

  /** Kind of a type without decoding it. */
  kindOf(id: number): BtfKind {
    this.#need(id);
    if (!this.#isOwn(id)) return this.base?.kindOf(id) ?? 'void';
    const { words, starts, firstId } = this.#records;
    return btfKindNames[recordKind(words[starts[id - firstId] + 1])];
  }

  /** Name of a type without decoding it. */
  nameOf(id: number): string {
    this.#need(id);
    if (!this.#isOwn(id)) return this.base?.nameOf(id) ?? '';
    const { words, starts, firstId } = this.#records;
    return this.#strings.at(words[starts[id - firstId]]);
  }

  /** A string of the string table, for .BTF.ext. */
  string(offset: number): string {
    return this.#strings.at(offset);
  }

  /** The first type of that name, and kind if one is given. */
  findByName<K extends BtfKind>(name: string, kind: K): BtfTypeByKind[K] | undefined;
  findByName(name: string): BtfType | undefined;
  findByName(name: string, kind?: BtfKind): BtfType | undefined {
    const id = this.idsByName(name).find((candidate) => kind === undefined || this.kindOf(candidate) === kind);
    return id === undefined ? undefined : this.byId(id);
  }

  /** Ids of all types of that name, ascending. */
  idsByName(name: string): readonly number[] {
    if (name === '') return [];
    const own = this.#ownIdsByName(name);
    const inherited = this.base?.idsByName(name) ?? [];
    return inherited.length === 0 ? own : own.length === 0 ? inherited : [...inherited, ...own];
  }

  /** Ids of all types whose name without a `___flavour` is `name`, ascending. */
  idsByEssentialName(name: string): readonly number[] {
    // Looked up first: it indexes all names.
    const flavours = this.#flavoursOf(name);
    const plain = this.idsByName(name);
    return flavours.length === 0 ? plain : [...plain, ...flavours].toSorted((a, b) => a - b);
  }

  /** The type behind any typedefs, qualifiers and type tags. A cycle of them is an EINVAL `BpfError`. */
  resolve(id: number): BtfType {
    let type = this.byId(id);
    for (let depth = 0; depth <= MAX_RESOLVE_DEPTH; depth++) {
      if (!isAlias(type)) return type;
      type = this.byId(type.type);
    }
    throw new BpfError('EINVAL', 'BTF typedefs and qualifiers form a cycle', {
      section: '.BTF',
      value: id,
      remedy: `more than ${MAX_RESOLVE_DEPTH} references lead on from this type; the BTF is corrupt`,
    });
  }

  /** Bytes a value of this type takes. Types without a size (void, functions, forward declarations) are an EINVAL `BpfError`. */
  sizeOf(id: number): number {
    return sizeOf(this, id);
  }

  /** Alignment in bytes that C gives the type on this target. */
  alignmentOf(id: number): number {
    return alignmentOf(this, id);
  }

  /**
   * Where a member lies: `path` is dotted, may index arrays (`comm[3]`), and finds members of anonymous
   * structs and unions by their own name. Undefined where there is no such member.
   */
  member(id: number, path: string): BtfMemberLocation | undefined {
    return findMember(this, id, path);
  }

  /** The prototype of the function of that name. */
  prototypeOf(functionName: string): BtfFuncProto | undefined {
    const func = this.findByName(functionName, 'func');
    const proto = func === undefined ? undefined : this.resolve(func.type);
    return proto?.kind === 'func_proto' ? proto : undefined;
  }

  /**
   * The same types with other section layouts: sizes, and the order and offsets of variables. Compilers leave offsets of
   * global variables 0; whoever knows the object's symbols fills them in.
   */
  withDatasecs(datasecs: Iterable<BtfDatasec>): Btf {
    const { starts, firstId } = this.#records;
    const words = this.#records.words.slice();
    for (const { id, name, size, vars } of datasecs) {
      this.#need(id);
      const at = this.#isOwn(id) ? starts[id - firstId] : -1;
      if (at < 0 || this.kindOf(id) !== 'datasec' || recordCount(words[at + 1]) !== vars.length) {
        throw new RangeError(`type ${id} is no section ${name} of ${vars.length} variables in this BTF`);
      }
      words[at + 2] = size;
      vars.forEach(({ type, offset, size: bytes }, i) => {
        this.#need(type);
        words.set([type, offset, bytes], at + RECORD_HEADER_WORDS + 3 * i);
      });
    }
    return new Btf({ words, starts, firstId }, this.#strings, this.littleEndian, this.base);
  }

  /** All types but void, by id, a base's first. */
  *[Symbol.iterator](): Generator<BtfType, void, undefined> {
    for (let id = 1; id < this.typeCount; id++) yield this.byId(id);
  }

  #isOwn(id: number): boolean {
    return id >= this.#records.firstId;
  }

  #inherited(id: number): BtfType {
    return this.base?.byId(id) ?? VOID;
  }

  #need(id: number): void {
    if (Number.isInteger(id) && id >= 0 && id < this.typeCount) return;
    throw new BpfError('EINVAL', 'no such BTF type', {
      section: '.BTF',
      value: id,
      remedy: `valid type ids are 0 to ${this.typeCount - 1}`,
    });
  }

  #ownIdsByName(name: string): readonly number[] {
    if (this.#names === undefined && this.#searches++ < MAX_NAME_SEARCHES) {
      const offsets = this.#strings.offsetsOf(name);
      if (offsets !== undefined) return this.#idsNamedAt(offsets);
    }
    return this.#nameIndex().get(name);
  }

  /** Ids of its own types whose name stands at one of the offsets. */
  #idsNamedAt(offsets: readonly number[]): number[] {
    const { words, starts, firstId } = this.#records;
    // Short names are the ends of many.
    const wanted = new Set(offsets);
    const ids: number[] = [];
    for (let i = 0; wanted.size > 0 && i < starts.length; i++) {
      if (wanted.has(words[starts[i]])) ids.push(firstId + i);
    }
    return ids;
  }

  #flavoursOf(name: string): readonly number[] {
    const own = this.#nameIndex().flavoursOf(name);
    const inherited = this.base === undefined ? [] : this.base.#flavoursOf(name);
    return inherited.length === 0 ? own : [...inherited, ...own];
  }

  #nameIndex(): NameIndex {
    this.#names ??= new NameIndex(this.#strings, this.#records);
    return this.#names;
  }

  #findPointerSize(): number {
    for (let id = 1; id < this.typeCount; id++) {
      if (this.kindOf(id) !== 'int') continue;
      const type = this.byId(id);
      if (type.kind === 'int' && (type.size === 4 || type.size === 8) && CONVENTIONAL_LONG_NAMES.has(type.name))
        return type.size;
    }
    return 8;
  }
}

function isAlias(type: BtfType): type is BtfAlias {
  switch (type.kind) {
    case 'typedef':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      return true;
    default:
      return false;
  }
}
