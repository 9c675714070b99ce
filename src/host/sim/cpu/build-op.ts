import type { X86Insn } from '../../../arch/x86/insn.js';
import { Alu, aluFn } from './alu.js';
import { buildTwoByte } from './build-two-byte.js';
import { memoryOperand, modrmDestination, regOperand, registerRm } from './build-operands.js';
import * as control from './control.js';
import * as moves from './moves.js';
import { divide, multiplyTo, multiplyWide } from './multiply.js';
import { Op, OperandKind } from './op.js';
import { operandRunner } from './operands.js';
import { shiftFn } from './shift.js';
import * as strings from './strings.js';
import * as system from './system.js';
import { decFn, incFn, negFn, notFn } from './unary.js';
import { Reg } from './cpu-state.js';

/** Prepares a decoded instruction for execution. Null: outside the subset, which is #UD. */
export function buildOp(insn: X86Insn): Op | null {
  const op = new Op();
  op.length = insn.length;
  op.size = insn.operandSize;
  op.immLo = insn.imm;
  op.immHi = insn.immHi;
  op.address32 = insn.addressSize === 4;
  if (insn.encoding !== 'none') return null;
  const known = insn.map === 0 ? buildOneByte(insn, op) : insn.map === 1 && buildTwoByte(insn, op);
  if (!known || (insn.lock && !(op.lockable && insn.memory))) return null;
  return op;
}

function buildOneByte(insn: X86Insn, op: Op): boolean {
  const { opcode } = insn;
  if (opcode < 0x40) return buildArithmetic(insn, op);
  if (opcode >= 0x50 && opcode <= 0x5f) return buildPushPop(insn, op);
  if (opcode >= 0x70 && opcode <= 0x7f) {
    op.run = control.runJcc;
    op.extra = opcode & 15;
    return true;
  }
  if (opcode >= 0x91 && opcode <= 0x97) {
    op.d = 2 * insn.opcodeReg;
    op.s = Reg.AX;
    op.run = moves.runXchg;
    return true;
  }
  if (opcode >= 0xb0 && opcode <= 0xbf) return buildMovImmediate(insn, op);
  if (opcode >= 0xe0 && opcode <= 0xe3) {
    op.run = control.runLoop;
    op.extra = opcode & 3;
    return true;
  }
  return buildGroup(insn, op) || buildPlain(insn, op);
}

/** add or adc sbb and sub xor cmp in their six forms. */
function buildArithmetic(insn: X86Insn, op: Op): boolean {
  const operation = insn.opcode >> 3;
  op.fn = aluFn(operation, op.size);
  op.writes = operation !== Alu.CMP;
  setForm(insn, op, insn.opcode & 7);
  return true;
}

/** Forms 0 to 5: r/m,r of bytes; r/m,r; r,r/m of bytes; r,r/m; al,imm; eax,imm. */
function setForm(insn: X86Insn, op: Op, form: number): void {
  if (form < 2) {
    modrmDestination(insn, op);
    regOperand(insn, op, 's');
    op.lockable = op.writes;
  } else if (form < 4) {
    regOperand(insn, op, 'd');
    registerRm(insn, op, 's');
  } else {
    op.d = Reg.AX;
    op.sKind = OperandKind.IMMEDIATE;
  }
  op.run = operandRunner(op);
}

function buildPushPop(insn: X86Insn, op: Op): boolean {
  if (op.size !== 8) return false;
  op.d = 2 * insn.opcodeReg;
  op.run = insn.opcode < 0x58 ? control.runPushReg : control.runPopReg;
  return true;
}

function buildMovImmediate(insn: X86Insn, op: Op): boolean {
  op.d = 2 * insn.opcodeReg;
  if (op.size >= 4) {
    op.run = moves.runMovImmediate;
    return true;
  }
  if (op.size === 1 && insn.rex === 0 && insn.opcodeReg >= 4) {
    op.d = 2 * (insn.opcodeReg - 4);
    op.dKind = OperandKind.HIGH_BYTE;
  }
  op.sKind = OperandKind.IMMEDIATE;
  op.fn = moves.movFn(op.size);
  op.run = operandRunner(op);
  return true;
}

