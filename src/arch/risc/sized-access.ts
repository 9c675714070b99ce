import type { InsnMemory } from '../arch.js';
import type { Word64 } from '../word64.js';

const scratch = new Uint8Array(8);
const view = new DataView(scratch.buffer);

/** Reads 1, 2, 4 or 8 bytes, little-endian, into `out`, its sign extended if `signed`; false is a fault. */
export function loadSized(
  memory: InsnMemory,
  lo: number,
  hi: number,
  size: number,
  signed: boolean,
  out: Word64,
): boolean {
  view.setInt32(0, 0, true);
  view.setInt32(4, 0, true);
  if (!memory.read(lo, hi, scratch, size)) return false;
  out.lo = view.getInt32(0, true);
  out.hi = view.getInt32(4, true);
  if (!signed || size === 8) return true;
  if (size < 4) out.lo = (out.lo << (32 - 8 * size)) >> (32 - 8 * size);
  out.hi = out.lo >> 31;
  return true;
}

/** Writes the low 1, 2, 4 or 8 bytes of `value`, little-endian; false is a fault. */
export function storeSized(memory: InsnMemory, lo: number, hi: number, size: number, value: Word64): boolean {
  view.setInt32(0, value.lo, true);
  view.setInt32(4, value.hi, true);
  return memory.write(lo, hi, scratch, size);
}
