import type { ArchProbing, ArchReturns } from '../arch.js';
import type { PtRegs } from '../pt-regs.js';
import { addToSlot, type Word64 } from '../word64.js';
import { decodeInsn, MAX_INSN_LENGTH } from './decode.js';
import { X86Flag } from './flags.js';
import { X86Insn } from './insn.js';
import type { X86Mode } from './mode.js';
import { store } from './operand.js';
import { planProbe } from './plan.js';
import { peek, popped } from './stack.js';
import { userRelocation } from './user-relocation.js';

const INT3 = Uint8Array.of(0xcc);
const insn = new X86Insn();
const word: Word64 = { lo: 0, hi: 0 };

/** Breakpoints and displaced instructions in one mode of the processor. */
export function x86Probing(mode: X86Mode): ArchProbing {
  const { flags } = mode;
  return {
    minInsnLength: 1,
    maxInsnLength: MAX_INSN_LENGTH,
    breakpoint: () => INT3,
    slotBreakpoint: () => INT3,
    uprobeBreakpoint: () => INT3,
    isBreakpoint: (bytes) => bytes[0] === 0xcc,
    trapPcBias: 1,
    boundaryErrno: 'EILSEQ',
    insnLength: (bytes, offset) => decodeInsn(bytes, offset, insn, mode.bits)?.length ?? 0,
    contextSize: 0,
    plan: (bytes, address) => planProbe(mode, bytes, address),
    userRelocation: (bytes, address) => userRelocation(mode, bytes, address),
    maskInterrupts(regs) {
      const bits = regs.lo(flags);
      regs.set(flags, bits & ~X86Flag.IF, regs.hi(flags));
      return bits & X86Flag.IF;
    },
    restoreInterrupts(regs, saved) {
      regs.set(flags, regs.lo(flags) | saved, regs.hi(flags));
    },
  };
}

/**
 * The return address is the word on top of the stack, and its place there tells one call from another.
 * `markTrampoline` makes the registers look as the kernel's own return trampoline shows them.
 */
export function x86Returns(mode: X86Mode, markTrampoline: (regs: PtRegs) => void): ArchReturns {
  const { ip, sp, wordSize } = mode;
  return {
    readEntry(regs, memory, out) {
      if (!peek(mode, regs, memory, sp, word)) return false;
      out[0] = word.lo;
      out[1] = word.hi;
      out[2] = regs.lo(sp);
      out[3] = regs.hi(sp);
      return true;
    },
    redirect: (regs, memory, lo, hi) => store(memory, regs.lo(sp), regs.hi(sp), wordSize, lo, hi),
    leave(regs, memory) {
      if (!peek(mode, regs, memory, sp, word)) return false;
      regs.set(ip, word.lo, word.hi);
      popped(mode, regs, sp);
      return true;
    },
    readReturn(regs, out) {
      // ret has popped the address.
      addToSlot(word, regs, sp, -wordSize);
      out[2] = word.lo;
      out[3] = wordSize === 4 ? 0 : word.hi;
      markTrampoline(regs);
    },
    resume: (regs, lo, hi) => regs.set(ip, lo, hi),
  };
}
