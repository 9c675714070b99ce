import { BpfError, roundUp } from '../../base/index.js';
import { SectionType } from '../elf/elf-constants.js';

const HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 16;
const MACHINE_BPF = 247;

/** No object comes near: what would is a small one that asks for vast alignments. */
export const MAX_FILE_BYTES = 1 << 28;

/** A section to be written. */
export interface OutputSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly alignment: number;
  readonly entrySize: number;
  /** Bytes; of a section without bytes in the file, nothing. */
  readonly bytes: Uint8Array;
  /** What the section takes in memory. */
  readonly size: number;
}

export interface OutputSymbol {
  readonly name: string;
  readonly type: number;
  readonly binding: number;
  /** STV_DEFAULT, or STV_HIDDEN. */
  readonly hidden: boolean;
  /** Position in the sections, -1 where it is defined nowhere, or 'absolute'. */
  readonly section: number | 'absolute';
  readonly value: number;
  readonly size: number;
}

/** Relocations of one section; symbols by their position. */
export interface OutputRelocations {
  readonly section: number;
  readonly entries: readonly { readonly offset: number; readonly type: number; readonly symbol: number }[];
}

export interface OutputObject {
  readonly littleEndian: boolean;
  readonly sections: readonly OutputSection[];
  readonly symbols: readonly OutputSymbol[];
  readonly relocations: readonly OutputRelocations[];
}

interface TableEntry extends OutputSection {
  readonly link: number;
  readonly info: number;
}

/**
 * Writes a relocatable ELF64 file for BPF: the sections in their order, then relocations, symbols and names.
 * A file of more than `MAX_FILE_BYTES` is an E2BIG `BpfError`.
 */
export function writeElf(object: OutputObject): Uint8Array {
  const { littleEndian, sections, relocations } = object;
  const names = new NameTable();
  const symtab = sections.length + relocations.length + 1;
  const order = localsFirst(object.symbols);
  const places = new Map(order.map((symbol, i) => [symbol, i + 1]));
  const rows: TableEntry[] = sections.map((section) => ({ ...section, link: 0, info: 0 }));
  for (const each of relocations) {
    const bytes = relocationBytes(each, (symbol) => places.get(object.symbols[symbol]) ?? 0, littleEndian);
    const name = `.rel${sections[each.section].name}`;
    rows.push(table(name, SectionType.REL, bytes, RELOCATION_BYTES, symtab, each.section + 1));
  }
  const firstGlobal = order.findIndex(({ binding }) => binding !== 0);
  const symbolBytes = symbolTable(order, names, littleEndian);
  const locals = (firstGlobal < 0 ? order.length : firstGlobal) + 1;
  rows.push(table('.symtab', SectionType.SYMTAB, symbolBytes, SYMBOL_BYTES, symtab + 1, locals));
  for (const { name } of rows) names.offsetOf(name);
  names.offsetOf('.strtab');
  rows.push(table('.strtab', SectionType.STRTAB, names.bytes(), 0, 0, 0));
  return writeFile(rows, names, littleEndian);
}

function localsFirst(symbols: readonly OutputSymbol[]): OutputSymbol[] {
  return [...symbols.filter(({ binding }) => binding === 0), ...symbols.filter(({ binding }) => binding !== 0)];
}

function table(
  name: string,
  type: number,
  bytes: Uint8Array,
  entrySize: number,
  link: number,
  info: number,
): TableEntry {
  const alignment = type === SectionType.STRTAB ? 1 : 8;
  return { name, type, flags: 0, alignment, entrySize, bytes, size: bytes.length, link, info };
}

function relocationBytes(
  { entries }: OutputRelocations,
  placeOf: (symbol: number) => number,
  littleEndian: boolean,
): Uint8Array {
  const bytes = new Uint8Array(RELOCATION_BYTES * entries.length);
  const view = new DataView(bytes.buffer);
  entries.forEach(({ offset, type, symbol }, i) => {
    const info = (BigInt(placeOf(symbol)) << 32n) | BigInt(type);
    view.setBigUint64(RELOCATION_BYTES * i, BigInt(offset), littleEndian);
    view.setBigUint64(RELOCATION_BYTES * i + 8, info, littleEndian);
  });
  return bytes;
}

