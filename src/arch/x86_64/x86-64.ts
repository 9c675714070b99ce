import type { Arch, ArchProbing, ArchReturns } from '../arch.js';
import { addToSlot, load64, store64, type Word64 } from '../word64.js';
import { decodeInsn, MAX_INSN_LENGTH, X86Insn } from './decode.js';
import { planProbe } from './plan.js';
import { x86PtRegs, X86Flag, X86Slot } from './pt-regs.js';

const { ip, sp, flags, orig_ax } = X86Slot;
const INT3 = Uint8Array.of(0xcc);
const insn = new X86Insn();
const word: Word64 = { lo: 0, hi: 0 };

const probing: ArchProbing = {
  minInsnLength: 1,
  maxInsnLength: MAX_INSN_LENGTH,
  breakpoint: () => INT3,
  slotBreakpoint: () => INT3,
  uprobeBreakpoint: () => INT3,
  isBreakpoint: (bytes) => bytes[0] === 0xcc,
  trapPcBias: 1,
  boundaryErrno: 'EILSEQ',
  insnLength: (bytes, offset) => decodeInsn(bytes, offset, insn)?.length ?? 0,
  contextSize: 0,
  plan: planProbe,
  maskInterrupts(regs) {
    const bits = regs.lo(flags);
    regs.set(flags, bits & ~X86Flag.IF, regs.hi(flags));
    return bits & X86Flag.IF;
  },
  restoreInterrupts(regs, saved) {
    regs.set(flags, regs.lo(flags) | saved, regs.hi(flags));
  },
};

/** The return address is the word on top of the stack, and its place there tells one call from another. */
const returns: ArchReturns = {
  readEntry(regs, memory, out) {
    if (!load64(memory, regs.lo(sp), regs.hi(sp), word)) return false;
    out[0] = word.lo;
    out[1] = word.hi;
    out[2] = regs.lo(sp);
    out[3] = regs.hi(sp);
    return true;
  },
  redirect: (regs, memory, lo, hi) => store64(memory, regs.lo(sp), regs.hi(sp), lo, hi),
  readReturn(regs, out) {
    // ret has popped the address.
    addToSlot(word, regs, sp, -8);
    out[2] = word.lo;
    out[3] = word.hi;
    // Linux's trampoline marks its frame as no system call.
    regs.set(orig_ax, -1, -1);
  },
  resume: (regs, lo, hi) => regs.set(ip, lo, hi),
};

/** The 64-bit x86 architecture, as Linux calls it. */
export const x86_64: Arch = {
  name: 'x86_64',
  littleEndian: true,
  pointerSize: 8,
  ptRegs: x86PtRegs,
  probing,
  returns,
};
