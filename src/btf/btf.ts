import { BpfError } from '../base/index.js';
import { essentialName } from './essential-name.js';
import { type BtfKind, btfKindNames } from './kinds.js';
import { alignmentOf, sizeOf } from './layout.js';
import { type BtfMemberLocation, findMember } from './member-path.js';
import { NameIndex } from './name-index.js';
import type { BtfStringTable } from './string-table.js';
import { decodeType } from './type-decoder.js';
import { recordKind, type TypeRecords } from './type-records.js';
import type { BtfAlias, BtfDatasec, BtfFuncProto, BtfType, BtfTypeByKind } from './types.js';

const VOID: BtfType = { kind: 'void', id: 0, name: '' };

/** References that `resolve` follows before it takes them for a cycle; libbpf stops at the same number. */
const MAX_RESOLVE_DEPTH = 32;

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

/** The types of one program or kernel, as `parseBtf` read them. Immutable; types are decoded when first asked for. */
export class Btf implements Iterable<BtfType> {
  readonly littleEndian: boolean;
  readonly #records: TypeRecords;
  readonly #strings: BtfStringTable;
  readonly #decoded: (BtfType | undefined)[] = [VOID];
  #names: NameIndex | undefined;
  /** Types whose name carries a `___flavour`, by the name without it. */
  #flavours: NameIndex | undefined;
  #pointerSize: number | undefined;

  /** Use `parseBtf`. */
  constructor(records: TypeRecords, strings: BtfStringTable, littleEndian: boolean) {
    this.#records = records;
    this.#strings = strings;
    this.littleEndian = littleEndian;
  }

  /** Number of types, void included: valid ids are 0 .. typeCount-1. */
  get typeCount(): number {
    return this.#records.count;
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
    const type = decodeType(this.#records, this.#strings, id);
    this.#decoded[id] = type;
    return type;
  }

  /** Kind of a type without decoding it. */
  kindOf(id: number): BtfKind {
    this.#need(id);
    return id === 0 ? 'void' : btfKindNames[recordKind(this.#records.words[this.#records.starts[id] + 1])];
  }

  /** Name of a type without decoding it. */
  nameOf(id: number): string {
    this.#need(id);
    return id === 0 ? '' : this.#strings.at(this.#records.words[this.#records.starts[id]]);
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
    return name === '' ? [] : this.#nameIndex().get(name);
  }

  /** Ids of all types whose name without a `___flavour` is `name`, ascending. */
  idsByEssentialName(name: string): readonly number[] {
    const plain = this.idsByName(name);
    const flavours = this.#flavours?.get(name) ?? [];
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
   * The same types with other section layouts. Compilers leave offsets of global variables 0; whoever knows the
   * object's symbols fills them in.
   */
  withDatasecs(datasecs: Iterable<BtfDatasec>): Btf {
    const copy = new Btf(this.#records, this.#strings, this.littleEndian);
    for (const datasec of datasecs) {
      copy.#need(datasec.id);
      copy.#decoded[datasec.id] = datasec;
    }
    return copy;
  }

  /** All types but void, by id. */
  *[Symbol.iterator](): Generator<BtfType, void, undefined> {
    for (let id = 1; id < this.typeCount; id++) yield this.byId(id);
  }

  #need(id: number): void {
    if (Number.isInteger(id) && id >= 0 && id < this.#records.count) return;
    throw new BpfError('EINVAL', 'no such BTF type', {
      section: '.BTF',
      value: id,
      remedy: `valid type ids are 0 to ${this.#records.count - 1}`,
    });
  }

  #nameIndex(): NameIndex {
    if (this.#names !== undefined) return this.#names;
    const names = new NameIndex();
    const flavours = new NameIndex();
    for (let id = 1; id < this.typeCount; id++) {
      const name = this.nameOf(id);
      if (name === '') continue;
      names.add(name, id);
      const essential = essentialName(name);
      if (essential !== name) flavours.add(essential, id);
    }
    this.#flavours = flavours;
    this.#names = names;
    return names;
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
