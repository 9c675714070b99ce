import { BpfError, type ByteReader } from '../../base/index.js';
import { SectionType, SymbolBinding } from './elf-constants.js';
import type { ElfFile } from './elf-file.js';
import type { ElfSection } from './elf-headers.js';

const SYMBOL_BYTES = 24;

export interface ElfSymbol {
  readonly index: number;
  /** Empty for section symbols. */
  readonly name: string;
  /** A `SymbolType`. */
  readonly type: number;
  /** A `SymbolBinding`. */
  readonly binding: number;
  /** STV_HIDDEN or STV_INTERNAL: nothing outside the object may know it. */
  readonly hidden: boolean;
  /** 0: undefined here (an extern). */
  readonly sectionIndex: number;
  /** Offset in its section. */
  readonly value: number;
  readonly size: number;
}

/** All symbols of the file by index. Without a symbol table, as after llvm-strip, no program could be found: EINVAL. */
export function readSymbols(file: Pick<ElfFile, 'sections'>, reader: ByteReader): ElfSymbol[] {
  const tables = file.sections.filter((section) => section.type === SectionType.SYMTAB);
  const table = tables[0];
  if (table === undefined) {
    throw new BpfError('EINVAL', 'ELF file has no symbol table', {
      section: 'ELF file',
      offset: 0,
      remedy: 'strip BPF objects with llvm-strip -g, which keeps it',
    });
  }
  if (tables.length > 1) throw malformed('ELF file has several symbol tables', tables[1].offset, tables.length);
  const names = file.sections[table.link];
  if (names === undefined || names.type !== SectionType.STRTAB)
    throw malformed('ELF symbol table has no names', table.offset, table.link);
  if (table.entrySize !== SYMBOL_BYTES)
    throw malformed('ELF symbols have the wrong size', table.offset, table.entrySize);
  const count = Math.floor(table.size / SYMBOL_BYTES);
  const symbols = Array.from({ length: count }, (_, index) => readSymbol(reader, table, names, index));
  checkUnique(symbols, table);
  return symbols;
}

/** A global name stands for one thing. */
function checkUnique(symbols: readonly ElfSymbol[], table: ElfSection): void {
  const seen = new Set<string>();
  for (const { index, name, binding, sectionIndex } of symbols) {
    if (binding === SymbolBinding.LOCAL || sectionIndex === 0 || name === '') continue;
    if (seen.has(name)) {
      throw new BpfError('EINVAL', `symbol ${name} is defined twice`, {
        section: '.symtab',
        offset: table.offset + index * SYMBOL_BYTES,
        value: name,
        remedy: 'the object file is corrupt, or was put together by a linker that does not know BPF',
      });
    }
    seen.add(name);
  }
}

function readSymbol(reader: ByteReader, table: ElfSection, names: ElfSection, index: number): ElfSymbol {
  const at = table.offset + index * SYMBOL_BYTES;
  const info = reader.u8(at + 4);
  const nameOffset = reader.u32(at);
  if (nameOffset !== 0 && nameOffset >= names.size)
    throw malformed('ELF symbol has a name outside the string table', at, nameOffset);
  return {
    index,
    name: nameOffset === 0 ? '' : reader.cstring(names.offset + nameOffset),
    type: info & 0xf,
    binding: info >>> 4,
    hidden: [1, 2].includes(reader.u8(at + 5) & 3),
    sectionIndex: reader.u16(at + 6),
    value: reader.size64(at + 8, 'value of a symbol'),
    size: reader.size64(at + 16, 'size of a symbol'),
  };
}

function malformed(what: string, offset: number, value: number): BpfError {
  return new BpfError('EINVAL', what, { section: '.symtab', offset, value, remedy: 'the object file is corrupt' });
}
