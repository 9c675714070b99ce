import { hi32, lo32 } from '../../base/index.js';
import type { InsnMemory, SimulateInsn } from '../arch.js';
import type { PtRegs } from '../pt-regs.js';
import type { Word64 } from '../word64.js';
import { Arm64Pstate, Arm64Slot } from './pt-regs.js';

/** Number of the zero register, or of the stack pointer, in encodings. */
export const REGISTER_31 = 31;

/** Goes on at `lo`, `hi`. As behind every instruction executed no branch has led there: BTYPE is 0. */
export function goTo(regs: PtRegs, lo: number, hi: number): void {
  regs.set(Arm64Slot.pc, lo, hi);
  const bits = regs.lo(Arm64Slot.pstate);
  if ((bits & Arm64Pstate.BTYPE) !== 0)
    regs.set(Arm64Slot.pstate, bits & ~Arm64Pstate.BTYPE, regs.hi(Arm64Slot.pstate));
}

/** An instruction that goes on at `next` after its effect, unless that faulted. */
export function advance(next: bigint, effect: (regs: PtRegs, memory: InsnMemory) => boolean): SimulateInsn {
  const lo = lo32(next);
  const hi = hi32(next);
  return (regs, memory) => {
    if (!effect(regs, memory)) return false;
    goTo(regs, lo, hi);
    return true;
  };
}

export function simulateNop(next: bigint): SimulateInsn {
  return advance(next, () => true);
}

/** Puts the register numbered `n` into `out`; 31 is zero. */
export function readRegister(out: Word64, regs: PtRegs, n: number): void {
  out.lo = n === REGISTER_31 ? 0 : regs.lo(n);
  out.hi = n === REGISTER_31 ? 0 : regs.hi(n);
}

/** Sets the register numbered `n`, or, if that is 31, nothing. */
export function writeRegister(regs: PtRegs, n: number, lo: number, hi: number): void {
  if (n !== REGISTER_31) regs.set(n, lo, hi);
}

/** The signed number in the `width` bits of `word` from bit `from` on. */
export function signedField(word: number, from: number, width: number): number {
  return (word << (32 - from - width)) >> (32 - width);
}
