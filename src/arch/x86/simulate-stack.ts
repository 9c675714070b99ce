import { hi32, lo32 } from '../../base/index.js';
import type { SimulateInsn } from '../arch.js';
import type { Word64 } from '../word64.js';
import { advance } from './advance.js';
import type { X86Mode } from './mode.js';
import type { MemoryOperand, Source } from './operand.js';
import { effectiveAddress, store } from './operand.js';
import { peek, popped, push } from './stack.js';
import { X86Flag } from './flags.js';

const value: Word64 = { lo: 0, hi: 0 };
const address: Word64 = { lo: 0, hi: 0 };

/** RF and VM never reach the stack. */
const PUSHF_MASK = ~0x3_0000;
/** What popf changes in ring 0: status flags, TF, IF, DF, IOPL, NT, AC, ID. RF is cleared, VM kept. */
const POPF_MASK = 0x24_7fd5;
const POPF_KEPT = 0x2_0000;
const ALWAYS_ONE = 0x2;

/** push of a register; the stack pointer itself is pushed as it was before. */
export function simulatePushRegister(mode: X86Mode, slot: number, next: bigint): SimulateInsn {
  const { ip } = mode;
  const lo = lo32(next);
  const hi = hi32(next);
  // The commonest instruction under a probe: no second closure.
  return (regs, memory) => {
    if (!push(mode, regs, memory, regs.lo(slot), regs.hi(slot))) return false;
    regs.set(ip, lo, hi);
    return true;
  };
}

/** push of memory or of an immediate; an address that has the stack pointer in it counts as before the push. */
export function simulatePush(mode: X86Mode, source: Source, next: bigint): SimulateInsn {
  return advance(
    mode,
    next,
    (regs, memory) => source.load(regs, memory, value) && push(mode, regs, memory, value.lo, value.hi),
  );
}

/** pop to a register; popping the stack pointer itself leaves the popped value in it. */
export function simulatePopRegister(mode: X86Mode, slot: number, next: bigint): SimulateInsn {
  return advance(mode, next, (regs, memory) => {
    if (!peek(mode, regs, memory, mode.sp, value)) return false;
    popped(mode, regs, mode.sp);
    regs.set(slot, value.lo, value.hi);
    return true;
  });
}

/** pop to memory, whose address counts the stack pointer as it is after the pop. */
export function simulatePopMemory(mode: X86Mode, operand: MemoryOperand, next: bigint): SimulateInsn {
  const { sp, wordSize } = mode;
  return advance(mode, next, (regs, memory) => {
    const { lo, hi } = { lo: regs.lo(sp), hi: regs.hi(sp) };
    if (!peek(mode, regs, memory, sp, value)) return false;
    popped(mode, regs, sp);
    effectiveAddress(operand, regs, address);
    if (store(memory, address.lo, address.hi, wordSize, value.lo, value.hi)) return true;
    regs.set(sp, lo, hi);
    return false;
  });
}

export function simulateLeave(mode: X86Mode, next: bigint): SimulateInsn {
  const { bp } = mode;
  return advance(mode, next, (regs, memory) => {
    if (!peek(mode, regs, memory, bp, value)) return false;
    popped(mode, regs, bp);
    regs.set(bp, value.lo, value.hi);
    return true;
  });
}

export function simulatePushFlags(mode: X86Mode, next: bigint): SimulateInsn {
  const { flags } = mode;
  return advance(mode, next, (regs, memory) => push(mode, regs, memory, regs.lo(flags) & PUSHF_MASK, regs.hi(flags)));
}

export function simulatePopFlags(mode: X86Mode, next: bigint): SimulateInsn {
  const { sp, flags } = mode;
  return advance(mode, next, (regs, memory) => {
    if (!peek(mode, regs, memory, sp, value)) return false;
    popped(mode, regs, sp);
    regs.set(flags, (value.lo & POPF_MASK) | (regs.lo(flags) & POPF_KEPT) | ALWAYS_ONE, 0);
    return true;
  });
}

/** cli (false) and sti (true). */
export function simulateInterruptFlag(mode: X86Mode, enable: boolean, next: bigint): SimulateInsn {
  const { flags } = mode;
  return advance(mode, next, (regs) => {
    const bits = regs.lo(flags);
    regs.set(flags, enable ? bits | X86Flag.IF : bits & ~X86Flag.IF, regs.hi(flags));
    return true;
  });
}
