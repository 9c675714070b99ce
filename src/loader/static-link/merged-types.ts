import {
  type Btf,
  BtfBuilder,
  type BtfFuncProto,
  type BtfSectionVar,
  coreReloKinds,
  deduplicateBtf,
} from '../../btf/index.js';
import type { MergedSymbols } from './global-symbols.js';
import type { InputObject } from './input-object.js';
import type { MergedSections, SectionPlace } from './merged-sections.js';
import { remapType } from './remap-type.js';

/** The BTF sections of the output. */
export interface MergedBtf {
  readonly btf: Btf;
  readonly ext: Uint8Array;
}

interface PlacedInput {
  readonly input: InputObject;
  readonly places: ReadonlyMap<number, SectionPlace>;
}

/** A type to come: whose it is, and where it stands there. */
interface Planned {
  readonly input: InputObject;
  readonly id: number;
}

/** Rows of .BTF.ext of one kind: words each, by section. */
type ExtRows = Map<string, number[][]>;

/**
 * Merges what the inputs' BTF says: all types once, variables and functions of one global symbol as one, with the type of
 * the object that defines it, sections with the variables at their new places.
 */
export class MergedTypes {
  readonly #inputs: readonly PlacedInput[];
  readonly #sections: MergedSections;
  readonly #symbols: MergedSymbols;
  readonly #plan: Planned[] = [];
  /** New ids by input and old id. */
  readonly #ids = new Map<InputObject, number[]>();
  readonly #names = new Map<InputObject, Map<number, readonly string[]>>();
  readonly #builder: BtfBuilder;

  constructor(inputs: readonly PlacedInput[], sections: MergedSections, symbols: MergedSymbols, littleEndian: boolean) {
    this.#inputs = inputs;
    this.#sections = sections;
    this.#symbols = symbols;
    this.#builder = new BtfBuilder({ littleEndian });
  }

  merge(littleEndian: boolean): MergedBtf {
    this.#planTypes();
    for (const { input, id } of this.#plan) {
      const type = (input.btf as Btf).byId(id);
      if (type.kind === 'void') continue;
      const named = type.kind === 'func_proto' ? this.#withNames(input, type) : type;
      this.#builder.add(remapType(named, (old) => this.#idOf(input, old)));
    }
    const vars = this.#sectionVars();
    for (const name of this.#sectionOrder()) {
      const each = vars.get(name);
      if (each === undefined) continue;
      this.#builder.add({ kind: 'datasec', name, size: this.#sections.byName(name)?.size ?? 0, vars: each });
    }
    const parts = this.#extParts();
    const kept = parts.flatMap(({ strings, rows }) =>
      [...rows.values()].flatMap((each) => each.flatMap((row) => strings.map((at) => row[at]))),
    );
    const names = parts.flatMap(({ rows }) => [...rows.keys()].map((name) => this.#builder.addString(name)));
    const { btf, ids, stringOffset } = deduplicateBtf(this.#builder.build(), { keepStrings: [...kept, ...names] });
    const moved = parts.map(({ rows, types, strings, size }) => ({
      size,
      rows: new Map(
        [...rows].map(([name, each]) => [
          stringOffset(this.#builder.addString(name)),
          each.map((row) =>
            row.map((word, i) => (types.includes(i) ? ids[word] : strings.includes(i) ? stringOffset(word) : word)),
          ),
        ]),
      ),
    }));
    return { btf, ext: encodeExt(moved, littleEndian) };
  }

  /** Gives every type that stays its new id: sections go, and declarations of a global symbol are one. */
  #planTypes(): void {
    const shared = new Map<string, number>();
    for (const { input } of this.#inputs) {
      const { btf } = input;
      const ids: number[] = [0];
      this.#ids.set(input, ids);
      for (const type of btf ?? []) {
        const { id } = type;
        if (id === 0) continue;
        if (type.kind === 'datasec') {
          ids[id] = 0;
          continue;
        }
        const isGlobal = (type.kind === 'var' || type.kind === 'func') && type.linkage !== 'static';
        const symbol = isGlobal ? this.#symbols.global(type.name) : undefined;
        const known = symbol === undefined ? undefined : shared.get(type.name);
        if (known === undefined) {
          const { from = input, declaration } = symbol ?? {};
          this.#plan.push(declaration === undefined ? { input, id } : { input: from, id: declaration.id });
          if (symbol !== undefined) shared.set(type.name, this.#plan.length);
        }
        ids[id] = known ?? this.#plan.length;
      }
    }
  }

  /** The prototype of a declared function, whose parameters have the names of the definition. */
  #withNames(input: InputObject, proto: BtfFuncProto): BtfFuncProto {
    const names = this.#parameterNames(input).get(proto.id);
    if (names === undefined) return proto;
    const params = proto.params.map((param, i) => (param.name === '' ? { ...param, name: names[i] ?? '' } : param));
    return { ...proto, params };
  }

  /** Names of parameters by prototype, of functions that the input declares and another defines. */
  #parameterNames(input: InputObject): ReadonlyMap<number, readonly string[]> {
    const known = this.#names.get(input);
    if (known !== undefined) return known;
    const names = new Map<number, readonly string[]>();
    this.#names.set(input, names);
    const { btf } = input;
    for (const type of btf ?? []) {
      if (type.kind !== 'func' || type.linkage !== 'extern') continue;
      const { from, declaration } = this.#symbols.global(type.name) ?? {};
      if (from === undefined || from === input || declaration === undefined) continue;
      const definition = declaration.btf.byId(declaration.id);
      const proto = definition.kind === 'func' ? declaration.btf.resolve(definition.type) : undefined;
      if (proto?.kind === 'func_proto')
        names.set(
          type.type,
          proto.params.map(({ name }) => name),
        );
    }
    return names;
  }

  /** Sections as the inputs bring them: those in the file, then those of externs. */
  #sectionOrder(): Set<string> {
    const order = new Set<string>();
    for (const { input, places } of this.#inputs) {
      for (const { section } of places.values()) order.add(section.name);
      for (const name of input.datasecs.keys()) order.add(name);
    }
    return order;
  }

  #idOf(input: InputObject, id: number): number {
    return this.#ids.get(input)?.[id] ?? 0;
  }

