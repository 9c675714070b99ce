import type { ArchReturns } from '../arch.js';

/** Slots of `struct pt_regs`. */
export interface LinkRegisters {
  /** Holds the return address at a function's first instruction. */
  readonly link: number;
  readonly sp: number;
  readonly pc: number;
}

/**
 * Returns where calls leave the return address in a register. The stack pointer, which a function leaves as it found it,
 * tells one call from another.
 */
export function linkRegisterReturns({ link, sp, pc }: LinkRegisters): ArchReturns {
  return {
    readEntry(regs, _memory, out) {
      out[0] = regs.lo(link);
      out[1] = regs.hi(link);
      out[2] = regs.lo(sp);
      out[3] = regs.hi(sp);
      return true;
    },
    redirect(regs, _memory, lo, hi) {
      regs.set(link, lo, hi);
      return true;
    },
    leave(regs) {
      regs.set(pc, regs.lo(link), regs.hi(link));
      return true;
    },
    readReturn(regs, out) {
      out[2] = regs.lo(sp);
      out[3] = regs.hi(sp);
    },
    resume(regs, lo, hi) {
      // Linux's trampolines go back by a return of their own.
      regs.set(link, lo, hi);
      regs.set(pc, lo, hi);
    },
  };
}
