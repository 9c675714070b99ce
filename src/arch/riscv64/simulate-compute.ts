import { hi32, lo32 } from '../../base/index.js';
import { alu64, type Operation64 } from '../alu64.js';
import type { SimulateInsn } from '../arch.js';
import type { Word64 } from '../word64.js';
import { RiscvSlot } from './pt-regs.js';
import { readX, writeX } from './registers.js';

const { epc } = RiscvSlot;
const a: Word64 = { lo: 0, hi: 0 };
const b: Word64 = { lo: 0, hi: 0 };

/** lui, addi and the rest of the base integer set; null for what other extensions add to the same opcodes. */
export function simulateCompute(word: number, next: bigint): SimulateInsn | null {
  const rd = (word >> 7) & 31;
  const rs1 = (word >> 15) & 31;
  const rs2 = (word >> 20) & 31;
  const funct3 = (word >> 12) & 7;
  const immediate = word >> 20;
  switch (word & 0x7f) {
    case 0x37:
      return simulateConstant(rd, word & ~0xfff, next);
    case 0x13:
      return withImmediate(isShift(funct3) ? shiftImmediate(word, funct3) : OP[funct3], rd, rs1, immediate, next);
    case 0x1b:
      return withImmediate(wordImmediate(word, funct3), rd, rs1, immediate, next);
    case 0x33:
      return withRegisters(operationOf(OP, OP_ALTERNATE, word >>> 25, funct3), rd, rs1, rs2, next);
    case 0x3b:
      return withRegisters(operationOf(OP_W, OP_W_ALTERNATE, word >>> 25, funct3), rd, rs1, rs2, next);
    default:
      return null;
  }
}

type Row = readonly (Operation64 | null)[];

/** By funct3, with funct7 0. */
const OP: Row = [alu64.add, alu64.sll, alu64.slt, alu64.sltu, alu64.xor, alu64.srl, alu64.or, alu64.and];
/** With funct7 0x20. */
const OP_ALTERNATE: Row = [alu64.sub, null, null, null, null, alu64.sra, null, null];
const OP_W: Row = [alu64.addw, alu64.sllw, null, null, null, alu64.srlw, null, null];
const OP_W_ALTERNATE: Row = [alu64.subw, null, null, null, null, alu64.sraw, null, null];

function operationOf(plain: Row, alternate: Row, funct7: number, funct3: number): Operation64 | null {
  if (funct7 === 0) return plain[funct3];
  return funct7 === 0x20 ? alternate[funct3] : null;
}

function isShift(funct3: number): boolean {
  return (funct3 & 3) === 1;
}

/** slli, srli, srai: six bits of amount. */
function shiftImmediate(word: number, funct3: number): Operation64 | null {
  const funct6 = word >>> 26;
  if (funct6 === 0) return OP[funct3];
  return funct6 === 0x10 ? OP_ALTERNATE[funct3] : null;
}

/** addiw, slliw, srliw, sraiw. */
function wordImmediate(word: number, funct3: number): Operation64 | null {
  if (funct3 === 0) return alu64.addw;
  return isShift(funct3) ? operationOf(OP_W, OP_W_ALTERNATE, word >>> 25, funct3) : null;
}

function simulateConstant(rd: number, value: number, next: bigint): SimulateInsn {
  const nextLo = lo32(next);
  const nextHi = hi32(next);
  return (regs) => {
    writeX(regs, rd, value, value >> 31);
    regs.set(epc, nextLo, nextHi);
    return true;
  };
}

function withImmediate(
  operation: Operation64 | null,
  rd: number,
  rs1: number,
  immediate: number,
  next: bigint,
): SimulateInsn | null {
  if (operation === null) return null;
  const nextLo = lo32(next);
  const nextHi = hi32(next);
  return (regs) => {
    readX(a, regs, rs1);
    b.lo = immediate;
    b.hi = immediate >> 31;
    operation(a, a, b);
    writeX(regs, rd, a.lo, a.hi);
    regs.set(epc, nextLo, nextHi);
    return true;
  };
}

function withRegisters(
  operation: Operation64 | null,
  rd: number,
  rs1: number,
  rs2: number,
  next: bigint,
): SimulateInsn | null {
  if (operation === null) return null;
  const nextLo = lo32(next);
  const nextHi = hi32(next);
  return (regs) => {
    readX(a, regs, rs1);
    readX(b, regs, rs2);
    operation(a, a, b);
    writeX(regs, rd, a.lo, a.hi);
    regs.set(epc, nextLo, nextHi);
    return true;
  };
}
