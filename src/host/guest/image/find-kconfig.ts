import { utf8Text } from '../../../base/index.js';
import { indexOfBytes } from './index-of-bytes.js';
import { packFormat, type Unpackers } from './unpack.js';

const START = new TextEncoder().encode('IKCFG_ST');
const END = new TextEncoder().encode('IKCFG_ED');

/**
 * The configuration that a kernel with CONFIG_IKCONFIG carries (/proc/config.gz), found in its image or in a copy of its
 * memory; null where there is none, or nobody unpacks gzip.
 */
export function findKconfig(bytes: Uint8Array, { gzip }: Unpackers): string | null {
  if (gzip === undefined) return null;
  for (let at = indexOfBytes(bytes, START, 0); at >= 0; at = indexOfBytes(bytes, START, at + 1)) {
    const packed = bytes.subarray(at + START.length);
    if (packFormat(packed) !== 'gzip') continue;
    const end = indexOfBytes(packed, END, 0);
    const text = end < 0 ? null : unpacked(packed.subarray(0, end), gzip);
    if (text !== null) return text;
  }
  return null;
}

function unpacked(packed: Uint8Array, gzip: NonNullable<Unpackers['gzip']>): string | null {
  try {
    return utf8Text(gzip(packed));
  } catch {
    // It only looked like one: bytes found in memory may be anything.
    return null;
  }
}
