import { BpfError } from '../../../base/index.js';

const MAGIC = 0x184c2102;
/** `lz4 -l` cuts its input into blocks of this size; each stands alone. */
const BLOCK_BYTES = 8 << 20;
const SECTION = 'lz4 payload';

/**
 * Unpacks the legacy frame of LZ4 that kernel images are packed with: a magic word, then blocks with their packed sizes.
 * Corrupt input is an EINVAL `BpfError` with the offset.
 */
export function unpackLz4Legacy(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint32(0, true) !== MAGIC) throw corrupt('this is no legacy lz4 frame', 0);
  const blocks: Uint8Array[] = [];
  let total = 0;
  for (let at = 4; at + 4 <= bytes.length;) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === MAGIC) continue;
    // What follows a kernel's last block (its size unpacked) is too large for a block, or runs past the end.
    if (size === 0 || at + size > bytes.length) break;
    const block = unpackBlock(bytes, at, at + size);
    blocks.push(block);
    total += block.length;
    at += size;
  }
  return concat(blocks, total);
}

function concat(blocks: readonly Uint8Array[], total: number): Uint8Array {
  const all = new Uint8Array(total);
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}

/** One block: runs of literals, each but the last followed by a copy of what was written before. */
function unpackBlock(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const out = new Uint8Array(BLOCK_BYTES);
  let to = 0;
  let at = start;
  const length = (nibble: number): number => {
    let sum = nibble;
    if (nibble !== 15) return sum;
    for (;;) {
      if (at >= end) throw corrupt('an lz4 length runs past its block', at);
      const more = bytes[at++];
      sum += more;
      if (more !== 255) return sum;
    }
  };
  while (at < end) {
    const token = bytes[at++];
    const literals = length(token >> 4);
    if (at + literals > end || to + literals > BLOCK_BYTES) throw corrupt('lz4 literals run past their block', at);
    out.set(bytes.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    if (at === end) break;
    if (at + 2 > end) throw corrupt('an lz4 block ends inside a match', at);
    const distance = bytes[at] | (bytes[at + 1] << 8);
    at += 2;
    if (distance === 0 || distance > to) throw corrupt('an lz4 match begins before its block', at - 2);
    const count = length(token & 15) + 4;
    if (to + count > BLOCK_BYTES) throw corrupt('an lz4 match runs past its block', at);
    copyMatch(out, to, distance, count);
    to += count;
  }
  return out.subarray(0, to);
}

/** A match may overlap what it writes: then bytes repeat. */
function copyMatch(out: Uint8Array, to: number, distance: number, count: number): void {
  if (distance >= count) out.copyWithin(to, to - distance, to - distance + count);
  else for (let i = 0; i < count; i++) out[to + i] = out[to - distance + i];
}

function corrupt(what: string, offset: number): BpfError {
  return new BpfError('EINVAL', what, { section: SECTION, offset, remedy: 'the kernel image is truncated or corrupt' });
}
