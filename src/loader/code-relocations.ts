import { BpfError } from '../base/index.js';
import { INSN_SIZE } from '../runtime/index.js';
import { RelocationType, SPECIAL_SECTION_INDEX, SymbolBinding, SymbolType } from './elf/elf-constants.js';
import type { ElfFile } from './elf/elf-file.js';
import type { ElfRelocation } from './elf/elf-relocations.js';
import type { ElfSymbol } from './elf/elf-symbols.js';
import { isExtern } from './externs.js';

/** What an instruction refers to outside itself. */
export type CodeReference =
  /** A function: `offset` is the symbol's, to which the instruction's immediate adds. */
  | { readonly kind: 'function'; readonly sectionIndex: number; readonly offset: number }
  | { readonly kind: 'map'; readonly map: string }
  | { readonly kind: 'data'; readonly map: string; readonly offset: number }
  | { readonly kind: 'extern'; readonly name: string };

/** Maps by the symbols that stand for them. */
export interface MapPlaces {
  /** Name of the map at an offset of the .maps section. */
  readonly mapAt: (sectionIndex: number, offset: number) => string | undefined;
  /** Name of the map of a data section. */
  readonly dataMap: (sectionIndex: number) => string | undefined;
}

/** References by instruction slot for one code section. Malformed ones are EINVAL `BpfError`s. */
export function readCodeRelocations(elf: ElfFile, sectionIndex: number, places: MapPlaces): Map<number, CodeReference> {
  const section = elf.sections[sectionIndex];
  const references = new Map<number, CodeReference>();
  for (const relocation of elf.relocationsOf(sectionIndex)) {
    const { offset, type } = relocation;
    if (offset % INSN_SIZE !== 0 || offset >= section.size)
      throw refused('relocation lies outside the code', section.name, offset, offset);
    if (type !== RelocationType.R_BPF_64_64 && type !== RelocationType.R_BPF_64_32) {
      throw refused('relocation of a type that code does not have', section.name, offset, type);
    }
    if (references.has(offset / INSN_SIZE))
      throw refused('instruction with two relocations', section.name, offset, offset);
    references.set(offset / INSN_SIZE, classify(elf, section.name, relocation, places));
  }
  return references;
}

function classify(elf: ElfFile, section: string, relocation: ElfRelocation, places: MapPlaces): CodeReference {
  const { symbol, offset } = relocation;
  if (isExtern(symbol)) return { kind: 'extern', name: symbol.name };
  const { sectionIndex } = symbol;
  if (sectionIndex === 0 || sectionIndex >= SPECIAL_SECTION_INDEX || elf.sections[sectionIndex] === undefined) {
    throw refused(
      `relocation against ${describe(elf, symbol)}, which is defined nowhere`,
      section,
      offset,
      sectionIndex,
    );
  }
  if (isFunction(symbol, relocation)) return { kind: 'function', sectionIndex, offset: symbol.value };
  const map = places.mapAt(sectionIndex, symbol.value);
  if (map !== undefined) return { kind: 'map', map };
  const data = places.dataMap(sectionIndex);
  if (data !== undefined) return { kind: 'data', map: data, offset: symbol.value };
  if (symbol.type === SymbolType.SECTION) return { kind: 'function', sectionIndex, offset: symbol.value };
  throw new BpfError('EOPNOTSUPP', `relocation against ${describe(elf, symbol)}`, {
    section,
    offset,
    value: elf.sections[sectionIndex].name,
    remedy: 'code may refer to maps in .maps, to .data, .rodata and .bss, and to functions',
  });
}

/** Static functions are referred to by their section. */
function isFunction(symbol: ElfSymbol, relocation: ElfRelocation): boolean {
  if (symbol.type === SymbolType.FUNC) return true;
  return (
    relocation.type === RelocationType.R_BPF_64_32 &&
    symbol.type === SymbolType.SECTION &&
    symbol.binding === SymbolBinding.LOCAL
  );
}

function describe(elf: ElfFile, symbol: ElfSymbol): string {
  const name = symbol.name === '' ? elf.sections[symbol.sectionIndex]?.name : symbol.name;
  return name === undefined || name === '' ? 'an unnamed symbol' : name;
}

function refused(what: string, section: string, offset: number, value: number): BpfError {
  return new BpfError('EINVAL', what, {
    section,
    offset,
    value,
    remedy: 'the object file is corrupt, or a variable lacks an initialiser',
  });
}
