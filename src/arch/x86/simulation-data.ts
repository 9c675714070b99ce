import type { SimulateInsn } from '../arch.js';
import { AluOp } from './alu.js';
import type { X86Insn } from './insn.js';
import type { X86Mode } from './mode.js';
import {
  hasFlatOperand,
  immediate,
  memoryOperand,
  memoryPlace,
  registerPlace,
  type OperandSize,
  type Place,
  type Source,
} from './operand.js';
import * as data from './simulate-data.js';

/** An instruction with what its simulation is made of. */
interface Operands {
  readonly insn: X86Insn;
  readonly mode: X86Mode;
  readonly next: bigint;
  readonly size: OperandSize;
  /** The register or memory that ModRM names, as `size` bytes or as told. */
  rm(size?: OperandSize): Place;
  reg(size?: OperandSize): Place;
  immediate(): Source;
}

/**
 * Moves and arithmetic of general registers and memory. Null for everything else, for locked instructions (they
 * must stay atomic), and behind segment bases that a trap does not show.
 */
export function simulationOfData(insn: X86Insn, address: bigint, mode: X86Mode): SimulateInsn | null {
  if (insn.encoding !== 'none' || insn.map > 1 || insn.lock || insn.rep || insn.repne) return null;
  if (!hasFlatOperand(insn)) return null;
  if (mode.copiesTrapFrame && destinationOf(insn) === SP) return null;
  const operands = operandsOf(insn, address, mode);
  return insn.map === 1 ? twoByte(operands) : oneByte(operands, address);
}

/** Number of the stack pointer in encodings. */
const SP = 4;

/** The register that `insn`, if it is simulated, writes all of; -1: none. */
function destinationOf(insn: X86Insn): number {
  const { opcode } = insn;
  const rm = insn.memory ? -1 : insn.rm;
  if (insn.operandSize === 1) return -1;
  if (insn.map === 1 || opcode === 0x63 || opcode === 0x8b || opcode === 0x8d) return insn.reg;
  if (opcode < 0x38) return (opcode & 4) !== 0 ? 0 : (opcode & 2) !== 0 ? insn.reg : rm;
  if (opcode < 0x40) return -1;
  return opcode < 0x50 || (opcode & 0xf8) === 0xb8 ? insn.opcodeReg : rm;
}

function operandsOf(insn: X86Insn, address: bigint, mode: X86Mode): Operands {
  const size = insn.operandSize as OperandSize;
  const hasRex = insn.rex !== 0;
  return {
    insn,
    mode,
    size,
    next: address + BigInt(insn.length),
    rm: (bytes = size) =>
      insn.memory
        ? memoryPlace(memoryOperand(insn, address, mode), bytes)
        : registerPlace(mode, insn.rm, bytes, hasRex),
    reg: (bytes = size) => registerPlace(mode, insn.reg, bytes, hasRex),
    immediate: () => immediate(insn.imm, insn.immHi, size),
  };
}

function oneByte(operands: Operands, address: bigint): SimulateInsn | null {
  const { insn, mode, next, size } = operands;
  const { opcode } = insn;
  if (opcode < 0x40) return (opcode & 7) < 6 ? aluOfOpcode(operands) : null;
  if (opcode < 0x50) return simulateStepOf(operands, registerPlace(mode, opcode & 7, size, false), opcode >= 0x48);
  if (opcode >= 0xb0 && opcode <= 0xbf) {
    const to = registerPlace(mode, insn.opcodeReg, size, insn.rex !== 0);
    return data.simulateMove(mode, to, operands.immediate(), next);
  }
  switch (opcode) {
    case 0x63:
      return mode.bits === 64 ? signExtend(operands, 4) : null;
    case 0x80:
    case 0x81:
    case 0x82:
    case 0x83:
      return alu(operands, (insn.modrm >> 3) & 7, operands.rm(), operands.immediate());
    case 0x84:
    case 0x85:
      return test(operands, operands.rm(), operands.reg());
    case 0x88:
    case 0x89:
      return data.simulateMove(mode, operands.rm(), operands.reg(), next);
    case 0x8a:
    case 0x8b:
      return data.simulateMove(mode, operands.reg(), operands.rm(), next);
    case 0x8d:
      return insn.memory ? data.simulateLea(mode, operands.reg(), memoryOperand(insn, address, mode), next) : null;
    case 0xa8:
    case 0xa9:
      return test(operands, accumulator(operands), operands.immediate());
    case 0xc6:
    case 0xc7:
      return isDigit(insn, 0) ? data.simulateMove(mode, operands.rm(), operands.immediate(), next) : null;
    case 0xf6:
    case 0xf7:
      return group3(operands);
    case 0xfe:
    case 0xff:
      return (insn.modrm & 0x30) === 0 ? simulateStepOf(operands, operands.rm(), isDigit(insn, 1)) : null;
    default:
      return null;
  }
}

function twoByte(operands: Operands): SimulateInsn | null {
  const { insn, mode, next } = operands;
  const { opcode } = insn;
  const high = opcode & 0xf0;
  if (high === 0x40) {
    return data.simulateConditionalMove(mode, opcode & 0xf, operands.reg(), operands.rm(), next);
  }
  if (high === 0x90) return data.simulateSetCondition(mode, opcode & 0xf, operands.rm(1), next);
  switch (opcode) {
    case 0xb6:
      return data.simulateMove(mode, operands.reg(), operands.rm(1), next);
    case 0xb7:
      return data.simulateMove(mode, operands.reg(), operands.rm(2), next);
    case 0xbe:
      return signExtend(operands, 1);
    case 0xbf:
      return signExtend(operands, 2);
    default:
      return null;
  }
}

/** Opcodes 00 to 3d: three bits operation, three bits form. */
function aluOfOpcode(operands: Operands): SimulateInsn {
  const { opcode } = operands.insn;
  const op = opcode >> 3;
  switch (opcode & 7) {
    case 0:
    case 1:
      return alu(operands, op, operands.rm(), operands.reg());
    case 2:
    case 3:
      return alu(operands, op, operands.reg(), operands.rm());
    default:
      return alu(operands, op, accumulator(operands), operands.immediate());
  }
}

function alu({ mode, size, next }: Operands, op: number, to: Place, from: Source): SimulateInsn {
  return data.simulateArithmetic(mode, op, size, to, from, op !== AluOp.cmp, next);
}

function test({ mode, size, next }: Operands, one: Place, other: Source): SimulateInsn {
  return data.simulateArithmetic(mode, AluOp.and, size, one, other, false, next);
}

function simulateStepOf({ mode, size, next }: Operands, to: Place, isDecrement: boolean): SimulateInsn {
  return data.simulateStep(mode, isDecrement ? 'dec' : 'inc', size, to, next);
}

function signExtend({ mode, next, rm, reg }: Operands, size: 1 | 2 | 4): SimulateInsn {
  return data.simulateSignExtend(mode, reg(), rm(size), size, next);
}

/** test, not and neg; multiplications and divisions run in slots. */
function group3(operands: Operands): SimulateInsn | null {
  const { insn, mode, size, next } = operands;
  switch ((insn.modrm >> 3) & 7) {
    case 0:
    case 1:
      return test(operands, operands.rm(), operands.immediate());
    case 2:
      return data.simulateNot(mode, operands.rm(), next);
    case 3:
      return data.simulateNegate(mode, size, operands.rm(), next);
    default:
      return null;
  }
}

function accumulator({ mode, size }: Operands): Place {
  return registerPlace(mode, 0, size, true);
}

function isDigit(insn: X86Insn, digit: number): boolean {
  return ((insn.modrm >> 3) & 7) === digit;
}
