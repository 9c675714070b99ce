import { hi32, lo32, s64, u64 } from '../../base/index.js';

/**
 * 64-bit arithmetic on pairs of 32-bit words that takes more than a line. `r` is the register file, `d` and
 * `s` are the indexes of the low words; the high word follows. Division by zero gives 0 and a remainder by
 * zero leaves the dividend (RFC 9669 section 4.1); the most negative number divided by -1 is itself.
 */

const TWO_32 = 0x1_0000_0000;
/** High word of 2^53: below it every integer is a double. */
const EXACT_HI = 0x20_0000;

export function mul64(r: Int32Array, d: number, s: number): void {
  const a = r[d];
  const b = r[s];
  const high = Math.imul(a, r[s + 1]) + Math.imul(r[d + 1], b);
  // High word of a * b, by 16-bit halves. No partial sum exceeds 32 bits.
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const left = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) | 0;
  const right = (Math.imul(a0, b1) + (left & 0xffff)) | 0;
  r[d + 1] = high + Math.imul(a1, b1) + (left >>> 16) + (right >>> 16);
  r[d] = Math.imul(a, b);
}

export function div64(r: Int32Array, d: number, s: number): void {
  const aHi = r[d + 1] >>> 0;
  const bHi = r[s + 1] >>> 0;
  if ((r[s] | bHi) === 0) set(r, d, 0, 0);
  else if (aHi < EXACT_HI && bHi < EXACT_HI) {
    const a = aHi * TWO_32 + (r[d] >>> 0);
    const b = bHi * TWO_32 + (r[s] >>> 0);
    const quotient = (a - (a % b)) / b;
    set(r, d, quotient, quotient / TWO_32);
  } else setBig(r, d, u64(r[d], aHi) / u64(r[s], bHi));
}

export function mod64(r: Int32Array, d: number, s: number): void {
  const aHi = r[d + 1] >>> 0;
  const bHi = r[s + 1] >>> 0;
  if ((r[s] | bHi) === 0) return;
  if (aHi < EXACT_HI && bHi < EXACT_HI) {
    const remainder = (aHi * TWO_32 + (r[d] >>> 0)) % (bHi * TWO_32 + (r[s] >>> 0));
    set(r, d, remainder, remainder / TWO_32);
  } else setBig(r, d, u64(r[d], aHi) % u64(r[s], bHi));
}

export function sdiv64(r: Int32Array, d: number, s: number): void {
  if ((r[s] | r[s + 1]) === 0) set(r, d, 0, 0);
  else setBig(r, d, s64(r[d], r[d + 1]) / s64(r[s], r[s + 1]));
}

export function smod64(r: Int32Array, d: number, s: number): void {
  if ((r[s] | r[s + 1]) === 0) return;
  setBig(r, d, s64(r[d], r[d + 1]) % s64(r[s], r[s + 1]));
}

export function arsh64(r: Int32Array, d: number, s: number): void {
  const by = r[s] & 63;
  const hi = r[d + 1];
  if (by >= 32) set(r, d, hi >> (by - 32), hi >> 31);
  else if (by > 0) set(r, d, (r[d] >>> by) | (hi << (32 - by)), hi >> by);
}

export function div32(a: number, b: number): number {
  return b === 0 ? 0 : (a >>> 0) / (b >>> 0);
}

export function mod32(a: number, b: number): number {
  return b === 0 ? a : (a >>> 0) % (b >>> 0);
}

export function sdiv32(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

export function smod32(a: number, b: number): number {
  return b === 0 ? a : a % b;
}

/** The bytes of a word in reverse order. */
export function swap32(a: number): number {
  return (a << 24) | ((a & 0xff00) << 8) | ((a >>> 8) & 0xff00) | (a >>> 24);
}

/** The bytes of a register in reverse order. */
export function swap64(r: Int32Array, d: number): void {
  const lo = r[d];
  r[d] = swap32(r[d + 1]);
  r[d + 1] = swap32(lo);
}

/** The low two bytes of a word in reverse order, the others zero. */
export function swap16(a: number): number {
  return ((a & 0xff) << 8) | ((a >>> 8) & 0xff);
}

/** Unsigned: a < b. */
export function below(r: Int32Array, a: number, b: number): boolean {
  const aHi = r[a + 1];
  const bHi = r[b + 1];
  return aHi === bHi ? r[a] >>> 0 < r[b] >>> 0 : aHi >>> 0 < bHi >>> 0;
}

/** Signed: a < b. */
export function less(r: Int32Array, a: number, b: number): boolean {
  const aHi = r[a + 1];
  const bHi = r[b + 1];
  return aHi === bHi ? r[a] >>> 0 < r[b] >>> 0 : aHi < bHi;
}

/** Storing into an Int32Array takes a number modulo 2^32, so quotients need no masks. */
function set(r: Int32Array, d: number, lo: number, hi: number): void {
  r[d] = lo;
  r[d + 1] = hi;
}

function setBig(r: Int32Array, d: number, value: bigint): void {
  set(r, d, lo32(value), hi32(value));
}
