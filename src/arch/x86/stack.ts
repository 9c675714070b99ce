import type { InsnMemory } from '../arch.js';
import type { PtRegs } from '../pt-regs.js';
import { addToSlot, type Word64 } from '../word64.js';
import type { X86Mode } from './mode.js';
import { load, store } from './operand.js';

const top: Word64 = { lo: 0, hi: 0 };

/** Pushes a word of the mode's size. False: a memory fault; nothing has changed. */
export function push(mode: X86Mode, regs: PtRegs, memory: InsnMemory, lo: number, hi: number): boolean {
  const { sp, wordSize } = mode;
  addToSlot(top, regs, sp, -wordSize);
  if (wordSize === 4) top.hi = 0;
  if (!store(memory, top.lo, top.hi, wordSize, lo, hi)) return false;
  regs.set(sp, top.lo, top.hi);
  return true;
}

/** Loads `out` from where the register in slot `pointer` points. */
export function peek(mode: X86Mode, regs: PtRegs, memory: InsnMemory, pointer: number, out: Word64): boolean {
  return load(memory, regs.lo(pointer), regs.hi(pointer), mode.wordSize, out);
}

/** Puts the stack pointer one word, and `drop` bytes more, behind what the register in slot `pointer` points to. */
export function popped(mode: X86Mode, regs: PtRegs, pointer: number, drop = 0): void {
  addToSlot(top, regs, pointer, mode.wordSize + drop);
  regs.set(mode.sp, top.lo, top.hi);
}
