import type { Word64 } from '../word64.js';

/** The shifts of a register operand, by their number in encodings. */
export const Shift = { LSL: 0, LSR: 1, ASR: 2, ROR: 3 } as const;

/** Shifts `word` in place by less than 64, or, if `narrow`, its low word by less than 32; the high word is zero then. */
export function shiftWord(word: Word64, kind: number, amount: number, narrow: boolean): void {
  if (narrow) shiftLow(word, kind, amount);
  else if (amount !== 0) shiftBoth(word, kind, amount);
}

function shiftLow(word: Word64, kind: number, amount: number): void {
  const { lo } = word;
  word.hi = 0;
  if (kind === Shift.LSL) word.lo = lo << amount;
  else if (kind === Shift.LSR) word.lo = (lo >>> amount) | 0;
  else if (kind === Shift.ASR) word.lo = lo >> amount;
  else if (amount !== 0) word.lo = (lo >>> amount) | (lo << (32 - amount));
}

function shiftBoth(word: Word64, kind: number, amount: number): void {
  if (kind === Shift.LSL) shiftLeft(word, amount);
  else if (kind === Shift.ROR) rotateRight(word, amount);
  else shiftRight(word, amount, kind === Shift.ASR ? word.hi >> 31 : 0);
}

function shiftLeft(word: Word64, amount: number): void {
  const { lo, hi } = word;
  if (amount >= 32) {
    word.hi = lo << (amount - 32);
    word.lo = 0;
    return;
  }
  word.hi = (hi << amount) | (lo >>> (32 - amount));
  word.lo = lo << amount;
}

/** `fill` comes in from the left: 0 or -1. */
function shiftRight(word: Word64, amount: number, fill: number): void {
  const { lo, hi } = word;
  if (amount > 32) {
    word.lo = (hi >>> (amount - 32)) | (fill << (64 - amount));
    word.hi = fill;
    return;
  }
  if (amount === 32) {
    word.lo = hi;
    word.hi = fill;
    return;
  }
  word.lo = (lo >>> amount) | (hi << (32 - amount));
  word.hi = (hi >>> amount) | (fill << (32 - amount));
}

function rotateRight(word: Word64, amount: number): void {
  const swap = amount >= 32;
  const lo = swap ? word.hi : word.lo;
  const hi = swap ? word.lo : word.hi;
  const rest = amount & 31;
  word.lo = rest === 0 ? lo : (lo >>> rest) | (hi << (32 - rest));
  word.hi = rest === 0 ? hi : (hi >>> rest) | (lo << (32 - rest));
}
