import type { PtRegsLayout } from '../pt-regs.js';

/** Slots of loongarch64's `struct pt_regs` (arch/loongarch/include/asm/ptrace.h) by the names of regs_query_register_offset(). */
export const LoongArchSlot = {
  ra: 1,
  tp: 2,
  sp: 3,
  a0: 4,
  fp: 22,
  orig_a0: 32,
  csr_era: 33,
  csr_badvaddr: 34,
  csr_crmd: 35,
  csr_prmd: 36,
  csr_euen: 37,
  csr_ecfg: 38,
  csr_estat: 39,
} as const;

/** The 320 bytes of `struct pt_regs`, and the lp64 calling convention on top of them. */
export const loongArchPtRegs: PtRegsLayout = {
  names: [
    ...Array.from({ length: 32 }, (_, n) => `r${n}`),
    'orig_a0',
    'csr_era',
    'csr_badvaddr',
    'csr_crmd',
    'csr_prmd',
    'csr_euen',
    'csr_ecfg',
    'csr_estat',
  ],
  slotSize: 8,
  size: 320,
  ip: LoongArchSlot.csr_era,
  sp: LoongArchSlot.sp,
  fp: LoongArchSlot.fp,
  ret: LoongArchSlot.a0,
  args: [4, 5, 6, 7, 8, 9, 10, 11],
  // Linux has no regs_get_kernel_argument() of the stack here.
  stackArgs: null,
};

/** Bits of CSR.PRMD that probing looks at. */
export const LoongArchPrmd = {
  /** Interrupts were on before the trap, and will be behind it. */
  PIE: 0x4,
} as const;
