import type { InsnMemory } from './arch.js';
import type { PtRegs } from './pt-regs.js';

/** A 64-bit value in two words, reused: the result of the last operation. */
export interface Word64 {
  lo: number;
  hi: number;
}

/** `out` = (lo, hi) + (addLo, addHi), modulo 2^64. */
export function add64(out: Word64, lo: number, hi: number, addLo: number, addHi: number): void {
  const low = (lo + addLo) | 0;
  out.hi = (hi + addHi + (low >>> 0 < lo >>> 0 ? 1 : 0)) | 0;
  out.lo = low;
}

/** `out` = `regs[slot]` + a sign-extended 32-bit number. */
export function addToSlot(out: Word64, regs: PtRegs, slot: number, amount: number): void {
  add64(out, regs.lo(slot), regs.hi(slot), amount, amount >> 31);
}

const scratch = new Uint8Array(8);
const scratchView = new DataView(scratch.buffer);

/** Reads eight bytes, little-endian, into `out`; false is a fault. */
export function load64(memory: InsnMemory, lo: number, hi: number, out: Word64): boolean {
  if (!memory.read(lo, hi, scratch, 8)) return false;
  out.lo = scratchView.getInt32(0, true);
  out.hi = scratchView.getInt32(4, true);
  return true;
}

/** Writes eight bytes, little-endian; false is a fault. */
export function store64(memory: InsnMemory, lo: number, hi: number, valueLo: number, valueHi: number): boolean {
  scratchView.setInt32(0, valueLo, true);
  scratchView.setInt32(4, valueHi, true);
  return memory.write(lo, hi, scratch, 8);
}
