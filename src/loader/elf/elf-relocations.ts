import { BpfError, type ByteReader } from '../../base/index.js';
import { SectionType } from './elf-constants.js';
import type { ElfSection } from './elf-headers.js';
import type { ElfSymbol } from './elf-symbols.js';

const REL_BYTES = 16;

/** A place in a section that depends on where a symbol ends up. */
export interface ElfRelocation {
  /** Byte offset in the section that is relocated. */
  readonly offset: number;
  /** A `RelocationType`. */
  readonly type: number;
  readonly symbol: ElfSymbol;
}

/** The entries of a SHT_REL section. BPF compilers keep addends in the instructions; SHT_RELA is refused. */
export function readRelocations(
  section: ElfSection,
  reader: ByteReader,
  symbols: readonly ElfSymbol[],
): ElfRelocation[] {
  if (section.type === SectionType.RELA || section.entrySize !== REL_BYTES) {
    throw new BpfError('EOPNOTSUPP', 'relocations with explicit addends', {
      section: section.name,
      offset: section.offset,
      value: section.entrySize,
      remedy: 'compile with clang, which keeps addends in the instructions (SHT_REL)',
    });
  }
  return Array.from({ length: Math.floor(section.size / REL_BYTES) }, (_, i) => {
    const at = section.offset + i * REL_BYTES;
    const symbolIndex = reader.u32(reader.littleEndian ? at + 12 : at + 8);
    const symbol = symbols[symbolIndex];
    if (symbol === undefined) {
      throw new BpfError('EINVAL', 'relocation names a symbol that does not exist', {
        section: section.name,
        offset: at,
        value: symbolIndex,
        remedy: 'the object file is corrupt',
      });
    }
    return {
      offset: reader.size64(at, 'offset of a relocation'),
      type: reader.u32(reader.littleEndian ? at + 8 : at + 12),
      symbol,
    };
  });
}
