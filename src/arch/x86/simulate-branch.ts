import { hi32, lo32 } from '../../base/index.js';
import type { InsnMemory, SimulateInsn } from '../arch.js';
import type { PtRegs } from '../pt-regs.js';
import { addToSlot, load64, store64, type Word64 } from '../word64.js';
import { effectiveAddress, type MemoryOperand } from './operand.js';
import { X86Flag, X86Slot } from './pt-regs.js';

const { ip, sp, cx, flags } = X86Slot;
const value: Word64 = { lo: 0, hi: 0 };
const stack: Word64 = { lo: 0, hi: 0 };

/** Where a branch gets its target from: a register slot or memory. */
export type BranchTarget = { readonly slot: number } | { readonly memory: MemoryOperand };

export function simulateJump(target: bigint): SimulateInsn {
  const lo = lo32(target);
  const hi = hi32(target);
  return (regs) => {
    regs.set(ip, lo, hi);
    return true;
  };
}

/** jcc: `code` is the low nibble of the opcode. */
export function simulateConditionalJump(code: number, target: bigint, next: bigint): SimulateInsn {
  return choose(target, next, (regs) => conditionHolds(code, regs.lo(flags)));
}

/** loopne (e0), loope (e1), loop (e2) and jrcxz (e3); `narrow`: they count in ecx. */
export function simulateLoop(opcode: number, narrow: boolean, target: bigint, next: bigint): SimulateInsn {
  const isZero = (regs: PtRegs): boolean => regs.lo(cx) === 0 && (narrow || regs.hi(cx) === 0);
  if (opcode === 0xe3) return choose(target, next, isZero);
  const anyFlag = opcode === 0xe2;
  const wanted = opcode === 0xe1 ? X86Flag.ZF : 0;
  return choose(target, next, (regs) => {
    addToSlot(value, regs, cx, -1);
    regs.set(cx, value.lo, narrow ? 0 : value.hi);
    return !isZero(regs) && (anyFlag || (regs.lo(flags) & X86Flag.ZF) === wanted);
  });
}

export function simulateCall(target: bigint, next: bigint): SimulateInsn {
  const lo = lo32(target);
  const hi = hi32(target);
  const push = pusher(next);
  return (regs, memory) => {
    if (!push(regs, memory)) return false;
    regs.set(ip, lo, hi);
    return true;
  };
}

export function simulateIndirectJump(target: BranchTarget): SimulateInsn {
  return (regs, memory) => {
    if (!loadTarget(target, regs, memory)) return false;
    regs.set(ip, value.lo, value.hi);
    return true;
  };
}

export function simulateIndirectCall(target: BranchTarget, next: bigint): SimulateInsn {
  const push = pusher(next);
  return (regs, memory) => {
    // The target counts as it was before the push moved the stack pointer.
    if (!loadTarget(target, regs, memory)) return false;
    if (!push(regs, memory)) return false;
    regs.set(ip, value.lo, value.hi);
    return true;
  };
}

/** ret, with the bytes of arguments it drops. */
export function simulateReturn(drop: number): SimulateInsn {
  return (regs, memory) => {
    if (!load64(memory, regs.lo(sp), regs.hi(sp), value)) return false;
    regs.set(ip, value.lo, value.hi);
    addToSlot(stack, regs, sp, 8 + drop);
    regs.set(sp, stack.lo, stack.hi);
    return true;
  };
}

function choose(target: bigint, next: bigint, taken: (regs: PtRegs) => boolean): SimulateInsn {
  const targetLo = lo32(target);
  const targetHi = hi32(target);
  const nextLo = lo32(next);
  const nextHi = hi32(next);
  return (regs) => {
    if (taken(regs)) regs.set(ip, targetLo, targetHi);
    else regs.set(ip, nextLo, nextHi);
    return true;
  };
}

/** Pushes the return address `next`. Leaves `value` alone. */
function pusher(next: bigint): (regs: PtRegs, memory: InsnMemory) => boolean {
  const lo = lo32(next);
  const hi = hi32(next);
  return (regs, memory) => {
    addToSlot(stack, regs, sp, -8);
    if (!store64(memory, stack.lo, stack.hi, lo, hi)) return false;
    regs.set(sp, stack.lo, stack.hi);
    return true;
  };
}

/** Leaves the target in `value`. */
function loadTarget(target: BranchTarget, regs: PtRegs, memory: InsnMemory): boolean {
  if ('slot' in target) {
    value.lo = regs.lo(target.slot);
    value.hi = regs.hi(target.slot);
    return true;
  }
  effectiveAddress(target.memory, regs, value);
  return load64(memory, value.lo, value.hi, value);
}

/** The sixteen conditions, in the order of their opcodes; an odd code negates the one before it. */
function conditionHolds(code: number, bits: number): boolean {
  const holds = positiveCondition(code >> 1, bits);
  return (code & 1) === 0 ? holds : !holds;
}

function positiveCondition(pair: number, bits: number): boolean {
  const less = ((bits & X86Flag.SF) !== 0) !== ((bits & X86Flag.OF) !== 0);
  switch (pair) {
    case 0:
      return (bits & X86Flag.OF) !== 0;
    case 1:
      return (bits & X86Flag.CF) !== 0;
    case 2:
      return (bits & X86Flag.ZF) !== 0;
    case 3:
      return (bits & (X86Flag.CF | X86Flag.ZF)) !== 0;
    case 4:
      return (bits & X86Flag.SF) !== 0;
    case 5:
      return (bits & X86Flag.PF) !== 0;
    case 6:
      return less;
    default:
      return less || (bits & X86Flag.ZF) !== 0;
  }
}
