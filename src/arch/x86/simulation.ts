import type { SimulateInsn } from '../arch.js';
import * as branch from './simulate-branch.js';
import { simulationOfData } from './simulation-data.js';
import * as stack from './simulate-stack.js';
import { simulateNop } from './simulate-data.js';
import type { X86Insn } from './insn.js';
import type { X86Mode } from './mode.js';
import { hasFlatOperand, immediate, memoryOperand, memoryPlace, type Source } from './operand.js';

/**
 * How `insn` at `address` is executed on saved registers, null where a slot must do: everything that moves the pc,
 * the interrupt flag or a return address is simulated, and so is what kernels commonly do at the entries of
 * functions and between them. `insn` is not kept.
 */
export function simulationOf(insn: X86Insn, address: bigint, mode: X86Mode): SimulateInsn | null {
  const next = address + BigInt(insn.length);
  const target = BigInt.asUintN(mode.bits, next + BigInt(insn.imm));
  switch (insn.class) {
    case 'nop':
      return isExchange(insn) ? null : simulateNop(mode, next);
    case 'jmp-rel':
      return branch.simulateJump(mode, target);
    case 'jcc':
      return branch.simulateConditionalJump(mode, insn.opcode & 0xf, target, next);
    case 'loop':
      return branch.simulateLoop(mode, insn.opcode, insn.addressSize, target, next);
    case 'call-rel':
      return branch.simulateCall(mode, target, next);
    case 'jmp-indirect':
      return branch.simulateIndirectJump(mode, branchTarget(insn, address, mode));
    case 'call-indirect':
      return branch.simulateIndirectCall(mode, branchTarget(insn, address, mode), next);
    case 'ret':
      return branch.simulateReturn(mode, insn.immSize === 0 ? 0 : insn.imm & 0xffff);
    default:
      return simulationOfStack(insn, address, mode, next) ?? simulationOfData(insn, address, mode);
  }
}

/** 90 with REX.B is xchg rax, r8; 0F 1A and 1B are moves of bound registers where those exist. */
function isExchange(insn: X86Insn): boolean {
  if (insn.map === 0) return (insn.rex & 1) !== 0;
  return insn.opcode === 0x1a || insn.opcode === 0x1b;
}

/** Branch targets have the mode's size whatever prefix there is. */
function branchTarget(insn: X86Insn, address: bigint, mode: X86Mode): Source {
  if (insn.memory) return memoryPlace(memoryOperand(insn, address, mode), mode.wordSize);
  const slot = mode.slotOfRegister[insn.rm];
  return {
    load(regs, _memory, out) {
      out.lo = regs.lo(slot);
      out.hi = regs.hi(slot);
      return true;
    },
  };
}

/** Moves of whole words to and from the stack, and the flags. */
function simulationOfStack(insn: X86Insn, address: bigint, mode: X86Mode, next: bigint): SimulateInsn | null {
  if (insn.class === 'interrupt-flag') return stack.simulateInterruptFlag(mode, insn.opcode === 0xfb, next);
  if (insn.operandSize !== mode.wordSize) return null;
  switch (insn.class) {
    case 'push':
      return simulationOfPush(insn, address, mode, next);
    case 'pop':
      return simulationOfPop(insn, address, mode, next);
    case 'leave':
      return stack.simulateLeave(mode, next);
    case 'pushf':
      return stack.simulatePushFlags(mode, next);
    case 'popf':
      return stack.simulatePopFlags(mode, next);
    default:
      return null;
  }
}

function simulationOfPush(insn: X86Insn, address: bigint, mode: X86Mode, next: bigint): SimulateInsn | null {
  if (insn.map !== 0) return null;
  const { opcode, wordSize } = { opcode: insn.opcode, wordSize: mode.wordSize };
  if ((opcode & 0xf8) === 0x50) {
    return stack.simulatePushRegister(mode, mode.slotOfRegister[insn.opcodeReg], next);
  }
  if (opcode === 0x68 || opcode === 0x6a) {
    return stack.simulatePush(mode, immediate(insn.imm, insn.immHi, wordSize), next);
  }
  if (opcode !== 0xff || !hasFlatOperand(insn)) return null;
  if (!insn.memory) return stack.simulatePushRegister(mode, mode.slotOfRegister[insn.rm], next);
  return stack.simulatePush(mode, memoryPlace(memoryOperand(insn, address, mode), wordSize), next);
}

function simulationOfPop(insn: X86Insn, address: bigint, mode: X86Mode, next: bigint): SimulateInsn | null {
  if (insn.map !== 0) return null;
  if ((insn.opcode & 0xf8) === 0x58) {
    if (mode.copiesTrapFrame && mode.slotOfRegister[insn.opcodeReg] === mode.sp) return null;
    return stack.simulatePopRegister(mode, mode.slotOfRegister[insn.opcodeReg], next);
  }
  if (insn.opcode !== 0x8f || (insn.modrm & 0x38) !== 0 || !hasFlatOperand(insn)) return null;
  // What pops to a register has a shorter form, which everybody uses.
  if (!insn.memory) return null;
  return stack.simulatePopMemory(mode, memoryOperand(insn, address, mode), next);
}
