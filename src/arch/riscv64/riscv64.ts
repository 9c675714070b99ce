import type { Arch, ArchProbing, ArchReturns } from '../arch.js';
import { insnLength } from './decode.js';
import { planProbe } from './plan.js';
import { riscvPtRegs, RiscvSlot, RiscvStatus } from './pt-regs.js';
import { RESERVATION_BYTES } from './refusal.js';

const { ra, sp, epc, status } = RiscvSlot;
const EBREAK = Uint8Array.of(0x73, 0x00, 0x10, 0x00);
const C_EBREAK = Uint8Array.of(0x02, 0x90);

/** Breakpoints have the size of the instruction they stand for, as in Linux since 6.2: never half of one is left. */
const probing: ArchProbing = {
  minInsnLength: 2,
  maxInsnLength: 4,
  contextSize: RESERVATION_BYTES,
  breakpoint: (length) => (length === 2 ? C_EBREAK : EBREAK),
  slotBreakpoint: () => EBREAK,
  // UPROBE_SWBP_INSN of a kernel with the C extension, whatever it stands for.
  uprobeBreakpoint: () => C_EBREAK,
  isBreakpoint: (bytes) => startsWith(bytes, C_EBREAK) || startsWith(bytes, EBREAK),
  trapPcBias: 0,
  boundaryErrno: 'EILSEQ',
  insnLength,
  plan: planProbe,
  maskInterrupts(regs) {
    const bits = regs.lo(status);
    regs.set(status, bits & ~RiscvStatus.SPIE, regs.hi(status));
    return bits & RiscvStatus.SPIE;
  },
  restoreInterrupts(regs, saved) {
    regs.set(status, regs.lo(status) | saved, regs.hi(status));
  },
};

/** The return address is in ra; the stack pointer tells one call from another. */
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
    regs.set(epc, regs.lo(ra), regs.hi(ra));
    return true;
  },
  readReturn(regs, out) {
    out[2] = regs.lo(sp);
    out[3] = regs.hi(sp);
  },
  resume(regs, lo, hi) {
    // Linux's trampoline goes back by a return of its own.
    regs.set(ra, lo, hi);
    regs.set(epc, lo, hi);
  },
};

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}

/** The 64-bit RISC-V architecture with compressed instructions, as Linux calls it. */
export const riscv64: Arch = {
  name: 'riscv64',
  littleEndian: true,
  pointerSize: 8,
  ptRegs: riscvPtRegs,
  probing,
  returns,
};
