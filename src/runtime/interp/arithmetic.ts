import { hi32, lo32, s64, u64 } from '../../base/index.js';
import type { Op } from './op.js';

const TWO_32 = 0x1_0000_0000;
/** High word of 2^53: below it every integer is a double. */
const EXACT_HI = 0x20_0000;

/**
 * What the loop leaves of arithmetic. `r` is the register file, `d` and `s` are the indexes of the low words; the high
 * word follows. Division by zero gives 0 and a remainder by zero leaves the dividend (RFC 9669 section 4.1); the most
 * negative number divided by -1 is itself.
 */
export function rareArithmetic(r: Int32Array, op: number, d: number, s: number): void {
  switch (op) {
    case 3 satisfies Op['div64']:
      div64(r, d, s);
      return;
    case 4 satisfies Op['sdiv64']:
      sdiv64(r, d, s);
      return;
    case 5 satisfies Op['mod64']:
      mod64(r, d, s);
      return;
    case 6 satisfies Op['smod64']:
      smod64(r, d, s);
      return;
    case 22 satisfies Op['sdiv32']:
      set(r, d, r[s] === 0 ? 0 : r[d] / r[s], 0);
      return;
    case 24 satisfies Op['smod32']:
      set(r, d, r[s] === 0 ? r[d] : r[d] % r[s], 0);
      return;
    case 33 satisfies Op['movsx32_s8']:
      set(r, d, (r[s] << 24) >> 24, 0);
      return;
    case 34 satisfies Op['movsx32_s16']:
      set(r, d, (r[s] << 16) >> 16, 0);
      return;
    case 40 satisfies Op['swap64']:
      swap64(r, d);
  }
}

function div64(r: Int32Array, d: number, s: number): void {
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

function mod64(r: Int32Array, d: number, s: number): void {
  const aHi = r[d + 1] >>> 0;
  const bHi = r[s + 1] >>> 0;
  if ((r[s] | bHi) === 0) return;
  if (aHi < EXACT_HI && bHi < EXACT_HI) {
    const remainder = (aHi * TWO_32 + (r[d] >>> 0)) % (bHi * TWO_32 + (r[s] >>> 0));
    set(r, d, remainder, remainder / TWO_32);
  } else setBig(r, d, u64(r[d], aHi) % u64(r[s], bHi));
}

function sdiv64(r: Int32Array, d: number, s: number): void {
  if ((r[s] | r[s + 1]) === 0) set(r, d, 0, 0);
  else setBig(r, d, s64(r[d], r[d + 1]) / s64(r[s], r[s + 1]));
}

function smod64(r: Int32Array, d: number, s: number): void {
  if ((r[s] | r[s + 1]) === 0) return;
  setBig(r, d, s64(r[d], r[d + 1]) % s64(r[s], r[s + 1]));
}

/** The bytes of a word in reverse order. */
function swap32(a: number): number {
  return (a << 24) | ((a & 0xff00) << 8) | ((a >>> 8) & 0xff00) | (a >>> 24);
}

/** The bytes of a register in reverse order. */
function swap64(r: Int32Array, d: number): void {
  const lo = r[d];
  r[d] = swap32(r[d + 1]);
  r[d + 1] = swap32(lo);
}

/** Storing into an Int32Array takes a number modulo 2^32, so quotients need no masks. */
function set(r: Int32Array, d: number, lo: number, hi: number): void {
  r[d] = lo;
  r[d + 1] = hi;
}

function setBig(r: Int32Array, d: number, value: bigint): void {
  set(r, d, lo32(value), hi32(value));
}
