import { hi32, lo32 } from '../../base/index.js';
import type { InsnMemory } from '../arch.js';
import type { PtRegs } from '../pt-regs.js';
import { add64, type Word64 } from '../word64.js';
import type { X86Insn } from './insn.js';
import type { X86Mode } from './mode.js';

/** Bytes of an operand. */
export type OperandSize = 1 | 2 | 4 | 8;

/** Where a simulated instruction reads: values are zero-extended. False: a memory fault. */
export interface Source {
  load(regs: PtRegs, memory: InsnMemory, out: Word64): boolean;
}

/** Where it reads or writes. A faulting store has changed nothing. */
export interface Place extends Source {
  store(regs: PtRegs, memory: InsnMemory, lo: number, hi: number): boolean;
}

/** A memory operand, taken out of the decoder's reusable object. */
export interface MemoryOperand {
  /** Slots of base and index, -1 for none. */
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  /** Displacement; for RIP-relative operands the whole address. */
  readonly dispLo: number;
  readonly dispHi: number;
  /** The address is cut to 32 bits. */
  readonly narrow: boolean;
}

/** The memory operand of `insn`, which stands at `address`. Addresses of 16 bits have no such operand. */
export function memoryOperand(insn: X86Insn, address: bigint, mode: X86Mode): MemoryOperand {
  const origin = insn.ripRelative ? address + BigInt(insn.length) : 0n;
  const disp = origin + BigInt(insn.disp);
  return {
    base: insn.base < 0 ? -1 : mode.slotOfRegister[insn.base],
    index: insn.index < 0 ? -1 : mode.slotOfRegister[insn.index],
    scale: insn.scale,
    dispLo: lo32(disp),
    dispHi: hi32(disp),
    narrow: insn.addressSize === 4,
  };
}

/** Whether the operand is a register, or memory whose address the registers of a trap tell. */
export function hasFlatOperand(insn: X86Insn): boolean {
  return !insn.memory || (insn.segment < 0x64 && insn.addressSize !== 2);
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

const scratch = new Uint8Array(8);
const scratchView = new DataView(scratch.buffer);
const address: Word64 = { lo: 0, hi: 0 };

/** Reads `size` bytes, zero-extended, into `out`; false is a fault. */
export function load(memory: InsnMemory, lo: number, hi: number, size: OperandSize, out: Word64): boolean {
  if (!memory.read(lo, hi, scratch, size)) return false;
  out.hi = size === 8 ? scratchView.getInt32(4, true) : 0;
  out.lo = size >= 4 ? scratchView.getInt32(0, true) : size === 2 ? scratchView.getUint16(0, true) : scratch[0];
  return true;
}

/** Writes the low `size` bytes; false is a fault. */
export function store(
  memory: InsnMemory,
  lo: number,
  hi: number,
  size: OperandSize,
  valueLo: number,
  valueHi: number,
): boolean {
  scratchView.setInt32(0, valueLo, true);
  scratchView.setInt32(4, valueHi, true);
  return memory.write(lo, hi, scratch, size);
}

export function memoryPlace(operand: MemoryOperand, size: OperandSize): Place {
  return {
    load(regs, memory, out) {
      effectiveAddress(operand, regs, address);
      return load(memory, address.lo, address.hi, size, out);
    },
    store(regs, memory, lo, hi) {
      effectiveAddress(operand, regs, address);
      return store(memory, address.lo, address.hi, size, lo, hi);
    },
  };
}

/**
 * A general register by its number in encodings. 32 bits written clear the upper half, 8 and 16 keep what is around
 * them; without a REX prefix the byte registers 4 to 7 are ah, ch, dh and bh.
 */
export function registerPlace(mode: X86Mode, register: number, size: OperandSize, hasRex: boolean): Place {
  const isHigh = size === 1 && !hasRex && register >= 4 && register < 8;
  const slot = mode.slotOfRegister[isHigh ? register - 4 : register];
  if (size === 8) return wholeRegister(slot);
  return size === 4 ? halfRegister(slot) : partOfRegister(slot, isHigh ? 8 : 0, size === 1 ? 0xff : 0xffff);
}

function wholeRegister(slot: number): Place {
  return {
    load(regs, _memory, out) {
      out.lo = regs.lo(slot);
      out.hi = regs.hi(slot);
      return true;
    },
    store(regs, _memory, lo, hi) {
      regs.set(slot, lo, hi);
      return true;
    },
  };
}

function halfRegister(slot: number): Place {
  return {
    load(regs, _memory, out) {
      out.lo = regs.lo(slot);
      out.hi = 0;
      return true;
    },
    store(regs, _memory, lo) {
      regs.set(slot, lo, 0);
      return true;
    },
  };
}

function partOfRegister(slot: number, shift: number, mask: number): Place {
  return {
    load(regs, _memory, out) {
      out.lo = (regs.lo(slot) >>> shift) & mask;
      out.hi = 0;
      return true;
    },
    store(regs, _memory, lo) {
      const kept = regs.lo(slot) & ~(mask << shift);
      regs.set(slot, kept | ((lo & mask) << shift), regs.hi(slot));
      return true;
    },
  };
}

/** An immediate, sign-extended by the decoder, cut to `size`. */
export function immediate(lo: number, hi: number, size: OperandSize): Source {
  const low = size >= 4 ? lo : lo & (size === 1 ? 0xff : 0xffff);
  const high = size === 8 ? hi : 0;
  return {
    load(_regs, _memory, out) {
      out.lo = low;
      out.hi = high;
      return true;
    },
  };
}
