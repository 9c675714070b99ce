import type { CpuState } from './cpu-state.js';
import type { OperandFn } from './op.js';

/**
 * Shifts and rotates. The count is the low byte of the source pair, masked to 5 or 6 bits; a masked count
 * of 0 changes nothing, flags included. AF is left as it was (undefined on hardware), OF is that of a count
 * of 1 for shifts and rotates by any count (undefined on hardware for others).
 */

function resultFlags(cpu: CpuState, size: number, lo: number, hi: number): void {
  const shift = 32 - 8 * size;
  cpu.fs = size === 8 ? hi : lo << shift;
  cpu.fz = size === 8 ? lo | hi : lo << shift;
  cpu.fp = lo;
}

function topBit(size: number, lo: number, hi: number): number {
  return size === 8 ? hi >>> 31 : (lo >>> (8 * size - 1)) & 1;
}

/** Sets CF and OF from single bits. */
function carryOverflow(cpu: CpuState, carry: number, overflow: number): void {
  cpu.fc = -carry;
  cpu.fo = -overflow;
}

function shl(size: number): OperandFn {
  const bits = 8 * size;
  return (cpu, d, s) => {
    const r = cpu.r;
    const count = r[s] & (size === 8 ? 63 : 31);
    if (count === 0) return clearUpper(cpu, d, size);
    const lo = r[d];
    const hi = size === 8 ? r[d + 1] : 0;
    let xLo: number;
    let xHi = 0;
    if (size === 8) {
      xLo = count >= 32 ? 0 : lo << count;
      xHi = count >= 32 ? lo << (count - 32) : (hi << count) | (lo >>> (32 - count));
    } else xLo = lo << count;
    const carry = count > bits ? 0 : bitOf(lo, hi, bits - count);
    cpu.setRegister(d, size, xLo, xHi);
    resultFlags(cpu, size, xLo, xHi);
    carryOverflow(cpu, carry, topBit(size, xLo, xHi) ^ carry);
  };
}

function bitOf(lo: number, hi: number, bit: number): number {
  return bit >= 32 ? (hi >>> (bit - 32)) & 1 : (lo >>> bit) & 1;
}

/** A 32-bit destination is zero-extended even if the count is 0. */
function clearUpper(cpu: CpuState, d: number, size: number): void {
  if (size === 4) cpu.r[d + 1] = 0;
}

function shiftRight(size: number, arithmetic: boolean): OperandFn {
  return (cpu, d, s) => {
    const r = cpu.r;
    const count = r[s] & (size === 8 ? 63 : 31);
    if (count === 0) return clearUpper(cpu, d, size);
    const shift = 32 - 8 * size;
    let lo = r[d];
    if (size < 4) lo = arithmetic ? (lo << shift) >> shift : (lo << shift) >>> shift;
    const hi = size === 8 ? r[d + 1] : arithmetic ? lo >> 31 : 0;
    const fill = arithmetic ? hi >> 31 : 0;
    const carry = bitOf(lo, hi, count - 1);
    let xLo: number;
    let xHi: number;
    if (count >= 32) {
      xLo = arithmetic ? hi >> (count - 32) : hi >>> (count - 32);
      xHi = fill;
    } else {
      xLo = (lo >>> count) | (hi << (32 - count));
      xHi = arithmetic ? hi >> count : hi >>> count;
    }
    cpu.setRegister(d, size, xLo, xHi);
    resultFlags(cpu, size, xLo, xHi);
    carryOverflow(cpu, carry, arithmetic ? 0 : topBit(size, lo, hi));
  };
}

function rol(size: number): OperandFn {
  const bits = 8 * size;
  return (cpu, d, s) => {
    const masked = cpu.r[s] & (size === 8 ? 63 : 31);
    if (masked === 0) return clearUpper(cpu, d, size);
    rotateLeft(cpu, d, size, masked % bits);
    const r = cpu.r;
    const carry = r[d] & 1;
    carryOverflow(cpu, carry, topBit(size, r[d], r[d + 1]) ^ carry);
  };
}

function ror(size: number): OperandFn {
  const bits = 8 * size;
  return (cpu, d, s) => {
    const masked = cpu.r[s] & (size === 8 ? 63 : 31);
    if (masked === 0) return clearUpper(cpu, d, size);
    rotateLeft(cpu, d, size, (bits - (masked % bits)) % bits);
    const r = cpu.r;
    const lo = r[d];
    const hi = r[d + 1];
    const second = bits === 64 ? (hi >>> 30) & 1 : (lo >>> (bits - 2)) & 1;
    const carry = topBit(size, lo, hi);
    carryOverflow(cpu, carry, carry ^ second);
  };
}

