import type { SimulateInsn } from '../arch.js';
import type { PtRegs } from '../pt-regs.js';
import type { Word64 } from '../word64.js';
import { Arm64Pstate, Arm64Slot } from './pt-regs.js';
import { advance, readRegister, writeRegister } from './straight.js';
import { shiftWord } from './word-shift.js';

const { pstate, sp } = Arm64Slot;
const left: Word64 = { lo: 0, hi: 0 };
const right: Word64 = { lo: 0, hi: 0 };
/** Carry and overflow of the last addition, as bits of pstate. */
let carryAndOverflow = 0;

/** add, adds, sub and subs of an immediate; mov to and from sp, cmp and cmn among them. */
export function simulateAddSubImmediate(word: number, next: bigint): SimulateInsn {
  const wide = word < 0;
  const subtract = (word & 0x4000_0000) !== 0;
  const setFlags = (word & 0x2000_0000) !== 0;
  const immediate = ((word >>> 10) & 0xfff) << ((word & 0x0040_0000) === 0 ? 0 : 12);
  const source = (word >>> 5) & 0x1f;
  const target = word & 0x1f;
  return advance(next, (regs) => {
    // Number 31 is the stack pointer, but for the target of adds and subs.
    left.lo = regs.lo(source);
    left.hi = regs.hi(source);
    right.lo = immediate;
    right.hi = 0;
    add(wide, subtract);
    if (setFlags) setResultFlags(regs, wide, carryAndOverflow);
    if (setFlags) writeRegister(regs, target, left.lo, left.hi);
    else regs.set(target, left.lo, left.hi);
    return true;
  });
}

/** Whether add or sub of an immediate writes the stack pointer. */
export function movesStackPointer(word: number): boolean {
  return (word & 0x1f) === sp && (word & 0x2000_0000) === 0;
}

/** add, adds, sub and subs of a shifted register; null where the encoding is reserved. */
export function simulateAddSubShifted(word: number, next: bigint): SimulateInsn | null {
  if (((word >>> 22) & 3) === 3 || isShiftReserved(word)) return null;
  const wide = word < 0;
  const subtract = (word & 0x4000_0000) !== 0;
  const setFlags = (word & 0x2000_0000) !== 0;
  const target = word & 0x1f;
  return advance(next, (regs) => {
    readOperands(regs, word);
    add(wide, subtract);
    if (setFlags) setResultFlags(regs, wide, carryAndOverflow);
    writeRegister(regs, target, left.lo, left.hi);
    return true;
  });
}

/** and, bic, orr, orn, eor, eon, ands and bics of a shifted register, mov among them; null where reserved. */
export function simulateLogical(word: number, next: bigint): SimulateInsn | null {
  if (isShiftReserved(word)) return null;
  if ((word & 0x7fe0_ffe0) === 0x2a00_03e0) return simulateMove(word, next);
  const wide = word < 0;
  const operation = (word >>> 29) & 3;
  const invert = (word & 0x0020_0000) === 0 ? 0 : -1;
  const target = word & 0x1f;
  return advance(next, (regs) => {
    readOperands(regs, word);
    left.lo = combine(operation, left.lo, right.lo ^ invert);
    left.hi = wide ? combine(operation, left.hi, right.hi ^ invert) : 0;
    if (operation === 3) setResultFlags(regs, wide, 0);
    writeRegister(regs, target, left.lo, left.hi);
    return true;
  });
}

/** mov between registers: the first instruction of most functions of a traced kernel. */
function simulateMove(word: number, next: bigint): SimulateInsn {
  const wide = word < 0;
  const source = (word >>> 16) & 0x1f;
  const target = word & 0x1f;
  return advance(next, (regs) => {
    readRegister(left, regs, source);
    writeRegister(regs, target, left.lo, wide ? left.hi : 0);
    return true;
  });
}

/** movn, movz and movk; null where the encoding is reserved. */
export function simulateMoveWide(word: number, next: bigint): SimulateInsn | null {
  const wide = word < 0;
  const operation = (word >>> 29) & 3;
  const place = (word >>> 21) & 3;
  if (operation === 1 || (!wide && place > 1)) return null;
  const target = word & 0x1f;
  const shift = (place & 1) * 16;
  const upper = place > 1;
  const bits = ((word >>> 5) & 0xffff) << shift;
  const kept = ~(0xffff << shift);
  return advance(next, (regs) => {
    if (operation === 3) readRegister(left, regs, target);
    else left.lo = left.hi = 0;
    if (upper) left.hi = (left.hi & kept) | bits;
    else left.lo = (left.lo & kept) | bits;
    if (operation === 0) {
      left.lo = ~left.lo;
      left.hi = ~left.hi;
    }
    writeRegister(regs, target, left.lo, wide ? left.hi : 0);
    return true;
  });
}

/** A shift of 32 bits or more, in an instruction of 32 bits. */
function isShiftReserved(word: number): boolean {
  return word >= 0 && (word & 0x8000) !== 0;
}

/** Rn goes to `left`, Rm, shifted, to `right`. */
function readOperands(regs: PtRegs, word: number): void {
  readRegister(left, regs, (word >>> 5) & 0x1f);
  readRegister(right, regs, (word >>> 16) & 0x1f);
  shiftWord(right, (word >>> 22) & 3, (word >>> 10) & 0x3f, word >= 0);
}

/** `left` becomes the sum or difference of `left` and `right`. */
function add(wide: boolean, subtract: boolean): void {
  const rightLo = subtract ? ~right.lo : right.lo;
  const rightHi = subtract ? ~right.hi : right.hi;
  const low = (left.lo >>> 0) + (rightLo >>> 0) + (subtract ? 1 : 0);
  let carry = low > 0xffff_ffff;
  let overflow = (left.lo ^ low) & (rightLo ^ low);
  left.lo = low | 0;
  if (wide) {
    const high = (left.hi >>> 0) + (rightHi >>> 0) + (carry ? 1 : 0);
    carry = high > 0xffff_ffff;
    overflow = (left.hi ^ high) & (rightHi ^ high);
    left.hi = high | 0;
  } else {
    left.hi = 0;
  }
  carryAndOverflow = (carry ? Arm64Pstate.C : 0) | (overflow < 0 ? Arm64Pstate.V : 0);
}

/** `operation`: 0 and, 1 orr, 2 eor, 3 ands. */
function combine(operation: number, a: number, b: number): number {
  if (operation === 1) return a | b;
  return operation === 2 ? a ^ b : a & b;
}

/** Sets N and Z by `left`, C and V as they are in `rest`. */
function setResultFlags(regs: PtRegs, wide: boolean, rest: number): void {
  const negative = (wide ? left.hi : left.lo) < 0 ? Arm64Pstate.N : 0;
  const zero = (left.lo | left.hi) === 0 ? Arm64Pstate.Z : 0;
  const bits = regs.lo(pstate) & ~Arm64Pstate.NZCV;
  regs.set(pstate, bits | negative | zero | rest, regs.hi(pstate));
}
