import type { ProbePlan, SimulateInsn } from '../arch.js';
import { decodeInsn, X86Insn } from './decode.js';
import { memoryOperand, slotOf } from './operand.js';
import { refusalOf } from './refusal.js';
import * as branch from './simulate-branch.js';
import * as straight from './simulate-straight.js';

const decoded = new X86Insn();

/**
 * What to do with the instruction at `address` whose bytes begin `bytes`. Everything that moves the pc, the
 * interrupt flag or a return address is simulated, and so are the commonest instructions of prologues;
 * the rest runs in a slot, where only a RIP-relative displacement needs mending.
 */
export function planProbe(bytes: Uint8Array, address: bigint): ProbePlan {
  if (decodeInsn(bytes, 0, decoded) === null) {
    return { kind: 'refuse', length: 0, errno: 'EILSEQ', reason: 'the bytes here are no instruction' };
  }
  const { length } = decoded;
  const refusal = refusalOf(decoded);
  if (refusal !== null) return { kind: 'refuse', length, ...refusal };
  const simulate = simulationOf(decoded, address);
  if (simulate !== null) return { kind: 'simulate', length, simulate };
  return slotPlan(bytes.slice(0, length), address);
}

function simulationOf(insn: X86Insn, address: bigint): SimulateInsn | null {
  const next = address + BigInt(insn.length);
  const target = next + BigInt(insn.imm);
  switch (insn.class) {
    case 'nop':
      return isExchange(insn) ? null : straight.simulateNop(next);
    case 'jmp-rel':
      return branch.simulateJump(target);
    case 'jcc':
      return branch.simulateConditionalJump(insn.opcode & 0xf, target, next);
    case 'loop':
      return branch.simulateLoop(insn.opcode, insn.addressSize === 4, target, next);
    case 'call-rel':
      return branch.simulateCall(target, next);
    case 'jmp-indirect':
      return branch.simulateIndirectJump(branchTarget(insn, address));
    case 'call-indirect':
      return branch.simulateIndirectCall(branchTarget(insn, address), next);
    case 'ret':
      return branch.simulateReturn(insn.immSize === 0 ? 0 : insn.imm & 0xffff);
    case 'push':
      return simulationOfPush(insn, next);
    case 'pop':
      return insn.operandSize === 8 && isRegisterPop(insn) ? straight.simulatePop(slotOf(insn.opcodeReg), next) : null;
    case 'leave':
      return insn.operandSize === 8 ? straight.simulateLeave(next) : null;
    case 'pushf':
      return straight.simulatePushFlags(next);
    case 'popf':
      return straight.simulatePopFlags(next);
    case 'interrupt-flag':
      return straight.simulateInterruptFlag(insn.opcode === 0xfb, next);
    default:
      return simulationOfMove(insn, address, next);
  }
}

/** 90 with REX.B is xchg rax, r8; 0F 1A and 1B are moves of bound registers where those exist. */
function isExchange(insn: X86Insn): boolean {
  if (insn.map === 0) return (insn.rex & 1) !== 0;
  return insn.opcode === 0x1a || insn.opcode === 0x1b;
}

function branchTarget(insn: X86Insn, address: bigint): branch.BranchTarget {
  return insn.memory ? { memory: memoryOperand(insn, address) } : { slot: slotOf(insn.rm) };
}

function simulationOfPush(insn: X86Insn, next: bigint): SimulateInsn | null {
  if (insn.map !== 0 || insn.operandSize !== 8) return null;
  if ((insn.opcode & 0xf8) === 0x50) return straight.simulatePush(slotOf(insn.opcodeReg), next);
  if (insn.opcode === 0x68 || insn.opcode === 0x6a) return straight.simulatePushImmediate(insn.imm, next);
  return null;
}

function isRegisterPop(insn: X86Insn): boolean {
  return insn.map === 0 && (insn.opcode & 0xf8) === 0x58;
}

/** mov between general registers and lea, of 32 and 64 bits. */
function simulationOfMove(insn: X86Insn, address: bigint, next: bigint): SimulateInsn | null {
  if (insn.map !== 0 || insn.encoding !== 'none' || insn.operandSize < 4) return null;
  const narrow = insn.operandSize === 4;
  const reg = slotOf(insn.reg);
  if (insn.opcode === 0x8d && insn.memory) {
    return straight.simulateLea(memoryOperand(insn, address), reg, narrow, next);
  }
  if (insn.memory || insn.lock) return null;
  if (insn.opcode === 0x89) return straight.simulateMove(reg, slotOf(insn.rm), narrow, next);
  if (insn.opcode === 0x8b) return straight.simulateMove(slotOf(insn.rm), reg, narrow, next);
  return null;
}

function slotPlan(original: Uint8Array, address: bigint): ProbePlan {
  const { length } = original;
  if (!decoded.ripRelative) return { kind: 'slot', length, relocate: () => original };
  const { disp, dispOffset } = decoded;
  return {
    kind: 'slot',
    length,
    relocate: (slot) => moveDisplacement(original, dispOffset, BigInt(disp) + address - slot),
  };
}

/** A copy of `original` with its displacement replaced, or null if that does not fit 32 bits. */
function moveDisplacement(original: Uint8Array, offset: number, displacement: bigint): Uint8Array | null {
  if (BigInt.asIntN(32, displacement) !== displacement) return null;
  const moved = original.slice();
  new DataView(moved.buffer).setInt32(offset, Number(displacement), true);
  return moved;
}
