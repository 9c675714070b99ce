import { BpfError, ByteReader, toHex } from '../base/index.js';
import { Btf } from './btf.js';
import { BtfStringTable } from './string-table.js';
import { scanTypeRecords } from './type-records.js';

const BTF_MAGIC = 0xeb9f;
const BTF_VERSION = 1;
const MIN_HEADER_BYTES = 24;
const SECTION = '.BTF';

interface BtfHeader {
  /** From the start of the blob. */
  readonly typesAt: number;
  readonly typeBytes: number;
  readonly stringsAt: number;
  readonly stringBytes: number;
}

/**
 * Reads a BTF blob (an ELF object's .BTF section, or /sys/kernel/btf/vmlinux) of either endianness, after
 * the kernel's Documentation/bpf/btf.rst. The bytes are copied: they may be reused after the call. Corrupt
 * input is an EINVAL `BpfError` with the offset in the blob.
 */
export function parseBtf(bytes: Uint8Array): Btf {
  const reader = new ByteReader(bytes, isLittleEndian(bytes), SECTION);
  const header = readHeader(reader);
  const strings = reader.slice(header.stringsAt, header.stringBytes).slice();
  if (strings[0] !== 0 || strings[strings.length - 1] !== 0) {
    throw corrupt('BTF string table does not start and end with NUL', header.stringsAt, header.stringBytes);
  }
  const words = readWords(reader, header.typesAt, header.typeBytes);
  const records = scanTypeRecords(words, strings.byteLength, header.typesAt);
  return new Btf(records, new BtfStringTable(strings), reader.littleEndian);
}

function isLittleEndian(bytes: Uint8Array): boolean {
  if (bytes.length >= 2) {
    if (bytes[0] === 0x9f && bytes[1] === 0xeb) return true;
    if (bytes[0] === 0xeb && bytes[1] === 0x9f) return false;
  }
  throw new BpfError('EINVAL', 'not BTF: the magic number is missing', {
    section: SECTION,
    offset: 0,
    value: toHex(bytes.subarray(0, 2), ' '),
    remedy: `BTF begins with 0x${BTF_MAGIC.toString(16)}`,
  });
}

function readHeader(reader: ByteReader): BtfHeader {
  const version = reader.u8(2);
  if (version !== BTF_VERSION) throw corrupt('BTF has an unknown version', 2, version);
  const headerBytes = reader.u32(4);
  if (headerBytes < MIN_HEADER_BYTES) throw corrupt('BTF header is too short', 4, headerBytes);
  if (headerBytes % 4 !== 0) throw corrupt('BTF header length is not a multiple of 4', 4, headerBytes);
  const [typeOffset, typeBytes, stringOffset, stringBytes] = [8, 12, 16, 20].map((at) => reader.u32(at));
  if (typeOffset % 4 !== 0) throw corrupt('BTF type section is not aligned', 8, typeOffset);
  if (typeBytes % 4 !== 0) throw corrupt('BTF type section is not a whole number of words', 12, typeBytes);
  if (typeOffset + typeBytes > stringOffset) throw corrupt('BTF type and string sections overlap', 16, stringOffset);
  if (stringBytes === 0) throw corrupt('BTF string section is empty', 20, stringBytes);
  if (headerBytes + stringOffset + stringBytes > reader.length) {
    throw corrupt('BTF string section runs past the end', 20, stringBytes);
  }
  return { typesAt: headerBytes + typeOffset, typeBytes, stringsAt: headerBytes + stringOffset, stringBytes };
}

/** The section as words in host order. Its length was checked against the blob's. */
function readWords(reader: ByteReader, at: number, byteLength: number): Uint32Array {
  const { bytes, littleEndian } = reader;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, byteLength);
  const words = new Uint32Array(byteLength / 4);
  for (let i = 0; i < words.length; i++) words[i] = view.getUint32(i * 4, littleEndian);
  return words;
}

function corrupt(what: string, offset: number, value: number): BpfError {
  return new BpfError('EINVAL', what, { section: SECTION, offset, value, remedy: 'the BTF is truncated or corrupt' });
}
