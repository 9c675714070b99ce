import type { PtRegs } from '../pt-regs.js';
import { add64, type Word64 } from '../word64.js';
import type { X86Insn } from './decode.js';
import { x86SlotOfRegister } from './pt-regs.js';
import { hi32, lo32 } from '../../base/index.js';

/** A memory operand, taken out of the decoder's reusable object. */
export interface MemoryOperand {
  /** Slots of base and index, -1 for none. */
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  /** Displacement; for RIP-relative operands the whole address. */
  readonly dispLo: number;
  readonly dispHi: number;
  /** 67 prefix: the address is cut to 32 bits. */
  readonly narrow: boolean;
}

/** The memory operand of `insn`, which stands at `address`. */
export function memoryOperand(insn: X86Insn, address: bigint): MemoryOperand {
  const origin = insn.ripRelative ? address + BigInt(insn.length) : 0n;
  const disp = origin + BigInt(insn.disp);
  return {
    base: insn.base < 0 ? -1 : slotOf(insn.base),
    index: insn.index < 0 ? -1 : slotOf(insn.index),
    scale: insn.scale,
    dispLo: lo32(disp),
    dispHi: hi32(disp),
    narrow: insn.addressSize === 4,
  };
}

/** Slot of a general register by its number in encodings. */
export function slotOf(register: number): number {
  return x86SlotOfRegister[register];
}

/** Puts the operand's linear address into `out` (segments with a base are not simulated). */
export function effectiveAddress(operand: MemoryOperand, regs: PtRegs, out: Word64): void {
  const { base, index, scale } = operand;
  out.lo = operand.dispLo;
  out.hi = operand.dispHi;
  if (base >= 0) add64(out, out.lo, out.hi, regs.lo(base), regs.hi(base));
  if (index >= 0) {
    const lo = regs.lo(index);
    const hi = scale === 0 ? regs.hi(index) : (regs.hi(index) << scale) | (lo >>> (32 - scale));
    add64(out, out.lo, out.hi, lo << scale, hi);
  }
  if (operand.narrow) out.hi = 0;
}
