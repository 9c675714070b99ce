import type { X86Insn } from '../../../arch/x86/insn.js';
import { Alu, aluFn } from './alu.js';
import { bitScan, byteSwap, populationCount, runBitTest, zeroCount } from './bits.js';
import { memoryOperand, modrmDestination, regOperand, registerRm } from './build-operands.js';
import { runJcc, runNop, runUndefined } from './control.js';
import { runCpuid } from './cpuid.js';
import { Reg } from './cpu-state.js';
import * as moves from './moves.js';
import { multiplyTo } from './multiply.js';
import { type Op, OperandKind } from './op.js';
import { operandRunner } from './operands.js';
import { doubleShift } from './shift.js';
import * as system from './system.js';

/** The opcodes after 0F. False: outside the subset. */
export function buildTwoByte(insn: X86Insn, op: Op): boolean {
  const { opcode } = insn;
  if (opcode >= 0x80 && opcode <= 0x8f) {
    op.run = runJcc;
    op.extra = opcode & 15;
    return true;
  }
  if (opcode >= 0x40 && opcode <= 0x4f) {
    regOperand(insn, op, 'd');
    registerRm(insn, op, 's');
    op.extra = opcode & 15;
    op.run = moves.runCmov;
    return true;
  }
  if (opcode >= 0x90 && opcode <= 0x9f) {
    modrmDestination(insn, op);
    op.extra = opcode & 15;
    op.run = moves.runSetcc;
    return true;
  }
  if (opcode >= 0xc8 && opcode <= 0xcf) return buildByteSwap(insn, op);
  return buildSystem(insn, op) || buildBits(insn, op) || buildData(insn, op);
}

function buildByteSwap(insn: X86Insn, op: Op): boolean {
  const { size } = op;
  op.d = 2 * insn.opcodeReg;
  op.run = (cpu, self) => byteSwap(cpu, self.d, size);
  return size >= 4;
}

function buildSystem(insn: X86Insn, op: Op): boolean {
  switch (insn.opcode) {
    case 0x00:
      modrmDestination(insn, op);
      op.run = system.runLtr;
      return (insn.modrm & 0x38) === 0x18;
    case 0x01:
      return buildGroup7(insn, op);
    case 0x05:
      op.run = system.runSyscall;
      return true;
    case 0x07:
      op.run = system.runSysret;
      return op.size === 8;
    case 0x0b:
      op.run = runUndefined;
      return true;
    case 0x0d:
    case 0x18:
    case 0x19:
    case 0x1a:
    case 0x1b:
    case 0x1c:
    case 0x1d:
    case 0x1e:
    case 0x1f:
      op.run = runNop;
      return true;
    case 0x20:
    case 0x22:
      op.d = 2 * insn.rm;
      op.extra = insn.reg;
      op.run = insn.opcode === 0x20 ? system.runReadControl : system.runWriteControl;
      return insn.reg === 0 || insn.reg === 2 || insn.reg === 3 || insn.reg === 4;
    case 0x30:
      op.run = system.runWrmsr;
      return true;
    case 0x31:
      op.run = system.runRdtsc;
      return true;
    case 0x32:
      op.run = system.runRdmsr;
      return true;
    case 0xa2:
      op.run = runCpuid;
      return true;
    case 0xae:
      // lfence, mfence, sfence: accesses happen in order anyway.
      op.run = runNop;
      return !insn.memory && (insn.modrm & 0x38) >= 0x28;
    default:
      return false;
  }
}

/** lgdt lidt invlpg, and the register forms swapgs and vmcall. */
function buildGroup7(insn: X86Insn, op: Op): boolean {
  const which = (insn.modrm >> 3) & 7;
  if (!insn.memory) {
    if (insn.modrm === 0xf8) op.run = system.runSwapgs;
    else if (insn.modrm === 0xc1) op.run = system.runVmcall;
    else return false;
    return true;
  }
  memoryOperand(insn, op);
  op.extra = which;
  if (which === 2 || which === 3) op.run = system.runLoadTable;
  else if (which === 7) op.run = system.runInvlpg;
  else return false;
  return true;
}

function buildBits(insn: X86Insn, op: Op): boolean {
  switch (insn.opcode) {
    case 0xa3:
    case 0xab:
    case 0xb3:
    case 0xbb:
      modrmDestination(insn, op);
      regOperand(insn, op, 's');
      return bitTest(op, (insn.opcode >> 3) & 3);
    case 0xba:
      modrmDestination(insn, op);
      op.sKind = OperandKind.IMMEDIATE;
      return (insn.modrm & 0x20) !== 0 && bitTest(op, (insn.modrm >> 3) & 3);
    case 0xbc:
    case 0xbd: {
      const reverse = insn.opcode === 0xbd;
      op.fn = insn.rep ? zeroCount(op.size, reverse) : bitScan(op.size, reverse);
      return toRegister(insn, op);
    }
    case 0xb8:
      op.fn = populationCount(op.size);
      return insn.rep && toRegister(insn, op);
    case 0xa4:
    case 0xa5:
    case 0xac:
    case 0xad:
      return buildDoubleShift(insn, op);
    default:
      return false;
  }
}

function bitTest(op: Op, operation: number): boolean {
  op.extra = operation;
  op.writes = operation !== 0;
  op.lockable = op.writes;
  op.run = runBitTest;
  return true;
}

function toRegister(insn: X86Insn, op: Op): boolean {
  regOperand(insn, op, 'd');
  registerRm(insn, op, 's');
  op.run = operandRunner(op);
  return true;
}

function buildDoubleShift(insn: X86Insn, op: Op): boolean {
  const { size } = op;
  const left = insn.opcode < 0xa8;
  const byCl = (insn.opcode & 1) === 1;
  const count = insn.imm & 0xff;
  modrmDestination(insn, op);
  regOperand(insn, op, 's');
  op.fn = (cpu, d, s) => doubleShift(cpu, d, s, size, byCl ? cpu.r[Reg.CX] & 0xff : count, left);
  op.run = operandRunner(op);
  return true;
}

function buildData(insn: X86Insn, op: Op): boolean {
  const { opcode } = insn;
  switch (opcode) {
    case 0xaf: {
      const { size } = op;
      op.fn = (cpu, d, s) => multiplyTo(cpu, d, d, s, size);
      return toRegister(insn, op);
    }
    case 0xb0:
    case 0xb1:
      op.fn = aluFn(Alu.CMP, op.size);
      op.run = moves.runCmpxchg;
      return exchange(insn, op);
    case 0xc0:
    case 0xc1:
      op.fn = aluFn(Alu.ADD, op.size);
      op.run = moves.runXadd;
      return exchange(insn, op);
    case 0xb6:
    case 0xb7:
    case 0xbe:
    case 0xbf: {
      const from = (opcode & 1) + 1;
      op.extra = opcode >= 0xbe ? -from : from;
      regOperand(insn, op, 'd');
      registerRm(insn, op, 's', from);
      op.run = moves.runExtend;
      return true;
    }
    case 0xc3:
      modrmDestination(insn, op);
      regOperand(insn, op, 's');
      op.run = moves.runStore;
      return insn.memory && op.size >= 4;
    case 0xc7:
      modrmDestination(insn, op);
      op.lockable = true;
      op.run = moves.runCmpxchgPair;
      return insn.memory && (insn.modrm & 0x38) === 8;
    default:
      return false;
  }
}

function exchange(insn: X86Insn, op: Op): boolean {
  modrmDestination(insn, op);
  regOperand(insn, op, 's');
  op.lockable = true;
  return true;
}
