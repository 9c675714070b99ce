import type { CpuState } from './cpu-state.js';
import type { OperandFn } from './op.js';

/**
 * Two-operand arithmetic by operand size. Bytes and words are computed shifted to the top of a 32-bit word,
 * so that carry, sign and overflow appear at bit 31 as for 32 bits.
 */

/** Sets flags after x = a + b (+ carry), all three with their sign at bit 31. */
function addFlags(cpu: CpuState, a: number, b: number, x: number): void {
  cpu.fc = (a & b) | ((a | b) & ~x);
  cpu.fo = (a ^ x) & (b ^ x);
  cpu.fs = x;
  cpu.fz = x;
  cpu.fp = x;
  cpu.fa = a ^ b ^ x;
}

/** Sets flags after x = a - b (- borrow). */
function subFlags(cpu: CpuState, a: number, b: number, x: number): void {
  cpu.fc = (~a & b) | ((~a | b) & x);
  cpu.fo = (a ^ b) & (a ^ x);
  cpu.fs = x;
  cpu.fz = x;
  cpu.fp = x;
  cpu.fa = a ^ b ^ x;
}

/** Sets flags after a logical operation. */
function logicFlags(cpu: CpuState, sign: number, zero: number, low: number): void {
  cpu.fc = 0;
  cpu.fo = 0;
  cpu.fa = 0;
  cpu.fs = sign;
  cpu.fz = zero;
  cpu.fp = low;
}

/** Flags after a 64-bit addition or subtraction: parity, zero and AF come from the low words. */
function widen(cpu: CpuState, aLo: number, bLo: number, xLo: number, xHi: number): void {
  cpu.fz = xLo | xHi;
  cpu.fp = xLo;
  cpu.fa = aLo ^ bLo ^ xLo;
}

function carryIn(cpu: CpuState): number {
  return cpu.fc >>> 31;
}

function add64With(cpu: CpuState, d: number, s: number, carry: number): void {
  const r = cpu.r;
  const aLo = r[d];
  const bLo = r[s];
  const aHi = r[d + 1];
  const bHi = r[s + 1];
  const xLo = (aLo + bLo + carry) | 0;
  const between = ((aLo & bLo) | ((aLo | bLo) & ~xLo)) >>> 31;
  const xHi = (aHi + bHi + between) | 0;
  addFlags(cpu, aHi, bHi, xHi);
  widen(cpu, aLo, bLo, xLo, xHi);
  r[d] = xLo;
  r[d + 1] = xHi;
}

function sub64With(cpu: CpuState, d: number, s: number, borrow: number, keep: boolean): void {
  const r = cpu.r;
  const aLo = r[d];
  const bLo = r[s];
  const aHi = r[d + 1];
  const bHi = r[s + 1];
  const xLo = (aLo - bLo - borrow) | 0;
  const between = ((~aLo & bLo) | ((~aLo | bLo) & xLo)) >>> 31;
  const xHi = (aHi - bHi - between) | 0;
  subFlags(cpu, aHi, bHi, xHi);
  widen(cpu, aLo, bLo, xLo, xHi);
  if (!keep) return;
  r[d] = xLo;
  r[d + 1] = xHi;
}

function add32With(cpu: CpuState, d: number, s: number, carry: number): void {
  const r = cpu.r;
  const a = r[d];
  const b = r[s];
  const x = (a + b + carry) | 0;
  addFlags(cpu, a, b, x);
  r[d] = x;
  r[d + 1] = 0;
}

function sub32With(cpu: CpuState, d: number, s: number, borrow: number, keep: boolean): void {
  const r = cpu.r;
  const a = r[d];
  const b = r[s];
  const x = (a - b - borrow) | 0;
  subFlags(cpu, a, b, x);
  if (!keep) return;
  r[d] = x;
  r[d + 1] = 0;
}

type Logic = (a: number, b: number) => number;

function logic64(apply: Logic, keep: boolean): OperandFn {
  return (cpu, d, s) => {
    const r = cpu.r;
    const lo = apply(r[d], r[s]);
    const hi = apply(r[d + 1], r[s + 1]);
    logicFlags(cpu, hi, lo | hi, lo);
    if (!keep) return;
    r[d] = lo;
    r[d + 1] = hi;
  };
}

