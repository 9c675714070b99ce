import { readFileSync } from 'node:fs';
import { parseBtf, type Btf } from '../../src/btf/index.js';

const HEADER_SIZE = 24;

/** The types in an unpacked kernel image, found by the header of its .BTF section; null where it has none. */
export function btfOfImage(path: string): Btf | null {
  const image = readFileSync(path);
  const magic = Buffer.of(0x9f, 0xeb, 1, 0, HEADER_SIZE, 0, 0, 0);
  for (let at = image.indexOf(magic); at >= 0; at = image.indexOf(magic, at + 1)) {
    const strings = image.readUInt32LE(at + 16);
    const end = at + HEADER_SIZE + strings + image.readUInt32LE(at + 20);
    // Types come first, and a kernel has many.
    if (image.readUInt32LE(at + 8) === 0 && strings > 1 << 16 && end <= image.length) {
      return parseBtf(image.subarray(at, end));
    }
  }
  return null;
}
