import { Op } from '../../interp/op.js';
import { FAR, Kind, scalar, UNKNOWN, type Value, ZERO } from './value.js';

const TWO_32 = 2 ** 32;
const MAX_U32 = TWO_32 - 1;
const MAX_S32 = 2 ** 31 - 1;
const MIN_S32 = -(2 ** 31);
const ANY_U32 = scalar(0, MAX_U32);

/** The low word of a value. */
export function lowWord(value: Value): Value {
  const { kind, lo, hi } = value;
  if (kind !== Kind.scalar) return ANY_U32;
  if (lo >= 0 && hi <= MAX_U32) return value;
  const base = Math.floor(lo / TWO_32) * TWO_32;
  return hi - base <= MAX_U32 && base > -Infinity ? scalar(lo - base, hi - base) : ANY_U32;
}

/** What a load of `size` bytes reads of a stored value. */
export function lowBytes(value: Value, size: number): Value {
  if (size === 8) return value;
  const most = 2 ** (8 * size) - 1;
  const word = lowWord(value);
  return word.hi <= most ? word : scalar(0, most);
}

export function signedBytes(value: Value, size: number): Value {
  const most = 2 ** (8 * size - 1) - 1;
  const fits = value.kind === Kind.scalar && value.lo >= -most - 1 && value.hi <= most;
  return fits ? value : scalar(-most - 1, most);
}

/** The result of `a op b` for the binary operations; those of 32 bits take low words. Of pointers nothing is known. */
export function computed(op: number, a: Value, b: Value): Value {
  if (op >= Op.add32) return computed32(op, lowWord(a), lowWord(b));
  return computed64(op, a.kind === Kind.scalar ? a : UNKNOWN, b.kind === Kind.scalar ? b : UNKNOWN);
}

