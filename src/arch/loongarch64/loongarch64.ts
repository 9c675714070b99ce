import type { Arch, ArchProbing, ArchReturns } from '../arch.js';
import { INSN_BYTES, readInsn } from './decode.js';
import { classify } from './insn-class.js';
import { planProbe } from './plan.js';
import { loongArchPtRegs, LoongArchPrmd, LoongArchSlot } from './pt-regs.js';
import { LINKED_BYTES } from './refusal.js';

const { ra, sp, csr_era: era, csr_prmd: prmd } = LoongArchSlot;

/** Codes of `break` (arch/loongarch/include/uapi/asm/break.h). */
const KPROBE_BP = breakInsn(10);
const KPROBE_SSTEPBP = breakInsn(11);
const UPROBE_BP = breakInsn(12);

const probing: ArchProbing = {
  minInsnLength: INSN_BYTES,
  maxInsnLength: INSN_BYTES,
  contextSize: LINKED_BYTES,
  breakpoint: () => KPROBE_BP,
  slotBreakpoint: () => KPROBE_SSTEPBP,
  uprobeBreakpoint: () => UPROBE_BP,
  isBreakpoint: (bytes) => classify(readInsn(bytes, 0) ?? 0) === 'break',
  trapPcBias: 0,
  boundaryErrno: 'EILSEQ',
  insnLength: (bytes, offset) => (readInsn(bytes, offset) === null ? 0 : INSN_BYTES),
  plan: planProbe,
  maskInterrupts(regs) {
    const bits = regs.lo(prmd);
    regs.set(prmd, bits & ~LoongArchPrmd.PIE, regs.hi(prmd));
    return bits & LoongArchPrmd.PIE;
  },
  restoreInterrupts(regs, saved) {
    regs.set(prmd, regs.lo(prmd) | saved, regs.hi(prmd));
  },
};

/** The return address is in r1; the stack pointer tells one call from another. */
const returns: ArchReturns = {
  readEntry(regs, _memory, out) {
    out[0] = regs.lo(ra);
    out[1] = regs.hi(ra);
    out[2] = regs.lo(sp);
    out[3] = regs.hi(sp);
    return true;
  },
  redirect(regs, _memory, lo, hi) {
    regs.set(ra, lo, hi);
    return true;
  },
  leave(regs) {
    regs.set(era, regs.lo(ra), regs.hi(ra));
    return true;
  },
  readReturn(regs, out) {
    out[2] = regs.lo(sp);
    out[3] = regs.hi(sp);
  },
  resume(regs, lo, hi) {
    // Linux's trampoline goes back by a return of its own.
    regs.set(ra, lo, hi);
    regs.set(era, lo, hi);
  },
};

function breakInsn(code: number): Uint8Array {
  return Uint8Array.of(code, 0x00, 0x2a, 0x00);
}

/** The 64-bit LoongArch architecture, as Linux calls it. */
export const loongarch64: Arch = {
  name: 'loongarch64',
  littleEndian: true,
  pointerSize: 8,
  ptRegs: loongArchPtRegs,
  probing,
  returns,
};
