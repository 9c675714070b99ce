import type { Btf } from './btf.js';

export const BTF_MAGIC = 0xeb9f;
export const BTF_VERSION = 1;
export const BTF_HEADER_BYTES = 24;

/**
 * The bytes of a .BTF section: header, types, strings, as Linux's btf_header lays them out. What `parseBtf` read comes
 * out byte for byte, its string table included, if its sections followed each other; split BTF gives the split part
 * only. `littleEndian` asks for another byte order than the one the types have; bit-fields keep their offsets, as with
 * libbpf's btf__set_endianness.
 */
export function encodeBtf(btf: Btf, littleEndian: boolean = btf.littleEndian): Uint8Array {
  const { words } = btf.records;
  const strings = btf.strings.bytes;
  const typeBytes = words.length * 4;
  const bytes = new Uint8Array(BTF_HEADER_BYTES + typeBytes + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, BTF_MAGIC, littleEndian);
  view.setUint8(2, BTF_VERSION);
  [BTF_HEADER_BYTES, 0, typeBytes, typeBytes, strings.length].forEach((value, i) =>
    view.setUint32(4 + 4 * i, value, littleEndian),
  );
  for (let i = 0; i < words.length; i++) view.setUint32(BTF_HEADER_BYTES + 4 * i, words[i], littleEndian);
  bytes.set(strings, BTF_HEADER_BYTES + typeBytes);
  return bytes;
}
