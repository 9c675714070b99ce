import { BpfError, ByteReader } from '../../base/index.js';

/** A part of the file that is mapped. */
export interface ElfSegment {
  readonly offset: number;
  readonly address: bigint;
  readonly fileSize: bigint;
  readonly executable: boolean;
}

export interface ElfImageSection {
  readonly name: string;
  readonly type: number;
  readonly address: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

export interface ElfImageSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly size: bigint;
  readonly function: boolean;
}

const PT_LOAD = 1;
const PF_X = 1;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const SHT_NOBITS = 8;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;

/**
 * What uprobes need of a program or library: segments, sections, symbols. 32 and 64 bits, both byte orders; section
 * headers may be missing. Everything that does not fit is EINVAL with its offset.
 */
export class ElfImage {
  readonly is64: boolean;
  readonly littleEndian: boolean;
  readonly segments: readonly ElfSegment[];
  readonly sections: readonly ElfImageSection[];
  readonly #reader: ByteReader;

  constructor(bytes: Uint8Array, path: string) {
    const isElf = bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
    if (!isElf || bytes.length < 52) {
      throw new BpfError('EINVAL', `reading ${path}`, { offset: 0, remedy: 'it is no ELF file' });
    }
    this.is64 = bytes[4] === 2;
    this.littleEndian = bytes[5] !== 2;
    this.#reader = new ByteReader(bytes, this.littleEndian, path);
    this.segments = this.#readSegments();
    this.sections = this.#readSections();
  }

  /** Offset in the file of what is mapped at `address` of the linked image; null where nothing of the file is. */
  offsetOf(address: bigint): number | null {
    const segment = this.segments.find((s) => address >= s.address && address < s.address + s.fileSize);
    return segment === undefined ? null : segment.offset + Number(address - segment.address);
  }

  /** The address in the linked image of what lies at `offset` of the file; null where it is not mapped. */
  addressOf(offset: number): bigint | null {
    const segment = this.segments.find((s) => offset >= s.offset && BigInt(offset - s.offset) < s.fileSize);
    return segment === undefined ? null : segment.address + BigInt(offset - segment.offset);
  }

  /** Symbols of .symtab and .dynsym, in the order of the file. */
  symbols(): ElfImageSymbol[] {
    const tables = this.sections.filter(({ type }) => type === SHT_SYMTAB || type === SHT_DYNSYM);
    return tables.flatMap((table) => this.#readSymbols(table));
  }

  section(name: string): ElfImageSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** A view of the section's bytes; none where it takes no room in the file. */
  bytesOf({ type, offset, size }: ElfImageSection): Uint8Array {
    return type === SHT_NOBITS ? new Uint8Array(0) : this.#reader.slice(offset, size);
  }

  #word(offset: number): bigint {
    return this.is64 ? this.#reader.u64(offset) : BigInt(this.#reader.u32(offset));
  }

  #offset(at: number, what: string): number {
    return this.is64 ? this.#reader.size64(at, what) : this.#reader.u32(at);
  }

  #readSegments(): ElfSegment[] {
    const start = this.#offset(this.is64 ? 32 : 28, 'the offset of the program headers');
    const count = this.#reader.u16(this.is64 ? 56 : 44);
    const size = this.#reader.u16(this.is64 ? 54 : 42);
    const headers = Array.from({ length: count }, (_, i) => start + i * size);
    return headers
      .filter((at) => this.#reader.u32(at) === PT_LOAD)
      .map((at) => ({
        offset: this.#offset(at + (this.is64 ? 8 : 4), 'the offset of a segment'),
        address: this.#word(at + (this.is64 ? 16 : 8)),
        fileSize: this.#word(at + (this.is64 ? 32 : 16)),
        executable: (this.#reader.u32(at + (this.is64 ? 4 : 24)) & PF_X) !== 0,
      }));
  }

  #readSections(): ElfImageSection[] {
    const start = this.#offset(this.is64 ? 40 : 32, 'the offset of the section headers');
    const size = this.#reader.u16(this.is64 ? 58 : 46);
    const count = start === 0 ? 0 : this.#reader.u16(this.is64 ? 60 : 48);
    const names = this.#reader.u16(this.is64 ? 62 : 50);
    if (names >= count) return [];
    const namesAt = this.#offset(start + names * size + (this.is64 ? 24 : 16), 'the offset of the section names');
    return Array.from({ length: count }, (_, i) => {
      const at = start + i * size;
      return {
        name: i === 0 ? '' : this.#reader.cstring(namesAt + this.#reader.u32(at)),
        type: this.#reader.u32(at + 4),
        address: this.#word(at + (this.is64 ? 16 : 12)),
        offset: this.#offset(at + (this.is64 ? 24 : 16), 'the offset of a section'),
        size: this.#offset(at + (this.is64 ? 32 : 20), 'the size of a section'),
        link: this.#reader.u32(at + (this.is64 ? 40 : 24)),
      };
    });
  }

  #readSymbols(table: ElfImageSection): ElfImageSymbol[] {
    const strings = this.sections[table.link];
    if (strings === undefined) {
      throw new BpfError('EINVAL', 'a symbol table without names', {
        section: table.name,
        offset: table.offset,
        value: table.link,
        remedy: 'the file is corrupt',
      });
    }
    const size = this.is64 ? 24 : 16;
    this.#reader.slice(table.offset, table.size);
    return Array.from({ length: Math.floor(table.size / size) }, (_, i) => {
      const at = table.offset + i * size;
      const type = this.#reader.u8(at + (this.is64 ? 4 : 12)) & 0xf;
      return {
        name: this.#reader.cstring(strings.offset + this.#reader.u32(at)),
        address: this.#word(at + (this.is64 ? 8 : 4)),
        size: this.#word(at + (this.is64 ? 16 : 8)),
        function: type === STT_FUNC || type === STT_GNU_IFUNC,
      };
    });
  }
}
