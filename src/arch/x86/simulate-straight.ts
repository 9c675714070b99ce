import { hi32, lo32 } from '../../base/index.js';
import type { InsnMemory, SimulateInsn } from '../arch.js';
import type { PtRegs } from '../pt-regs.js';
import { addToSlot, load64, store64, type Word64 } from '../word64.js';
import { effectiveAddress, type MemoryOperand } from './operand.js';
import { X86Flag, X86Slot } from './pt-regs.js';

const { ip, sp, bp, flags } = X86Slot;
const value: Word64 = { lo: 0, hi: 0 };
const stack: Word64 = { lo: 0, hi: 0 };

/** RF and VM never reach the stack. */
const PUSHF_MASK = ~0x3_0000;
/** What popf changes in ring 0: status flags, TF, IF, DF, IOPL, NT, AC, ID. RF is cleared, VM kept. */
const POPF_MASK = 0x24_7fd5;
const POPF_KEPT = 0x2_0000;
const ALWAYS_ONE = 0x2;

/** An instruction that goes on at `next` after its effect, unless that faulted. */
function advance(next: bigint, effect: (regs: PtRegs, memory: InsnMemory) => boolean): SimulateInsn {
  const lo = lo32(next);
  const hi = hi32(next);
  return (regs, memory) => {
    if (!effect(regs, memory)) return false;
    regs.set(ip, lo, hi);
    return true;
  };
}

export function simulateNop(next: bigint): SimulateInsn {
  return advance(next, () => true);
}

/** push of a register; the stack pointer itself is pushed as it was before. */
export function simulatePush(slot: number, next: bigint): SimulateInsn {
  const lo = lo32(next);
  const hi = hi32(next);
  // The commonest instruction under a probe: no second closure.
  return (regs, memory) => {
    if (!push(regs, memory, regs.lo(slot), regs.hi(slot))) return false;
    regs.set(ip, lo, hi);
    return true;
  };
}

/** push of a sign-extended immediate. */
export function simulatePushImmediate(immediate: number, next: bigint): SimulateInsn {
  return advance(next, (regs, memory) => push(regs, memory, immediate, immediate >> 31));
}

/** pop to a register; popping the stack pointer itself leaves the popped value in it. */
export function simulatePop(slot: number, next: bigint): SimulateInsn {
  return advance(next, (regs, memory) => {
    if (!pop(regs, memory, sp)) return false;
    regs.set(slot, value.lo, value.hi);
    return true;
  });
}

export function simulateLeave(next: bigint): SimulateInsn {
  return advance(next, (regs, memory) => {
    if (!pop(regs, memory, bp)) return false;
    regs.set(bp, value.lo, value.hi);
    return true;
  });
}

export function simulatePushFlags(next: bigint): SimulateInsn {
  return advance(next, (regs, memory) => push(regs, memory, regs.lo(flags) & PUSHF_MASK, regs.hi(flags)));
}

export function simulatePopFlags(next: bigint): SimulateInsn {
  return advance(next, (regs, memory) => {
    if (!pop(regs, memory, sp)) return false;
    regs.set(flags, (value.lo & POPF_MASK) | (regs.lo(flags) & POPF_KEPT) | ALWAYS_ONE, 0);
    return true;
  });
}

/** cli (false) and sti (true). */
export function simulateInterruptFlag(enable: boolean, next: bigint): SimulateInsn {
  return advance(next, (regs) => {
    const bits = regs.lo(flags);
    regs.set(flags, enable ? bits | X86Flag.IF : bits & ~X86Flag.IF, regs.hi(flags));
    return true;
  });
}

/** mov between registers; `narrow`: 32 bits, the upper half becomes zero. */
export function simulateMove(from: number, to: number, narrow: boolean, next: bigint): SimulateInsn {
  return advance(next, (regs) => {
    regs.set(to, regs.lo(from), narrow ? 0 : regs.hi(from));
    return true;
  });
}

/** lea; `narrow`: 32 bits, the upper half becomes zero. */
export function simulateLea(operand: MemoryOperand, to: number, narrow: boolean, next: bigint): SimulateInsn {
  return advance(next, (regs) => {
    effectiveAddress(operand, regs, value);
    regs.set(to, value.lo, narrow ? 0 : value.hi);
    return true;
  });
}

function push(regs: PtRegs, memory: InsnMemory, lo: number, hi: number): boolean {
  addToSlot(stack, regs, sp, -8);
  if (!store64(memory, stack.lo, stack.hi, lo, hi)) return false;
  regs.set(sp, stack.lo, stack.hi);
  return true;
}

/** Loads `value` from where `pointer` points and moves the stack pointer behind it. */
function pop(regs: PtRegs, memory: InsnMemory, pointer: number): boolean {
  if (!load64(memory, regs.lo(pointer), regs.hi(pointer), value)) return false;
  addToSlot(stack, regs, pointer, 8);
  regs.set(sp, stack.lo, stack.hi);
  return true;
}
