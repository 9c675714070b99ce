import { add64, type Word64 } from '../word64.js';

/** `out` = a op b, on 64-bit values in two words. `out` may be one of the operands. */
export type Operation64 = (out: Word64, a: Word64, b: Word64) => void;

/**
 * What the integer units of 64-bit RISC machines compute. Those that end in `w` take the low words and extend the
 * sign of the 32-bit result; shifts count modulo the width.
 */
export const alu64 = {
  add: (out, a, b) => add64(out, a.lo, a.hi, b.lo, b.hi),
  sub: (out, a, b) => subtract(out, a, b),
  and: (out, a, b) => put(out, a.lo & b.lo, a.hi & b.hi),
  or: (out, a, b) => put(out, a.lo | b.lo, a.hi | b.hi),
  xor: (out, a, b) => put(out, a.lo ^ b.lo, a.hi ^ b.hi),
  nor: (out, a, b) => put(out, ~(a.lo | b.lo), ~(a.hi | b.hi)),
  andn: (out, a, b) => put(out, a.lo & ~b.lo, a.hi & ~b.hi),
  orn: (out, a, b) => put(out, a.lo | ~b.lo, a.hi | ~b.hi),
  slt: (out, a, b) => put(out, less(a, b) ? 1 : 0, 0),
  sltu: (out, a, b) => put(out, lessUnsigned(a, b) ? 1 : 0, 0),
  sll: (out, a, b) => shiftLeft(out, a, b.lo & 63),
  srl: (out, a, b) => shiftRight(out, a, b.lo & 63, 0),
  sra: (out, a, b) => shiftRight(out, a, b.lo & 63, a.hi >> 31),
  maskeqz: (out, a, b) => keepIf(out, a, (b.lo | b.hi) !== 0),
  masknez: (out, a, b) => keepIf(out, a, (b.lo | b.hi) === 0),
  addw: (out, a, b) => putWord(out, a.lo + b.lo),
  subw: (out, a, b) => putWord(out, a.lo - b.lo),
  sllw: (out, a, b) => putWord(out, a.lo << (b.lo & 31)),
  srlw: (out, a, b) => putWord(out, a.lo >>> (b.lo & 31)),
  sraw: (out, a, b) => putWord(out, a.lo >> (b.lo & 31)),
} as const satisfies Readonly<Record<string, Operation64>>;

export function equal(a: Word64, b: Word64): boolean {
  return a.lo === b.lo && a.hi === b.hi;
}

export function less(a: Word64, b: Word64): boolean {
  return a.hi === b.hi ? a.lo >>> 0 < b.lo >>> 0 : (a.hi | 0) < (b.hi | 0);
}

export function lessUnsigned(a: Word64, b: Word64): boolean {
  return a.hi === b.hi ? a.lo >>> 0 < b.lo >>> 0 : a.hi >>> 0 < b.hi >>> 0;
}

function keepIf(out: Word64, { lo, hi }: Word64, kept: boolean): void {
  put(out, kept ? lo : 0, kept ? hi : 0);
}

function put(out: Word64, lo: number, hi: number): void {
  out.lo = lo;
  out.hi = hi;
}

function putWord(out: Word64, value: number): void {
  out.lo = value | 0;
  out.hi = out.lo >> 31;
}

function subtract(out: Word64, a: Word64, b: Word64): void {
  const borrow = a.lo >>> 0 < b.lo >>> 0 ? 1 : 0;
  put(out, (a.lo - b.lo) | 0, (a.hi - b.hi - borrow) | 0);
}

function shiftLeft(out: Word64, { lo, hi }: Word64, by: number): void {
  if (by === 0) put(out, lo, hi);
  else if (by < 32) put(out, lo << by, (hi << by) | (lo >>> (32 - by)));
  else put(out, 0, lo << (by - 32));
}

/** `fill` is what comes in from the left: 0 or -1. */
function shiftRight(out: Word64, { lo, hi }: Word64, by: number, fill: number): void {
  if (by === 0) put(out, lo, hi);
  else if (by < 32) put(out, (lo >>> by) | (hi << (32 - by)), (hi >>> by) | (fill << (32 - by)));
  else if (by === 32) put(out, hi, fill);
  else put(out, (hi >>> (by - 32)) | (fill << (64 - by)), fill);
}
