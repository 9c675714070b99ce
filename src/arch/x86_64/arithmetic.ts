import type { PtRegs } from '../pt-regs.js';

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