const ABSOLUTE_INDEX = 0xfff1;
const HIDDEN = 2;

function symbolTable(symbols: readonly OutputSymbol[], names: NameTable, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(SYMBOL_BYTES * (symbols.length + 1));
  const view = new DataView(bytes.buffer);
  symbols.forEach(({ name, type, binding, hidden, section, value, size }, i) => {
    const at = SYMBOL_BYTES * (i + 1);
    view.setUint32(at, names.offsetOf(name), littleEndian);
    view.setUint8(at + 4, (binding << 4) | type);
    view.setUint8(at + 5, hidden ? HIDDEN : 0);
    view.setUint16(at + 6, section === 'absolute' ? ABSOLUTE_INDEX : section + 1, littleEndian);
    view.setBigUint64(at + 8, BigInt(value), littleEndian);
    view.setBigUint64(at + 16, BigInt(size), littleEndian);
  });
  return bytes;
}

function writeFile(rows: readonly TableEntry[], names: NameTable, littleEndian: boolean): Uint8Array {
  const places: number[] = [];
  let end = HEADER_BYTES;
  for (const { name, bytes, alignment } of rows) {
    const place = roundUp(end, Math.max(1, alignment));
    end = place + bytes.length;
    if (end > MAX_FILE_BYTES) throw tooLarge(name, alignment, end);
    places.push(place);
  }
  const headers = roundUp(end, 8);
  const file = new Uint8Array(headers + HEADER_BYTES * (rows.length + 1));
  const view = new DataView(file.buffer);
  writeHeader(file, view, headers, rows.length, littleEndian);
  rows.forEach((row, i) => {
    file.set(row.bytes, places[i]);
    const at = headers + HEADER_BYTES * (i + 1);
    const u64 = (offset: number, value: number): void => view.setBigUint64(at + offset, BigInt(value), littleEndian);
    view.setUint32(at, names.offsetOf(row.name), littleEndian);
    view.setUint32(at + 4, row.type, littleEndian);
    u64(8, row.flags);
    u64(24, places[i]);
    u64(32, row.size);
    view.setUint32(at + 40, row.link, littleEndian);
    view.setUint32(at + 44, row.info, littleEndian);
    u64(48, row.alignment);
    u64(56, row.entrySize);
  });
  return file;
}

function tooLarge(section: string, alignment: number, size: number): BpfError {
  return new BpfError('E2BIG', `linking: with section ${section} the file grows to ${size} bytes`, {
    section,
    value: `alignment ${alignment}`,
    remedy: `it can take ${MAX_FILE_BYTES}: link fewer objects, or such that ask for less alignment`,
  });
}

function writeHeader(file: Uint8Array, view: DataView, headers: number, count: number, littleEndian: boolean): void {
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, littleEndian ? 1 : 2, 1]);
  view.setUint16(16, 1, littleEndian);
  view.setUint16(18, MACHINE_BPF, littleEndian);
  view.setUint32(20, 1, littleEndian);
  view.setBigUint64(40, BigInt(headers), littleEndian);
  view.setUint16(52, HEADER_BYTES, littleEndian);
  view.setUint16(58, HEADER_BYTES, littleEndian);
  view.setUint16(60, count + 1, littleEndian);
  view.setUint16(62, count, littleEndian);
}

/** The string table, each name once. */
class NameTable {
  readonly #offsets = new Map<string, number>([['', 0]]);
  readonly #parts: Uint8Array[] = [new Uint8Array(1)];
  #length = 1;

  offsetOf(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const offset = this.#length;
    const part = new TextEncoder().encode(`${name}\0`);
    this.#parts.push(part);
    this.#length += part.length;
    this.#offsets.set(name, offset);
    return offset;
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}
