import type { PtRegs } from '../pt-regs.js';
import type { Word64 } from '../word64.js';

/** `out` = general register `n`, which lies in slot `n`; register 0 is 0, whatever lies in its slot. */
export function readRegister(out: Word64, regs: PtRegs, n: number): void {
  out.lo = n === 0 ? 0 : regs.lo(n);
  out.hi = n === 0 ? 0 : regs.hi(n);
}

/** General register `n` = (lo, hi); register 0 stays 0. */
export function writeRegister(regs: PtRegs, n: number, lo: number, hi: number): void {
  if (n !== 0) regs.set(n, lo, hi);
}
