import type { PtRegsLayout } from '../pt-regs.js';

const general = Array.from({ length: 31 }, (_, i) => `x${i}`);

/**
 * Slots of arm64's `struct pt_regs` (arch/arm64/include/asm/ptrace.h of Linux 6.1), in memory order. `x0` to `x30` are
 * the slots 0 to 30, so a register's number in an encoding is its slot, and number 31 that of the stack pointer.
 */
export const Arm64Slot = {
  x29: 29,
  x30: 30,
  sp: 31,
  pc: 32,
  pstate: 33,
} as const;

/** The 336 bytes of `struct pt_regs`, and the calling convention of AAPCS64 on top of them. */
export const arm64PtRegs: PtRegsLayout = {
  names: [
    ...general,
    'sp',
    'pc',
    'pstate',
    'orig_x0',
    // With `unused2` in the high word.
    'syscallno',
    'sdei_ttbr1',
    'pmr_save',
    'stackframe0',
    'stackframe1',
    'lockdep_hardirqs',
    'exit_rcu',
  ],
  slotSize: 8,
  size: 336,
  ip: Arm64Slot.pc,
  sp: Arm64Slot.sp,
  fp: Arm64Slot.x29,
  ret: 0,
  args: [0, 1, 2, 3, 4, 5, 6, 7],
  // regs_get_kernel_argument() knows registers only.
  stackArgs: null,
  aliases: { lr: Arm64Slot.x30 },
};

/** Bits of pstate that probing looks at. */
export const Arm64Pstate = {
  V: 0x1000_0000,
  C: 0x2000_0000,
  Z: 0x4000_0000,
  N: 0x8000_0000,
  NZCV: 0xf000_0000,
  /** What kind of branch led here (FEAT_BTI). */
  BTYPE: 0xc00,
  /** Masks of debug exceptions, SErrors, interrupts and fast interrupts. */
  DAIF: 0x3c0,
} as const;
