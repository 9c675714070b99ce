import { ByteReader } from '../../base/index.js';
import { SectionType } from './elf-constants.js';
import { checkIsBpfObject, type ElfSection, isLittleEndian, readSections } from './elf-headers.js';
import { readRelocations, type ElfRelocation } from './elf-relocations.js';
import { readSymbols, type ElfSymbol } from './elf-symbols.js';

/**
 * A relocatable ELF64 file for BPF, of either endianness. Nothing in it is trusted: every offset and size is checked
 * against the file before use, and violations are EINVAL `BpfError`s with the file offset.
 */
export class ElfFile {
  readonly littleEndian: boolean;
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  readonly #reader: ByteReader;
  readonly #byName: ReadonlyMap<string, ElfSection>;
  /** Sections of relocations by the section they apply to. */
  readonly #relocations = new Map<number, ElfSection[]>();

  private constructor(reader: ByteReader, sections: readonly ElfSection[]) {
    this.#reader = reader;
    this.littleEndian = reader.littleEndian;
    this.sections = sections;
    this.symbols = readSymbols(this, reader);
    this.#byName = new Map(sections.toReversed().map((section) => [section.name, section]));
    for (const section of sections) {
      if (section.type !== SectionType.REL && section.type !== SectionType.RELA) continue;
      const known = this.#relocations.get(section.info);
      if (known === undefined) this.#relocations.set(section.info, [section]);
      else known.push(section);
    }
  }

  /** Reads headers, section names and symbols. The bytes are kept, not copied. */
  static parse(bytes: Uint8Array): ElfFile {
    const reader = new ByteReader(bytes, isLittleEndian(bytes), 'ELF file');
    checkIsBpfObject(reader);
    return new ElfFile(reader, readSections(reader));
  }

  /** The first section of that name. */
  section(name: string): ElfSection | undefined {
    return this.#byName.get(name);
  }

  /** A view of the section's bytes; empty for sections without bytes in the file (.bss). */
  bytesOf(section: ElfSection): Uint8Array {
    return section.type === SectionType.NOBITS ? new Uint8Array(0) : this.#reader.slice(section.offset, section.size);
  }

  /** Relocations that apply to the section with that index, in file order. */
  relocationsOf(sectionIndex: number): ElfRelocation[] {
    const sections = this.#relocations.get(sectionIndex) ?? [];
    return sections.flatMap((section) => readRelocations(section, this.#reader, this.symbols));
  }
}
