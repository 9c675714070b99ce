import type { Word64 } from '../word64.js';
import { X86Flag } from './flags.js';
import type { OperandSize } from './operand.js';

const { CF, PF, AF, ZF, SF, OF } = X86Flag;

/** The eight operations of opcodes 00 to 3f and of group 1, by number; cmp is `sub` whose result is not kept. */
export const AluOp = { add: 0, or: 1, adc: 2, sbb: 3, and: 4, sub: 5, xor: 6, cmp: 7 } as const;

/**
 * Puts `a` op `b` into `out` (which may be one of them) and answers the six status flags. Operands are zero-extended.
 * AF, which logical operations leave undefined, is 0 after them, as on today's processors.
 */
export function compute(op: number, size: OperandSize, a: Word64, b: Word64, carry: boolean, out: Word64): number {
  switch (op) {
    case AluOp.add:
      return sum(size, a, b, 0, out);
    case AluOp.adc:
      return sum(size, a, b, carry ? 1 : 0, out);
    case AluOp.sbb:
      return difference(size, a, b, carry ? 1 : 0, out);
    case AluOp.sub:
    case AluOp.cmp:
      return difference(size, a, b, 0, out);
    case AluOp.or:
      out.lo = a.lo | b.lo;
      out.hi = a.hi | b.hi;
      break;
    case AluOp.and:
      out.lo = a.lo & b.lo;
      out.hi = a.hi & b.hi;
      break;
    default:
      out.lo = a.lo ^ b.lo;
      out.hi = a.hi ^ b.hi;
  }
  return flagsOfResult(size, out.lo, out.hi);
}

function sum(size: OperandSize, a: Word64, b: Word64, carry: number, out: Word64): number {
  const { lo: aLo, hi: aHi } = a;
  const { lo: bLo, hi: bHi } = b;
  const low = (aLo >>> 0) + (bLo >>> 0) + carry;
  const high = (aHi >>> 0) + (bHi >>> 0) + (low > 0xffff_ffff ? 1 : 0);
  finish(size, low, high, out);
  const isCarried = size === 8 ? high > 0xffff_ffff : low > maskOf(size);
  const signs = size === 8 ? (aHi ^ out.hi) & (bHi ^ out.hi) : (aLo ^ out.lo) & (bLo ^ out.lo);
  return flagsOfArithmetic(size, aLo ^ bLo, out, isCarried, signs);
}

function difference(size: OperandSize, a: Word64, b: Word64, borrow: number, out: Word64): number {
  const { lo: aLo, hi: aHi } = a;
  const { lo: bLo, hi: bHi } = b;
  const low = (aLo >>> 0) - (bLo >>> 0) - borrow;
  const high = (aHi >>> 0) - (bHi >>> 0) - (low < 0 ? 1 : 0);
  finish(size, low, high, out);
  const isBorrowed = size === 8 ? high < 0 : low < 0;
  const signs = size === 8 ? (aHi ^ bHi) & (aHi ^ out.hi) : (aLo ^ bLo) & (aLo ^ out.lo);
  return flagsOfArithmetic(size, aLo ^ bLo, out, isBorrowed, signs);
}

function finish(size: OperandSize, low: number, high: number, out: Word64): void {
  out.lo = size >= 4 ? low | 0 : low & maskOf(size);
  out.hi = size === 8 ? high | 0 : 0;
}

function maskOf(size: OperandSize): number {
  return size === 1 ? 0xff : size === 2 ? 0xffff : 0xffff_ffff;
}

/** `signs`: the word whose sign bit says whether the sign of the result overflowed. */
function flagsOfArithmetic(size: OperandSize, aXorB: number, out: Word64, carry: boolean, signs: number): number {
  const overflow = (signs & signBit(size)) !== 0;
  return flagsOfResult(size, out.lo, out.hi) | ((aXorB ^ out.lo) & AF) | (carry ? CF : 0) | (overflow ? OF : 0);
}

function flagsOfResult(size: OperandSize, lo: number, hi: number): number {
  const top = size === 8 ? hi : lo;
  return ((lo | hi) === 0 ? ZF : 0) | ((top & signBit(size)) !== 0 ? SF : 0) | (parityIsEven(lo & 0xff) ? PF : 0);
}

/** The sign bit within the word that holds it. */
function signBit(size: OperandSize): number {
  return size === 1 ? 0x80 : size === 2 ? 0x8000 : 0x8000_0000 | 0;
}

function parityIsEven(byte: number): boolean {
  const folded = byte ^ (byte >> 4);
  return ((0x9669 >> (folded & 0xf)) & 1) !== 0;
}