  /** Variables by section, those of one object after those of the other. */
  #sectionVars(): Map<string, BtfSectionVar[]> {
    const sections = new Map<string, BtfSectionVar[]>();
    const placed = new Set<string>();
    for (const { input, places } of this.#inputs) {
      for (const { name, vars } of input.datasecs.values()) {
        const place = places.get(input.elf.section(name)?.index ?? -1);
        if (place?.dropped === true) continue;
        const merged = sections.get(name) ?? [];
        sections.set(name, merged);
        for (const each of vars) {
          const moved = this.#moveVariable(input, name, each, place, placed);
          if (moved !== undefined) merged.push(moved);
        }
      }
    }
    return sections;
  }

  #moveVariable(
    input: InputObject,
    section: string,
    { type: id, offset, size }: BtfSectionVar,
    place: SectionPlace | undefined,
    placed: Set<string>,
  ): BtfSectionVar | undefined {
    const type = (input.btf as Btf).byId(id);
    const isGlobal = (type.kind === 'var' || type.kind === 'func') && type.linkage !== 'static';
    const symbol = isGlobal ? this.#symbols.global(type.name) : undefined;
    const moved = { type: this.#idOf(input, id), offset: offset + (place?.offset ?? 0), size };
    if (symbol === undefined) return moved;
    // Only what counts: the definition where there is one, else the first declaration.
    if (placed.has(type.name) || symbol.from !== input || symbol.declaration?.section !== section) return undefined;
    placed.add(type.name);
    return symbol.isExtern ? { ...moved, offset: 0 } : { ...moved, offset: symbol.value };
  }

  /** .BTF.ext: functions, lines, relocations, with which of their words are types and strings. */
  #extParts(): {
    readonly rows: ExtRows;
    readonly types: readonly number[];
    readonly strings: readonly number[];
    readonly size: number;
  }[] {
    const [functions, lines, relocations]: [ExtRows, ExtRows, ExtRows] = [new Map(), new Map(), new Map()];
    for (const { input, places } of this.#inputs) {
      const { btf, btfExt } = input;
      if (btf === null || btfExt === null) continue;
      const string = (offset: number): number => this.#builder.addString(btf.string(offset));
      const collect = <Row extends { readonly insnOffset: number }>(
        from: readonly { readonly section: string; readonly records: readonly Row[] }[],
        into: ExtRows,
        words: (row: Row) => number[],
      ): void => {
        for (const { section, records } of from) {
          const place = places.get(input.elf.section(section)?.index ?? -1);
          if (place === undefined || place.dropped) continue;
          const rows = into.get(section) ?? [];
          into.set(section, rows);
          for (const row of records) rows.push([row.insnOffset + place.offset, ...words(row)]);
        }
      };
      collect(btfExt.functions, functions, ({ typeId }) => [this.#idOf(input, typeId)]);
      collect(btfExt.lines, lines, ({ fileName, text, line, column }) => [
        string(fileName),
        string(text),
        ((line << 10) | column) >>> 0,
      ]);
      collect(btfExt.relocations, relocations, ({ typeId, access, kind }) => [
        this.#idOf(input, typeId),
        this.#builder.addString(access),
        coreReloKinds.indexOf(kind),
      ]);
    }
    return [
      { rows: functions, types: [1], strings: [], size: 8 },
      { rows: lines, types: [], strings: [1, 2], size: 16 },
      { rows: relocations, types: [1], strings: [2], size: 16 },
    ];
  }
}

const EXT_HEADER_BYTES = 32;
const BTF_MAGIC = 0xeb9f;

/** The bytes of .BTF.ext; empty where it says nothing. */
function encodeExt(
  parts: readonly { readonly size: number; readonly rows: ReadonlyMap<number, readonly number[][]> }[],
  littleEndian: boolean,
): Uint8Array {
  const bodies = parts.map(({ size, rows }) =>
    rows.size === 0 ? [] : [size, ...[...rows].flatMap(([name, each]) => [name, each.length, ...each.flat()])],
  );
  if (bodies.every((body) => body.length === 0)) return new Uint8Array(0);
  const words = bodies.flat();
  const bytes = new Uint8Array(EXT_HEADER_BYTES + 4 * words.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, BTF_MAGIC, littleEndian);
  view.setUint8(2, 1);
  view.setUint32(4, EXT_HEADER_BYTES, littleEndian);
  let at = 0;
  bodies.forEach((body, i) => {
    view.setUint32(8 + 8 * i, at, littleEndian);
    view.setUint32(12 + 8 * i, 4 * body.length, littleEndian);
    at += 4 * body.length;
  });
  words.forEach((word, i) => view.setUint32(EXT_HEADER_BYTES + 4 * i, word, littleEndian));
  return bytes;
}
