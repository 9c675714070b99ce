import { type CpuState, Reg } from './cpu-state.js';
import { Vector } from './cpu-fault.js';

/** High word of the unsigned product of two words. */
export function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const cross = a0 * b1 + (middle & 0xffff);
  return (a1 * b1 + Math.floor(middle / 65536) + Math.floor(cross / 65536)) | 0;
}

/** The 128-bit product of the last `multiply64`, low word first. */
const product = new Int32Array(4);

function multiply64(aLo: number, aHi: number, bLo: number, bHi: number, signed: boolean): void {
  const low = Math.imul(aLo, bLo);
  const word1 = (multiplyHigh(aLo, bLo) >>> 0) + (Math.imul(aHi, bLo) >>> 0) + (Math.imul(aLo, bHi) >>> 0);
  const word2 =
    (multiplyHigh(aHi, bLo) >>> 0) +
    (multiplyHigh(aLo, bHi) >>> 0) +
    (Math.imul(aHi, bHi) >>> 0) +
    Math.floor(word1 / 0x1_0000_0000);
  const word3 = multiplyHigh(aHi, bHi) + Math.floor(word2 / 0x1_0000_0000);
  product[0] = low;
  product[1] = word1;
  product[2] = word2;
  product[3] = word3;
  if (!signed) return;
  if (aHi < 0) subtractHigh(bLo, bHi);
  if (bHi < 0) subtractHigh(aLo, aHi);
}

function subtractHigh(lo: number, hi: number): void {
  const before = product[2];
  product[2] = before - lo;
  product[3] = product[3] - hi - (before >>> 0 < lo >>> 0 ? 1 : 0);
}

/** CF and OF together; the other flags are undefined on hardware and follow the low half of the product. */
function overflowFlags(cpu: CpuState, overflow: boolean, sign: number, low: number): void {
  cpu.fc = cpu.fo = overflow ? -1 : 0;
  cpu.fs = sign;
  cpu.fz = 1;
  cpu.fp = low;
  cpu.fa = 0;
}