function computed64(op: number, a: Value, b: Value): Value {
  switch (op) {
    case Op.add64:
      return isFinite(a) && isFinite(b) ? scalar(a.lo + b.lo, a.hi + b.hi) : UNKNOWN;
    case Op.sub64:
      return isFinite(a) && isFinite(b) ? scalar(a.lo - b.hi, a.hi - b.lo) : UNKNOWN;
    case Op.mul64:
      return product(a, b);
    case Op.div64:
      return quotient(a, b);
    case Op.mod64:
      return remainder(a, b);
    case Op.and64:
      return and(a, b);
    case Op.or64:
    case Op.xor64:
      return orXor(op === Op.or64, a, b);
    case Op.lsh64:
      return isShift(b, 63) ? product(a, scalar(2 ** b.lo, 2 ** b.lo)) : UNKNOWN;
    case Op.rsh64:
      return isShift(b, 63) ? shiftedRight(a, b.lo) : UNKNOWN;
    case Op.arsh64:
      return isShift(b, 63) ? shiftedArithmetically(a, b.lo) : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

/** Operands are low words: from 0 to 2^32 - 1. */
function computed32(op: number, a: Value, b: Value): Value {
  switch (op) {
    case Op.add32:
      return wrapped(a.lo + b.lo, a.hi + b.hi);
    case Op.sub32:
      return wrapped(a.lo - b.hi, a.hi - b.lo);
    case Op.mul32:
      return a.hi * b.hi <= MAX_U32 ? scalar(a.lo * b.lo, a.hi * b.hi) : ANY_U32;
    case Op.div32:
      return quotient(a, b);
    case Op.mod32:
      return remainder(a, b);
    case Op.and32:
      return and(a, b);
    case Op.or32:
    case Op.xor32:
      return orXor(op === Op.or32, a, b);
    case Op.lsh32:
      return isShift(b, 31) ? belowTwo32(product(a, scalar(2 ** b.lo, 2 ** b.lo))) : ANY_U32;
    case Op.rsh32:
      return isShift(b, 31) ? shiftedRight(a, b.lo) : ANY_U32;
    case Op.arsh32:
      return isShift(b, 31) && a.hi <= MAX_S32 ? shiftedRight(a, b.lo) : ANY_U32;
    default:
      return ANY_U32;
  }
}

export function negated({ kind, lo, hi }: Value): Value {
  return kind === Kind.scalar && lo !== -Infinity ? scalar(-hi, -lo) : UNKNOWN;
}

/** A result modulo 2^32; its bounds are less than 2^33 away from 0. */
function wrapped(lo: number, hi: number): Value {
  const base = Math.floor(lo / TWO_32) * TWO_32;
  return hi - base <= MAX_U32 ? scalar(lo - base, hi - base) : ANY_U32;
}

function isFinite({ lo, hi }: Value): boolean {
  return lo !== -Infinity && hi !== Infinity;
}

function isShift({ lo, hi }: Value, most: number): boolean {
  return lo === hi && lo >= 0 && lo <= most;
}

function belowTwo32(value: Value): Value {
  return value.lo >= 0 && value.hi <= MAX_U32 ? value : ANY_U32;
}

function product(a: Value, b: Value): Value {
  if (!isFinite(a) || !isFinite(b)) return UNKNOWN;
  const corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
  const lo = Math.min(...corners);
  const hi = Math.max(...corners);
  // Beyond that it may have wrapped around.
  return lo < -FAR || hi > FAR ? UNKNOWN : scalar(lo, hi);
}

/** Unsigned; by zero it is zero. */
function quotient(a: Value, b: Value): Value {
  if (a.lo < 0 || b.lo < 0) return UNKNOWN;
  const lo = b.lo === 0 || b.hi === Infinity ? 0 : Math.floor(a.lo / b.hi);
  return scalar(lo, a.hi === Infinity ? Infinity : Math.floor(a.hi / Math.max(1, b.lo)));
}

/** Unsigned; by zero it is the dividend. */
function remainder(a: Value, b: Value): Value {
  if (b.lo > 0) return scalar(0, Math.min(b.hi - 1, a.lo < 0 ? Infinity : a.hi));
  return a.lo >= 0 ? scalar(0, a.hi) : UNKNOWN;
}

function and(a: Value, b: Value): Value {
  if (a.lo === a.hi && b.lo === b.hi) return fromWords(high(a.lo) & high(b.lo), a.lo & b.lo);
  if (a.lo >= 0) return scalar(0, b.lo >= 0 ? Math.min(a.hi, b.hi) : a.hi);
  return b.lo >= 0 ? scalar(0, b.hi) : UNKNOWN;
}

function orXor(isOr: boolean, a: Value, b: Value): Value {
  if (a.lo === a.hi && b.lo === b.hi) {
    if (isOr) return fromWords(high(a.lo) | high(b.lo), a.lo | b.lo);
    return fromWords(high(a.lo) ^ high(b.lo), a.lo ^ b.lo);
  }
  if (a.lo < 0 || b.lo < 0 || a.hi === Infinity || b.hi === Infinity) return UNKNOWN;
  let limit = 1;
  while (limit <= a.hi || limit <= b.hi) limit *= 2;
  return scalar(isOr ? Math.max(a.lo, b.lo) : 0, limit - 1);
}

/** Shifted in zeros: what was negative becomes large. */
function shiftedRight(a: Value, by: number): Value {
  if (a.lo >= 0) {
    const hi = a.hi === Infinity ? 2 ** (63 - by) - 1 : Math.floor(a.hi / 2 ** by);
    return scalar(Math.floor(a.lo / 2 ** by), hi);
  }
  return by === 0 ? a : scalar(0, 2 ** (64 - by) - 1);
}

function shiftedArithmetically(a: Value, by: number): Value {
  const lo = Math.floor(Math.max(a.lo, -(2 ** 63)) / 2 ** by);
  const hi = a.hi === Infinity ? 2 ** (63 - by) - 1 : Math.floor(a.hi / 2 ** by);
  return scalar(lo, hi);
}

function high(value: number): number {
  return Math.floor(value / TWO_32) | 0;
}

function fromWords(hi: number, lo: number): Value {
  const value = hi * TWO_32 + (lo >>> 0);
  return value < -FAR || value > FAR ? UNKNOWN : scalar(value, value);
}

/** The value of a constant register. */
export function constantOf(lo: number, hi: number): Value {
  return lo === 0 && hi === 0 ? ZERO : fromWords(hi, lo);
}

/** `integer` results of helpers. */
export const ANY_S32 = scalar(MIN_S32, MAX_S32);
