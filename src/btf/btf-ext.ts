import { BpfError, ByteReader } from '../base/index.js';
import type { Btf } from './btf.js';
import { type CoreRelocation, coreReloKinds } from './core/core-relocation.js';

const SECTION = '.BTF.ext';
const BTF_MAGIC = 0xeb9f;
const MIN_HEADER_BYTES = 24;
/** Headers of this length and more tell where CO-RE relocations are. */
const CORE_HEADER_BYTES = 32;

/** Records of one kind that belong to one ELF section. */
export interface BtfExtSection<Row> {
  readonly section: string;
  readonly records: readonly Row[];
}

/** Which function starts at an instruction (struct bpf_func_info). */
export interface BtfFuncInfo {
  /** Byte offset in the section. */
  readonly insnOffset: number;
  /** Id of the `func`. */
  readonly typeId: number;
}

/** Where an instruction comes from (struct bpf_line_info); strings are offsets for `Btf.string`. */
export interface BtfLineInfo {
  readonly insnOffset: number;
  readonly fileName: number;
  readonly text: number;
  readonly line: number;
  readonly column: number;
}

/** What an object's .BTF.ext section says about its instructions, in file order. */
export interface BtfExt {
  readonly functions: readonly BtfExtSection<BtfFuncInfo>[];
  readonly lines: readonly BtfExtSection<BtfLineInfo>[];
  readonly relocations: readonly BtfExtSection<CoreRelocation>[];
}

/** Reads a .BTF.ext section; `btf` is the .BTF section of the same object. Corrupt input is an EINVAL `BpfError`. */
export function parseBtfExt(bytes: Uint8Array, btf: Btf): BtfExt {
  const reader = new ByteReader(bytes, btf.littleEndian, SECTION);
  if (reader.u16(0) !== BTF_MAGIC) throw corrupt('.BTF.ext has the wrong magic number or endianness', 0, reader.u16(0));
  if (reader.u8(2) !== 1) throw corrupt('.BTF.ext has an unknown version', 2, reader.u8(2));
  const headerBytes = reader.u32(4);
  if (headerBytes < MIN_HEADER_BYTES) throw corrupt('.BTF.ext header is too short', 4, headerBytes);
  const part = (header: number): Part => ({
    reader,
    btf,
    at: headerBytes + reader.u32(header),
    length: reader.u32(header + 4),
  });
  return {
    functions: readSections(part(8), 8, (at) => ({ insnOffset: reader.u32(at), typeId: reader.u32(at + 4) })),
    lines: readSections(part(16), 16, (at) => readLine(reader, at)),
    relocations:
      headerBytes < CORE_HEADER_BYTES ? [] : readSections(part(24), 16, (at) => readRelocation(reader, btf, at)),
  };
}

interface Part {
  readonly reader: ByteReader;
  readonly btf: Btf;
  readonly at: number;
  readonly length: number;
}

/** A part is the size of a record, then for each ELF section its name, a count, and that many records. */
function readSections<Row>(part: Part, minRecordBytes: number, read: (at: number) => Row): BtfExtSection<Row>[] {
  const { reader, btf, at, length } = part;
  if (length === 0) return [];
  const end = at + length;
  reader.slice(at, length);
  const recordBytes = reader.u32(at);
  if (recordBytes < minRecordBytes || recordBytes % 4 !== 0)
    throw corrupt('.BTF.ext has an impossible record size', at, recordBytes);
  const sections: BtfExtSection<Row>[] = [];
  let cursor = at + 4;
  while (cursor < end) {
    const count = reader.u32(cursor + 4);
    const first = cursor + 8;
    if (count === 0 || first + count * recordBytes > end)
      throw corrupt('.BTF.ext has an impossible number of records', cursor + 4, count);
    const records = Array.from({ length: count }, (_, i) => read(first + i * recordBytes));
    sections.push({ section: btf.string(reader.u32(cursor)), records });
    cursor = first + count * recordBytes;
  }
  return sections;
}

function readLine(reader: ByteReader, at: number): BtfLineInfo {
  const position = reader.u32(at + 12);
  return {
    insnOffset: reader.u32(at),
    fileName: reader.u32(at + 4),
    text: reader.u32(at + 8),
    line: position >>> 10,
    column: position & 0x3ff,
  };
}

function readRelocation(reader: ByteReader, btf: Btf, at: number): CoreRelocation {
  const kind = coreReloKinds[reader.u32(at + 12)];
  if (kind === undefined) throw corrupt('unknown kind of CO-RE relocation', at + 12, reader.u32(at + 12));
  return { insnOffset: reader.u32(at), typeId: reader.u32(at + 4), access: btf.string(reader.u32(at + 8)), kind };
}

function corrupt(what: string, offset: number, value: number): BpfError {
  return new BpfError('EINVAL', what, {
    section: SECTION,
    offset,
    value,
    remedy: 'the section is truncated or corrupt',
  });
}