/** mul and imul with one operand: rax times the pair at `s`, into rdx:rax (ax for bytes). */
export function multiplyWide(cpu: CpuState, s: number, size: number, signed: boolean): void {
  const r = cpu.r;
  const a = r[Reg.AX];
  const b = r[s];
  if (size === 8) {
    multiply64(a, r[Reg.AX + 1], b, r[s + 1], signed);
    r.set(product.subarray(0, 2), Reg.AX);
    r.set(product.subarray(2), Reg.DX);
    const [, w1, w2, w3] = product as unknown as [number, number, number, number];
    const expected = signed ? w1 >> 31 : 0;
    return overflowFlags(cpu, w2 !== expected || w3 !== expected, w1, product[0]);
  }
  if (size === 4) {
    const lo = Math.imul(a, b);
    let hi = multiplyHigh(a, b);
    if (signed) hi = (hi - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0;
    cpu.setRegister(Reg.AX, 4, lo, 0);
    cpu.setRegister(Reg.DX, 4, hi, 0);
    return overflowFlags(cpu, hi !== (signed ? lo >> 31 : 0), lo, lo);
  }
  const shift = 32 - 8 * size;
  const full = signed
    ? ((a << shift) >> shift) * ((b << shift) >> shift)
    : ((a << shift) >>> shift) * ((b << shift) >>> shift);
  const low = signed ? (full << shift) >> shift : (full << shift) >>> shift;
  if (size === 1) cpu.setRegister(Reg.AX, 2, full, 0);
  else {
    cpu.setRegister(Reg.AX, 2, full, 0);
    cpu.setRegister(Reg.DX, 2, Math.floor(full / 65536), 0);
  }
  overflowFlags(cpu, full !== low, full << shift, full);
}

/** imul with two or three operands: d = a * b, the pairs at `a` and `b`. */
export function multiplyTo(cpu: CpuState, d: number, a: number, b: number, size: number): void {
  const r = cpu.r;
  const aLo = r[a];
  const bLo = r[b];
  if (size === 8) {
    multiply64(aLo, r[a + 1], bLo, r[b + 1], true);
    const lo = product[0];
    const hi = product[1];
    r[d] = lo;
    r[d + 1] = hi;
    return overflowFlags(cpu, product[2] !== hi >> 31 || product[3] !== hi >> 31, hi, lo);
  }
  if (size === 4) {
    const lo = Math.imul(aLo, bLo);
    cpu.setRegister(d, 4, lo, 0);
    // Exact below 2^53; above, rounding cannot bring the product back into 32 bits.
    return overflowFlags(cpu, aLo * bLo !== lo, lo, lo);
  }
  const full = ((aLo << 16) >> 16) * ((bLo << 16) >> 16);
  cpu.setRegister(d, 2, full, 0);
  overflowFlags(cpu, full !== (full << 16) >> 16, full << 16, full);
}

/** div and idiv: rdx:rax (ax for bytes) by the pair at `s`; #DE for 0 and for a quotient that does not fit. */
export function divide(cpu: CpuState, s: number, size: number, signed: boolean): void {
  if (size >= 4 && !signed && divideSmall(cpu, s, size)) return;
  const bits = BigInt(8 * size);
  const r = cpu.r;
  const divisor = operand(r, s, bits, signed);
  const low = operand(r, Reg.AX, bits, false);
  const high = size === 1 ? operand(r, Reg.AX, 16n, false) >> 8n : operand(r, Reg.DX, bits, false);
  const unsigned = (high << bits) | low;
  const dividend = signed ? BigInt.asIntN(2 * Number(bits), unsigned) : unsigned;
  if (divisor === 0n) return cpu.fault.raise(Vector.DE);
  const quotient = dividend / divisor;
  const remainder = dividend % divisor;
  const fits = signed ? BigInt.asIntN(Number(bits), quotient) : BigInt.asUintN(Number(bits), quotient);
  if (fits !== quotient) return cpu.fault.raise(Vector.DE);
  if (size === 1) {
    const packed = (Number(quotient) & 0xff) | ((Number(remainder) & 0xff) << 8);
    return cpu.setRegister(Reg.AX, 2, packed, 0);
  }
  cpu.setRegister(Reg.AX, size, word(quotient, 0n), word(quotient, 32n));
  cpu.setRegister(Reg.DX, size, word(remainder, 0n), word(remainder, 32n));
}

/** Division of numbers below 2^53 without bigint; false if these are not. */
function divideSmall(cpu: CpuState, s: number, size: number): boolean {
  const r = cpu.r;
  const high = r[Reg.DX];
  let dividend: number;
  let divisor = r[s] >>> 0;
  if (size === 4) {
    if (high >>> 0 >= 0x20_0000) return false;
    dividend = (high >>> 0) * 0x1_0000_0000 + (r[Reg.AX] >>> 0);
  } else {
    const axHi = r[Reg.AX + 1] >>> 0;
    const sHi = r[s + 1] >>> 0;
    if (high !== 0 || r[Reg.DX + 1] !== 0 || axHi >= 0x20_0000 || sHi >= 0x20_0000) return false;
    dividend = axHi * 0x1_0000_0000 + (r[Reg.AX] >>> 0);
    divisor += sHi * 0x1_0000_0000;
  }
  if (divisor === 0) return cpu.fault.raise(Vector.DE);
  const remainder = dividend % divisor;
  const quotient = (dividend - remainder) / divisor;
  if (size === 4 && quotient > 0xffff_ffff) return cpu.fault.raise(Vector.DE);
  cpu.setRegister(Reg.AX, size, quotient | 0, Math.floor(quotient / 0x1_0000_0000));
  cpu.setRegister(Reg.DX, size, remainder | 0, Math.floor(remainder / 0x1_0000_0000));
  return true;
}

function operand(r: Int32Array, w: number, bits: bigint, signed: boolean): bigint {
  const value = (BigInt(r[w + 1] >>> 0) << 32n) | BigInt(r[w] >>> 0);
  return signed ? BigInt.asIntN(Number(bits), value) : BigInt.asUintN(Number(bits), value);
}

function word(value: bigint, shift: bigint): number {
  return Number(BigInt.asIntN(32, value >> shift));
}
