import type { PtRegs } from '../pt-regs.js';
import type { Word64 } from '../word64.js';

/** `out` = register x`n`. */
export function readX(out: Word64, regs: PtRegs, n: number): void {
  // In the slot of x0 stands the pc.
  out.lo = n === 0 ? 0 : regs.lo(n);
  out.hi = n === 0 ? 0 : regs.hi(n);
}

/** Register x`n` = (lo, hi); x0 stays 0. */
export function writeX(regs: PtRegs, n: number, lo: number, hi: number): void {
  if (n !== 0) regs.set(n, lo, hi);
}
