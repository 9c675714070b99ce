import { BpfError, ByteReader, toHex } from '../base/index.js';
import { Btf } from './btf.js';
import { BTF_HEADER_BYTES, BTF_MAGIC, BTF_VERSION } from './encode.js';
import { BtfStringTable } from './string-table.js';
import { scanTypeRecords } from './type-records.js';

const SECTION = '.BTF';

/** Whether this machine keeps words as little-endian BTF does. */
const hostIsLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

interface BtfHeader {
  /** From the start of the blob. */
  readonly typesAt: number;
  readonly typeBytes: number;
  readonly stringsAt: number;
  readonly stringBytes: number;
}

/**
 * Reads a BTF blob (an ELF object's .BTF section, or /sys/kernel/btf/vmlinux) of either endianness, after
 * the kernel's Documentation/bpf/btf.rst. The bytes are copied: they may be reused after the call. With `base` the
 * blob is split BTF, a module's: its ids and string offsets go on where the base's end. Corrupt input is an EINVAL
 * `BpfError` with the offset in the blob.
 */
export function parseBtf(bytes: Uint8Array, base?: Btf): Btf {
  const reader = new ByteReader(bytes, isLittleEndian(bytes), SECTION);
  const header = readHeader(reader, base !== undefined);
  if (base !== undefined && base.littleEndian !== reader.littleEndian) {
    throw corrupt('split BTF and its base differ in byte order', 0, reader.u16(0));
  }
  const strings = new BtfStringTable(readStrings(reader, header, base !== undefined), base?.strings);
  const words = readWords(reader, header.typesAt, header.typeBytes);
  const records = scanTypeRecords(words, {
    firstId: base?.typeCount ?? 1,
    stringsEnd: strings.end,
    sectionOffset: header.typesAt,
  });
  return new Btf(records, strings, reader.littleEndian, base);
}

/** The table of split BTF may be empty and need not begin with the empty string: that is the base's. */
function readStrings(reader: ByteReader, { stringsAt, stringBytes }: BtfHeader, isSplit: boolean): Uint8Array {
  // Not slice(): of a Buffer it is no copy.
  const strings = new Uint8Array(reader.slice(stringsAt, stringBytes));
  const startsWell = isSplit || strings[0] === 0;
  const endsWell = (isSplit && stringBytes === 0) || strings[stringBytes - 1] === 0;
  if (startsWell && endsWell) return strings;
  throw corrupt('BTF string table does not start and end with NUL', stringsAt, stringBytes);
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

function readHeader(reader: ByteReader, isSplit: boolean): BtfHeader {
  const version = reader.u8(2);
  if (version !== BTF_VERSION) throw corrupt('BTF has an unknown version', 2, version);
  const headerBytes = reader.u32(4);
  if (headerBytes < BTF_HEADER_BYTES) throw corrupt('BTF header is too short', 4, headerBytes);
  if (headerBytes % 4 !== 0) throw corrupt('BTF header length is not a multiple of 4', 4, headerBytes);
  const [typeOffset, typeBytes, stringOffset, stringBytes] = [8, 12, 16, 20].map((at) => reader.u32(at));
  if (typeOffset % 4 !== 0) throw corrupt('BTF type section is not aligned', 8, typeOffset);
  if (typeBytes % 4 !== 0) throw corrupt('BTF type section is not a whole number of words', 12, typeBytes);
  if (typeOffset + typeBytes > stringOffset) throw corrupt('BTF type and string sections overlap', 16, stringOffset);
  if (stringBytes === 0 && !isSplit) throw corrupt('BTF string section is empty', 20, stringBytes);
  if (headerBytes + stringOffset + stringBytes > reader.length) {
    throw corrupt('BTF string section runs past the end', 20, stringBytes);
  }
  return { typesAt: headerBytes + typeOffset, typeBytes, stringsAt: headerBytes + stringOffset, stringBytes };
}

/** The section as words in host order. Its length was checked against the blob's. */
function readWords(reader: ByteReader, at: number, byteLength: number): Uint32Array {
  const { bytes, littleEndian } = reader;
  if (littleEndian === hostIsLittleEndian)
    return new Uint32Array(new Uint8Array(bytes.subarray(at, at + byteLength)).buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, byteLength);
  const words = new Uint32Array(byteLength / 4);
  for (let i = 0; i < words.length; i++) words[i] = view.getUint32(i * 4, littleEndian);
  return words;
}

function corrupt(what: string, offset: number, value: number): BpfError {
  return new BpfError('EINVAL', what, { section: SECTION, offset, value, remedy: 'the BTF is truncated or corrupt' });
}