/** The opcodes whose ModRM.reg picks the operation. */
function buildGroup(insn: X86Insn, op: Op): boolean {
  const which = (insn.modrm >> 3) & 7;
  switch (insn.opcode) {
    case 0x80:
    case 0x81:
    case 0x83:
      modrmDestination(insn, op);
      op.sKind = OperandKind.IMMEDIATE;
      op.fn = aluFn(which, op.size);
      op.writes = which !== Alu.CMP;
      op.lockable = op.writes;
      op.run = operandRunner(op);
      return true;
    case 0xc0:
    case 0xc1:
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return buildShift(insn, op, which);
    case 0xf6:
    case 0xf7:
      return buildGroup3(insn, op, which);
    case 0xfe:
    case 0xff:
      return buildGroup5(insn, op, which);
    default:
      return false;
  }
}

function buildShift(insn: X86Insn, op: Op, which: number): boolean {
  modrmDestination(insn, op);
  if (insn.opcode >= 0xd2) op.s = Reg.CX;
  else {
    op.sKind = OperandKind.IMMEDIATE;
    op.immLo = insn.opcode >= 0xd0 ? 1 : insn.imm & 0xff;
  }
  op.fn = shiftFn(which, op.size);
  op.run = operandRunner(op);
  return true;
}

/** test not neg mul imul div idiv. */
function buildGroup3(insn: X86Insn, op: Op, which: number): boolean {
  const { size } = op;
  if (which < 4) {
    modrmDestination(insn, op);
    op.writes = which >= 2;
    op.lockable = op.writes;
    if (which < 2) op.sKind = OperandKind.IMMEDIATE;
    op.fn = which < 2 ? aluFn(Alu.TEST, size) : which === 2 ? notFn(size) : negFn(size);
    op.run = operandRunner(op);
    return true;
  }
  const signed = (which & 1) === 1;
  const divides = which >= 6;
  // The accumulator is implied; the operand is a source, and nothing is written back to it.
  registerRm(insn, op, 's');
  op.d = Reg.T2;
  op.fn = divides ? (cpu, _d, s) => divide(cpu, s, size, signed) : (cpu, _d, s) => multiplyWide(cpu, s, size, signed);
  op.writes = false;
  op.run = operandRunner(op);
  return true;
}

/** inc dec call jmp push. */
function buildGroup5(insn: X86Insn, op: Op, which: number): boolean {
  if (which < 2) {
    modrmDestination(insn, op);
    op.lockable = true;
    op.fn = which === 0 ? incFn(op.size) : decFn(op.size);
    op.run = operandRunner(op);
    return true;
  }
  if (insn.opcode === 0xfe || op.size !== 8) return false;
  modrmDestination(insn, op);
  if (which === 2) op.run = control.runCallIndirect;
  else if (which === 4) op.run = control.runJmpIndirect;
  else if (which === 6) op.run = control.runPushOperand;
  else return false;
  return true;
}

function stringRepeat(insn: X86Insn): number {
  return insn.rep ? strings.Repeat.REPE : insn.repne ? strings.Repeat.REPNE : strings.Repeat.NONE;
}

function buildString(insn: X86Insn, op: Op): boolean {
  if (insn.addressSize !== 8) return false;
  op.extra = stringRepeat(insn);
  op.segment = insn.segment === 0x64 ? 1 : insn.segment === 0x65 ? 2 : 0;
  op.fn = aluFn(Alu.CMP, op.size);
  const handlers = [strings.runMovs, strings.runCmps, null, strings.runStos, strings.runLods, strings.runScas];
  const run = handlers[(insn.opcode - 0xa4) >> 1];
  if (run === undefined || run === null) return false;
  op.run = run;
  return true;
}

/** mov between a register and memory or a register, without reading what is overwritten. */
function buildMov(insn: X86Insn, op: Op): boolean {
  const store = insn.opcode < 0x8a;
  modrmDestination(insn, op);
  regOperand(insn, op, 's');
  if (store && insn.memory && op.sKind === OperandKind.REGISTER) {
    op.run = moves.runStore;
    return true;
  }
  if (!store) {
    regOperand(insn, op, 'd');
    registerRm(insn, op, 's');
    if (insn.memory && op.size >= 4) {
      op.run = op.size === 8 ? moves.runLoad64 : moves.runLoad32;
      return true;
    }
  }
  op.fn = moves.movFn(op.size);
  op.run = operandRunner(op);
  return true;
}

function buildMovModrmImmediate(insn: X86Insn, op: Op): boolean {
  if ((insn.modrm & 0x38) !== 0) return false;
  modrmDestination(insn, op);
  if (insn.memory) {
    op.run = moves.runStoreImmediate;
    return true;
  }
  op.sKind = OperandKind.IMMEDIATE;
  op.fn = moves.movFn(op.size);
  op.run = operandRunner(op);
  return true;
}