function rotateLeft(cpu: CpuState, d: number, size: number, count: number): void {
  const r = cpu.r;
  const lo = r[d];
  if (size < 4) {
    const bits = 8 * size;
    const value = lo & ((1 << bits) - 1);
    return cpu.setRegister(d, size, (value << count) | (value >>> (bits - count)), 0);
  }
  if (size === 4) return cpu.setRegister(d, 4, count === 0 ? lo : (lo << count) | (lo >>> (32 - count)), 0);
  const hi = r[d + 1];
  const [low, high] = count >= 32 ? [hi, lo] : [lo, hi];
  const by = count & 31;
  r[d] = by === 0 ? low : (low << by) | (high >>> (32 - by));
  r[d + 1] = by === 0 ? high : (high << by) | (low >>> (32 - by));
}

/** rcl and rcr, bit by bit: compilers do not emit them but for small counts. */
function rotateThroughCarry(size: number, left: boolean): OperandFn {
  const bits = 8 * size;
  return (cpu, d, s) => {
    const r = cpu.r;
    const masked = r[s] & (size === 8 ? 63 : 31);
    if (masked === 0) return clearUpper(cpu, d, size);
    let lo = size < 4 ? r[d] & ((1 << bits) - 1) : r[d];
    let hi = size === 8 ? r[d + 1] : 0;
    let carry = cpu.fc >>> 31;
    const top = 8 * size - 1;
    for (let count = masked % (bits + 1); count > 0; count--) {
      const out = left ? bitOf(lo, hi, top) : lo & 1;
      if (left) {
        hi = size === 8 ? (hi << 1) | (lo >>> 31) : 0;
        lo = (lo << 1) | carry;
      } else {
        lo = (lo >>> 1) | (size === 8 ? hi << 31 : carry << top);
        if (size === 8) hi = (hi >>> 1) | (carry << 31);
      }
      if (size < 4) lo &= (1 << bits) - 1;
      carry = out;
    }
    cpu.setRegister(d, size, lo, hi);
    const overflow = left ? topBit(size, lo, hi) ^ carry : topBit(size, lo, hi) ^ bitOf(lo, hi, top - 1);
    carryOverflow(cpu, carry, overflow);
  };
}

/** Shift or rotate by the ModRM.reg of its group: rol ror rcl rcr shl shr shl sar. */
export function shiftFn(operation: number, size: number): OperandFn {
  switch (operation) {
    case 0:
      return rol(size);
    case 1:
      return ror(size);
    case 2:
    case 3:
      return rotateThroughCarry(size, operation === 2);
    case 5:
    case 7:
      return shiftRight(size, operation === 7);
    default:
      return shl(size);
  }
}

/**
 * shld and shrd of 16, 32 or 64 bits by `count`: `d` is shifted, bits of `s` come in. A 16-bit count over 16
 * is undefined on hardware.
 */
export function doubleShift(cpu: CpuState, d: number, s: number, size: number, count: number, left: boolean): void {
  const r = cpu.r;
  const masked = count & (size === 8 ? 63 : 31);
  if (masked === 0) return clearUpper(cpu, d, size);
  const bits = 8n * BigInt(size);
  const mask = (1n << bits) - 1n;
  const by = BigInt(masked);
  const value = pair(r, d) & mask;
  const filler = pair(r, s) & mask;
  const shifted = left
    ? ((value << by) | (filler >> (bits - by))) & mask
    : ((value >> by) | (filler << (bits - by))) & mask;
  const carry = Number((left ? value >> (bits - by) : value >> (by - 1n)) & 1n);
  const lo = Number(BigInt.asIntN(32, shifted));
  const hi = Number(BigInt.asIntN(32, shifted >> 32n));
  const overflow = Number(((value ^ shifted) >> (bits - 1n)) & 1n);
  cpu.setRegister(d, size, lo, hi);
  resultFlags(cpu, size, lo, hi);
  carryOverflow(cpu, carry, overflow);
}

function pair(r: Int32Array, w: number): bigint {
  return (BigInt(r[w + 1] >>> 0) << 32n) | BigInt(r[w] >>> 0);
}
