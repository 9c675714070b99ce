import type { SimulateInsn } from '../arch.js';
import { alu64, type Operation64 } from '../risc/alu64.js';
import { simulateConstant, simulateImmediate, simulateRegisters, type Continuation } from '../risc/simulate.js';

/** lui, addi and the rest of the base integer set; null for what other extensions add to the same opcodes. */
export function simulateCompute(word: number, next: Continuation): SimulateInsn | null {
  const rd = (word >> 7) & 31;
  const rs1 = (word >> 15) & 31;
  const rs2 = (word >> 20) & 31;
  const funct3 = (word >> 12) & 7;
  switch (word & 0x7f) {
    case 0x37:
      return simulateConstant(rd, BigInt(word & ~0xfff), next);
    case 0x13:
    case 0x1b: {
      const operation = immediateOperation(word, funct3);
      return operation === null ? null : simulateImmediate(operation, rd, rs1, word >> 20, next);
    }
    case 0x33:
    case 0x3b: {
      const operation = registerOperation(word, funct3);
      return operation === null ? null : simulateRegisters(operation, rd, rs1, rs2, next);
    }
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

/** Bit 3 of the opcode tells the operations on 32 bits. */
function isWordOperation(word: number): boolean {
  return (word & 8) !== 0;
}

function registerOperation(word: number, funct3: number): Operation64 | null {
  const narrow = isWordOperation(word);
  const funct7 = word >>> 25;
  if (funct7 === 0) return (narrow ? OP_W : OP)[funct3];
  return funct7 === 0x20 ? (narrow ? OP_W_ALTERNATE : OP_ALTERNATE)[funct3] : null;
}

function immediateOperation(word: number, funct3: number): Operation64 | null {
  const isShift = (funct3 & 3) === 1;
  if (!isShift) return (isWordOperation(word) ? OP_W : OP)[funct3];
  // Shifts of 64 bits have a sixth bit of amount where funct7 has its lowest.
  return registerOperation(isWordOperation(word) ? word : word & ~(1 << 25), funct3);
}