/** mov between the accumulator and an absolute address. */
function buildMovAbsolute(insn: X86Insn, op: Op): boolean {
  op.dispLo = insn.imm;
  op.dispHi = insn.immHi;
  op.segment = insn.segment === 0x64 ? 1 : insn.segment === 0x65 ? 2 : 0;
  if (insn.opcode >= 0xa2) op.run = moves.runStore;
  else {
    op.sKind = OperandKind.MEMORY;
    op.fn = moves.movFn(op.size);
    op.run = operandRunner(op);
  }
  return true;
}

function buildPlain(insn: X86Insn, op: Op): boolean {
  const { opcode } = insn;
  switch (opcode) {
    case 0x63:
      regOperand(insn, op, 'd');
      registerRm(insn, op, 's');
      op.extra = -4;
      op.run = moves.runExtend;
      return true;
    case 0x68:
    case 0x6a:
      op.run = control.runPushImmediate;
      return op.size === 8;
    case 0x69:
    case 0x6b:
      return buildMultiplyImmediate(insn, op);
    case 0x84:
    case 0x85:
      op.fn = aluFn(Alu.TEST, op.size);
      op.writes = false;
      setForm(insn, op, opcode & 1);
      return true;
    case 0x86:
    case 0x87:
      modrmDestination(insn, op);
      regOperand(insn, op, 's');
      op.lockable = true;
      op.run = moves.runXchg;
      return true;
    case 0x88:
    case 0x89:
    case 0x8a:
    case 0x8b:
      return buildMov(insn, op);
    case 0x8d:
      regOperand(insn, op, 'd');
      memoryOperand(insn, op);
      op.segment = 0;
      op.run = moves.runLea;
      return insn.memory;
    case 0x8f:
      modrmDestination(insn, op);
      op.run = insn.memory ? control.runPopMemory : control.runPopReg;
      return (insn.modrm & 0x38) === 0 && op.size === 8;
    case 0x90:
      op.d = 2 * insn.opcodeReg;
      op.run = insn.opcodeReg === 8 ? moves.runXchg : control.runNop;
      return true;
    case 0x98:
      op.run = moves.runExtendAccumulator;
      return true;
    case 0x99:
      op.run = moves.runSignToDx;
      return true;
    case 0xa0:
    case 0xa1:
    case 0xa2:
    case 0xa3:
      return buildMovAbsolute(insn, op);
    case 0xa4:
    case 0xa5:
    case 0xa6:
    case 0xa7:
    case 0xaa:
    case 0xab:
    case 0xac:
    case 0xad:
    case 0xae:
    case 0xaf:
      return buildString(insn, op);
    case 0xa8:
    case 0xa9:
      op.fn = aluFn(Alu.TEST, op.size);
      op.writes = false;
      setForm(insn, op, 4);
      return true;
    case 0xc6:
    case 0xc7:
      return buildMovModrmImmediate(insn, op);
    case 0xcd:
      op.run = control.runInt;
      return true;
    case 0xcf:
      op.run = system.runIretq;
      return op.size === 8;
    default:
      return buildBranch(insn, op);
  }
}

function buildMultiplyImmediate(insn: X86Insn, op: Op): boolean {
  const { size } = op;
  const d = 2 * insn.reg;
  op.d = Reg.IMM;
  registerRm(insn, op, 's');
  const { immLo, immHi } = op;
  op.fn = (cpu, t, s) => {
    cpu.r[t] = immLo;
    cpu.r[t + 1] = immHi;
    multiplyTo(cpu, d, s, t, size);
  };
  op.run = operandRunner(op);
  return true;
}

const SIMPLE: Readonly<Record<number, Op['run']>> = {
  0x9c: control.runPushf,
  0x9d: control.runPopf,
  0x9e: control.runSahf,
  0x9f: control.runLahf,
  0xc2: control.runRet,
  0xc3: control.runRet,
  0xc9: control.runLeave,
  0xcc: control.runInt3,
  0xe8: control.runCall,
  0xe9: control.runJmp,
  0xeb: control.runJmp,
  0xf4: system.runHlt,
  0xf5: control.runFlagOp,
  0xf8: control.runFlagOp,
  0xf9: control.runFlagOp,
  0xfa: system.runCli,
  0xfb: system.runSti,
  0xfc: control.runFlagOp,
  0xfd: control.runFlagOp,
};

function buildBranch(insn: X86Insn, op: Op): boolean {
  const run = SIMPLE[insn.opcode];
  if (run === undefined) return false;
  op.run = run;
  op.extra = insn.opcode;
  return true;
}
