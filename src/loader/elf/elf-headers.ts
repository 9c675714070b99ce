import { BpfError, type ByteReader, toHex } from '../../base/index.js';
import { machineName, otherFileKind } from './file-kinds.js';
import { SectionType } from './elf-constants.js';

const ELF_MAGIC = 0x7f454c46;
const CLASS_64 = 2;
const TYPE_RELOCATABLE = 1;
const MACHINE_BPF = 247;
/** What LLVM wrote before BPF had a machine number. */
const MACHINE_NONE = 0;
const FILE_HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;

/** One section header. `offset` and `size` were checked against the file unless the section takes no bytes in it. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly entrySize: number;
  /** 0 and 1: none. */
  readonly alignment: number;
}

/** The byte order that the file declares; a file without ELF's magic number is refused. */
export function isLittleEndian(bytes: Uint8Array): boolean {
  const data = bytes[5];
  if (bytes.length >= 6 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === ELF_MAGIC) {
    if (data === 1) return true;
    if (data === 2) return false;
    throw malformed('ELF file has an unknown byte order', 5, data);
  }
  const other = otherFileKind(bytes);
  throw new BpfError('EINVAL', other === undefined ? 'not an ELF file' : `not an ELF file but ${other.what}`, {
    section: 'ELF file',
    offset: 0,
    value: toHex(bytes.subarray(0, 4), ' '),
    remedy: other?.remedy ?? 'give an object file as clang -target bpf -c writes it',
  });
}

export function checkIsBpfObject(reader: ByteReader): void {
  const machine = reader.u16(18);
  if (machine !== MACHINE_BPF && machine !== MACHINE_NONE)
    throw malformed(`ELF file is not for BPF but for ${machineName(machine)}`, 18, machine);
  const type = reader.u16(16);
  if (type !== TYPE_RELOCATABLE) throw malformed('ELF file is not relocatable', 16, type);
}

/** All section headers of a 64-bit ELF file of any machine, checked against the file's length. */
export function readSections(reader: ByteReader): ElfSection[] {
  reader.slice(0, FILE_HEADER_BYTES);
  if (reader.u8(4) !== CLASS_64) throw malformed('ELF file is not a 64-bit one', 4, reader.u8(4));
  const headerBytes = reader.u16(58);
  if (headerBytes !== SECTION_HEADER_BYTES) throw malformed('ELF section headers have the wrong size', 58, headerBytes);
  const table = reader.size64(40, 'offset of the section headers');
  const count = reader.u16(60);
  const nameSection = reader.u16(62);
  reader.slice(table, count * SECTION_HEADER_BYTES);
  if (count === 0) throw malformed('ELF file has no sections', 60, count);
  if (nameSection >= count) throw malformed('ELF file has no section names', 62, nameSection);
  const headers = Array.from({ length: count }, (_, index) => readSectionHeader(reader, table, index));
  const names = headers[nameSection];
  for (const header of headers) checkExtent(reader, header, table);
  checkOverlap(reader, headers, table);
  return headers.map((header) => ({
    ...header,
    name: readName(reader, names, header.nameOffset, table + header.index * SECTION_HEADER_BYTES),
  }));
}

type SectionHeader = Omit<ElfSection, 'name'> & { readonly nameOffset: number };

function readSectionHeader(reader: ByteReader, table: number, index: number): SectionHeader {
  const at = table + index * SECTION_HEADER_BYTES;
  return {
    index,
    nameOffset: reader.u32(at),
    type: reader.u32(at + 4),
    flags: reader.u32(reader.littleEndian ? at + 8 : at + 12),
    offset: reader.size64(at + 24, 'offset of a section'),
    size: reader.size64(at + 32, 'size of a section'),
    link: reader.u32(at + 40),
    info: reader.u32(at + 44),
    entrySize: reader.size64(at + 56, 'entry size of a section'),
    alignment: reader.u32(reader.littleEndian ? at + 48 : at + 52),
  };
}

const takesFileBytes = (header: SectionHeader): boolean =>
  header.type !== SectionType.NULL && header.type !== SectionType.NOBITS;

/** Sections that share bytes would let a small file stand for any amount of work. */
function checkOverlap(reader: ByteReader, headers: readonly SectionHeader[], table: number): void {
  const total = headers.filter(takesFileBytes).reduce((sum, header) => sum + header.size, 0);
  if (total > reader.length) throw malformed('ELF sections overlap', table, total);
}

function checkExtent(reader: ByteReader, header: SectionHeader, table: number): void {
  if (!takesFileBytes(header)) return;
  if (header.offset + header.size <= reader.length) return;
  throw malformed(
    `ELF section ${header.index} runs past the end of the file`,
    table + header.index * SECTION_HEADER_BYTES + 32,
    header.size,
  );
}

function readName(reader: ByteReader, names: SectionHeader, offset: number, headerAt: number): string {
  if (names.size === 0) return '';
  if (offset >= names.size) throw malformed('ELF section has a name outside the name section', headerAt, offset);
  return reader.cstring(names.offset + offset);
}

function malformed(what: string, offset: number, value: number): BpfError {
  return new BpfError('EINVAL', what, {
    section: 'ELF file',
    offset,
    value,
    remedy: 'give an intact object file as clang -target bpf -c writes it',
  });
}
