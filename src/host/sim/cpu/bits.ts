import { type CpuState, Reg } from './cpu-state.js';
import type { Op, OperandFn } from './op.js';
import { OperandKind } from './op.js';

/** Whether 64-bit `lo:hi` of `size` bytes is zero. */
function isZero(lo: number, hi: number, size: number): boolean {
  return size === 8 ? (lo | hi) === 0 : size === 4 ? lo === 0 : (lo & 0xffff) === 0;
}

function lowestBit(lo: number, hi: number): number {
  return lo === 0 ? 63 - Math.clz32(hi & -hi) : 31 - Math.clz32(lo & -lo);
}

/** bsf and bsr: a zero source sets ZF and leaves the destination. */
export function bitScan(size: number, reverse: boolean): OperandFn {
  return (cpu, d, s) => {
    const r = cpu.r;
    const lo = size === 2 ? r[s] & 0xffff : r[s];
    const hi = size === 8 ? r[s + 1] : 0;
    const zero = isZero(lo, hi, size);
    cpu.fz = zero ? 0 : 1;
    if (zero) return;
    const found = reverse ? (hi === 0 ? 31 - Math.clz32(lo) : 63 - Math.clz32(hi)) : lowestBit(lo, hi);
    cpu.setRegister(d, size, found, 0);
  };
}

/** tzcnt and lzcnt: a zero source gives the operand size and sets CF. */
export function zeroCount(size: number, leading: boolean): OperandFn {
  return (cpu, d, s) => {
    const r = cpu.r;
    const bits = 8 * size;
    const lo = size === 2 ? r[s] & 0xffff : r[s];
    const hi = size === 8 ? r[s + 1] : 0;
    const zero = isZero(lo, hi, size);
    let count = bits;
    if (!zero) count = leading ? Math.clz32(size === 8 ? hi : lo) - (size === 2 ? 16 : 0) : lowestBit(lo, hi);
    if (!zero && leading && size === 8 && hi === 0) count = 32 + Math.clz32(lo);
    cpu.setRegister(d, size, count, 0);
    cpu.fc = zero ? -1 : 0;
    cpu.fz = count;
  };
}

function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x5555_5555);
  x = (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** popcnt: all flags cleared but ZF. */
export function populationCount(size: number): OperandFn {
  return (cpu, d, s) => {
    const r = cpu.r;
    const lo = size === 2 ? r[s] & 0xffff : r[s];
    const count = ones(lo) + (size === 8 ? ones(r[s + 1]) : 0);
    cpu.setRegister(d, size, count, 0);
    cpu.fc = cpu.fo = cpu.fs = cpu.fa = 0;
    cpu.fz = count;
    cpu.fp = 1;
  };
}

/** What bt, bts, btr, btc (0 to 3) make of one bit of a word. */
function changeBit(operation: number, word: number, mask: number): number {
  switch (operation) {
    case 1:
      return word | mask;
    case 2:
      return word & ~mask;
    case 3:
      return word ^ mask;
    default:
      return word;
  }
}

/**
 * bt and its kin. With a register index and memory, the index reaches beyond the operand, in either
 * direction; otherwise it counts modulo the operand's bits. CF is the bit as it was; ZF stays.
 */
export function runBitTest(cpu: CpuState, op: Op): void {
  const r = cpu.r;
  const bits = 8 * op.size;
  const immediate = op.sKind === OperandKind.IMMEDIATE;
  const index = immediate ? op.immLo : r[op.s];
  const bit = index & (bits - 1);
  const w = op.dKind === OperandKind.MEMORY ? Reg.T0 : op.d;
  if (op.dKind === OperandKind.MEMORY) {
    cpu.ea(op);
    if (!immediate) advance(cpu, op);
    if (op.writes) cpu.mmu.checkWrite(cpu.eaLo, cpu.eaHi, op.size);
    cpu.loadEa(Reg.T0, op.size);
  }
  const at = w + (bit >>> 5);
  const mask = 1 << (bit & 31);
  const before = r[at];
  const after = changeBit(op.extra, before, mask);
  if (op.dKind === OperandKind.MEMORY) {
    r[at] = after;
    if (op.writes) cpu.storeEa(Reg.T0, op.size);
  } else if (op.writes) cpu.setRegister(w, op.size, at === w ? after : r[w], at === w ? r[w + 1] : after);
  cpu.fc = (before & mask) !== 0 ? -1 : 0;
}

/** Moves the effective address by the whole operands that the register index spans. */
function advance(cpu: CpuState, op: Op): void {
  const r = cpu.r;
  let lo = r[op.s];
  let hi = op.size === 8 ? r[op.s + 1] : 0;
  if (op.size === 2) lo = (lo << 16) >> 16;
  if (op.size !== 8) hi = lo >> 31;
  const shift = op.size === 8 ? 6 : op.size === 4 ? 5 : 4;
  const scale = op.size === 8 ? 3 : op.size === 4 ? 2 : 1;
  const unitsLo = (lo >>> shift) | (hi << (32 - shift));
  const unitsHi = hi >> shift;
  const byLo = unitsLo << scale;
  const byHi = (unitsHi << scale) | (unitsLo >>> (32 - scale));
  cpu.eaLo = (cpu.eaLo + byLo) | 0;
  cpu.eaHi = (cpu.eaHi + byHi + (cpu.eaLo >>> 0 < byLo >>> 0 ? 1 : 0)) | 0;
}

/** bswap of 4 or 8 bytes. */
export function byteSwap(cpu: CpuState, d: number, size: number): void {
  const r = cpu.r;
  const lo = swapWord(r[d]);
  if (size === 4) return cpu.setRegister(d, 4, lo, 0);
  r[d] = swapWord(r[d + 1]);
  r[d + 1] = lo;
}

function swapWord(x: number): number {
  return (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
}