function logic32(apply: Logic, keep: boolean): OperandFn {
  return (cpu, d, s) => {
    const r = cpu.r;
    const x = apply(r[d], r[s]);
    logicFlags(cpu, x, x, x);
    if (!keep) return;
    r[d] = x;
    r[d + 1] = 0;
  };
}

function logicNarrow(apply: Logic, keep: boolean, shift: number): OperandFn {
  const mask = -1 >>> shift;
  return (cpu, d, s) => {
    const r = cpu.r;
    const x = apply(r[d], r[s]) & mask;
    logicFlags(cpu, x << shift, x, x);
    if (keep) r[d] = (r[d] & ~mask) | x;
  };
}

function addNarrow(shift: number, withCarry: boolean): OperandFn {
  const mask = -1 >>> shift;
  return (cpu, d, s) => {
    const r = cpu.r;
    const a = r[d] << shift;
    const b = r[s] << shift;
    const x = (a + b + ((withCarry ? carryIn(cpu) : 0) << shift)) | 0;
    addFlags(cpu, a, b, x);
    narrowFlags(cpu, x, shift);
    r[d] = (r[d] & ~mask) | (x >>> shift);
  };
}

function subNarrow(shift: number, withBorrow: boolean, keep: boolean): OperandFn {
  const mask = -1 >>> shift;
  return (cpu, d, s) => {
    const r = cpu.r;
    const a = r[d] << shift;
    const b = r[s] << shift;
    const x = (a - b - ((withBorrow ? carryIn(cpu) : 0) << shift)) | 0;
    subFlags(cpu, a, b, x);
    narrowFlags(cpu, x, shift);
    if (keep) r[d] = (r[d] & ~mask) | (x >>> shift);
  };
}

function narrowFlags(cpu: CpuState, x: number, shift: number): void {
  cpu.fp = x >>> shift;
  cpu.fa >>>= shift;
}

const and: Logic = (a, b) => a & b;
const or: Logic = (a, b) => a | b;
const xor: Logic = (a, b) => a ^ b;

/** Handlers by operation, each for sizes 1, 2, 4, 8. */
type BySize = readonly [OperandFn, OperandFn, OperandFn, OperandFn];

function logicRow(apply: Logic, keep: boolean): BySize {
  return [logicNarrow(apply, keep, 24), logicNarrow(apply, keep, 16), logic32(apply, keep), logic64(apply, keep)];
}

/** The eight operations in encoding order: add or adc sbb and sub xor cmp, then test. */
const ROWS: readonly BySize[] = [
  [addNarrow(24, false), addNarrow(16, false), (c, d, s) => add32With(c, d, s, 0), (c, d, s) => add64With(c, d, s, 0)],
  logicRow(or, true),
  [
    addNarrow(24, true),
    addNarrow(16, true),
    (c, d, s) => add32With(c, d, s, carryIn(c)),
    (c, d, s) => add64With(c, d, s, carryIn(c)),
  ],
  [
    subNarrow(24, true, true),
    subNarrow(16, true, true),
    (c, d, s) => sub32With(c, d, s, carryIn(c), true),
    (c, d, s) => sub64With(c, d, s, carryIn(c), true),
  ],
  logicRow(and, true),
  [
    subNarrow(24, false, true),
    subNarrow(16, false, true),
    (c, d, s) => sub32With(c, d, s, 0, true),
    (c, d, s) => sub64With(c, d, s, 0, true),
  ],
  logicRow(xor, true),
  [
    subNarrow(24, false, false),
    subNarrow(16, false, false),
    (c, d, s) => sub32With(c, d, s, 0, false),
    (c, d, s) => sub64With(c, d, s, 0, false),
  ],
  logicRow(and, false),
];

export const Alu = { ADD: 0, OR: 1, ADC: 2, SBB: 3, AND: 4, SUB: 5, XOR: 6, CMP: 7, TEST: 8 } as const;

/** 0 to 3 for 1, 2, 4, 8 bytes. */
export function sizeIndex(size: number): number {
  return size === 8 ? 3 : size >> 1;
}

/** The function of operation `operation` (an `Alu` value) on operands of `size` bytes. */
export function aluFn(operation: number, size: number): OperandFn {
  return ROWS[operation][sizeIndex(size)];
}
