import type { SimulateInsn } from '../arch.js';
import { alu64, type Operation64 } from '../risc/alu64.js';
import { simulateConstant, simulateImmediate, simulateRegisters, type Continuation } from '../risc/simulate.js';
import { rd, rj, rk, si12, si20, ui12 } from './decode.js';

/** The commonest integer instructions; null for all others. */
export function simulateCompute(word: number, next: Continuation): SimulateInsn | null {
  const registers = REGISTERS[word >>> 15];
  if (registers !== undefined) return simulateRegisters(registers, rd(word), rj(word), rk(word), next);
  return simulateShift(word, next) ?? simulateWithImmediate(word, next) ?? simulateUpper(word, next);
}

/** Three registers, by the uppermost seventeen bits. */
const REGISTERS: Readonly<Record<number, Operation64>> = {
  0x20: alu64.addw,
  0x21: alu64.add,
  0x22: alu64.subw,
  0x23: alu64.sub,
  0x24: alu64.slt,
  0x25: alu64.sltu,
  0x26: alu64.maskeqz,
  0x27: alu64.masknez,
  0x28: alu64.nor,
  0x29: alu64.and,
  0x2a: alu64.or,
  0x2b: alu64.xor,
  0x2c: alu64.orn,
  0x2d: alu64.andn,
  0x2e: alu64.sllw,
  0x2f: alu64.srlw,
  0x30: alu64.sraw,
  0x31: alu64.sll,
  0x32: alu64.srl,
  0x33: alu64.sra,
};

/** slli, srli, srai: the words by seventeen bits, the doublewords by sixteen. */
function simulateShift(word: number, next: Continuation): SimulateInsn | null {
  const operation = SHIFTS_W[word >>> 15] ?? SHIFTS_D[word >>> 16];
  return operation === undefined ? null : simulateImmediate(operation, rd(word), rj(word), (word >> 10) & 63, next);
}

const SHIFTS_W: Readonly<Record<number, Operation64>> = { 0x81: alu64.sllw, 0x89: alu64.srlw, 0x91: alu64.sraw };
const SHIFTS_D: Readonly<Record<number, Operation64>> = { 0x41: alu64.sll, 0x45: alu64.srl, 0x49: alu64.sra };

/** Twelve bits of immediate, by the uppermost ten; those that are logical do not extend its sign. */
function simulateWithImmediate(word: number, next: Continuation): SimulateInsn | null {
  const opcode = word >>> 22;
  const operation = IMMEDIATES[opcode];
  if (operation === undefined) return null;
  return simulateImmediate(operation, rd(word), rj(word), opcode >= 0x0d ? ui12(word) : si12(word), next);
}

const IMMEDIATES: Readonly<Record<number, Operation64>> = {
  0x08: alu64.slt,
  0x09: alu64.sltu,
  0x0a: alu64.addw,
  0x0b: alu64.add,
  0x0d: alu64.and,
  0x0e: alu64.or,
  0x0f: alu64.xor,
};

/** Instructions that make constants of more than twelve bits. */
function simulateUpper(word: number, next: Continuation): SimulateInsn | null {
  if (word >>> 25 === 0x0a) return simulateConstant(rd(word), BigInt(si20(word) << 12), next);
  if (word >>> 25 === 0x0b) return simulateImmediate(setHigh, rd(word), rd(word), si20(word), next);
  if (word >>> 22 === 0x0c) return simulateImmediate(setTop, rd(word), rj(word), ui12(word), next);
  if (word >>> 26 === 0x04) return simulateImmediate(alu64.add, rd(word), rj(word), addu16(word), next);
  return null;
}

/** lu32i.d: the upper half becomes the immediate. */
const setHigh: Operation64 = (out, a, b) => {
  out.hi = b.lo;
  out.lo = a.lo;
};

/** lu52i.d: so do the uppermost twelve bits. */
const setTop: Operation64 = (out, a, b) => {
  out.hi = (a.hi & 0xf_ffff) | (b.lo << 20);
  out.lo = a.lo;
};

/** Immediate of addu16i.d. */
function addu16(word: number): number {
  return ((word << 6) >> 16) << 16;
}
