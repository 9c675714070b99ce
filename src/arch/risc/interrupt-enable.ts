import type { ArchProbing } from '../arch.js';

/** Interrupts where one bit, in the slot of a status register, says that they will be on when the trap is left. */
export function interruptEnableBit(
  status: number,
  bit: number,
): Pick<ArchProbing, 'maskInterrupts' | 'restoreInterrupts'> {
  return {
    maskInterrupts(regs) {
      const bits = regs.lo(status);
      regs.set(status, bits & ~bit, regs.hi(status));
      return bits & bit;
    },
    restoreInterrupts(regs, saved) {
      regs.set(status, regs.lo(status) | saved, regs.hi(status));
    },
  };
}
