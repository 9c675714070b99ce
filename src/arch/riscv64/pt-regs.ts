import type { PtRegsLayout } from '../pt-regs.js';

/**
 * Slots of riscv64's `struct pt_regs` (arch/riscv/include/asm/ptrace.h), in memory order. Register xN of the
 * instruction set is slot N, but for x0, in whose place the pc stands.
 */
export const RiscvSlot = {
  epc: 0,
  ra: 1,
  sp: 2,
  gp: 3,
  tp: 4,
  t0: 5,
  t1: 6,
  t2: 7,
  s0: 8,
  s1: 9,
  a0: 10,
  a1: 11,
  a2: 12,
  a3: 13,
  a4: 14,
  a5: 15,
  a6: 16,
  a7: 17,
  s2: 18,
  s3: 19,
  s4: 20,
  s5: 21,
  s6: 22,
  s7: 23,
  s8: 24,
  s9: 25,
  s10: 26,
  s11: 27,
  t3: 28,
  t4: 29,
  t5: 30,
  t6: 31,
  status: 32,
  badaddr: 33,
  cause: 34,
  orig_a0: 35,
} as const;

/** The 288 bytes of `struct pt_regs`, and the lp64 calling convention on top of them. */
export const riscvPtRegs: PtRegsLayout = {
  names: Object.keys(RiscvSlot),
  slotSize: 8,
  size: 288,
  ip: RiscvSlot.epc,
  sp: RiscvSlot.sp,
  fp: RiscvSlot.s0,
  ret: RiscvSlot.a0,
  args: [10, 11, 12, 13, 14, 15, 16, 17],
  // regs_get_kernel_argument() knows registers only.
  stackArgs: null,
};

/** Bits of sstatus that probing looks at. */
export const RiscvStatus = {
  /** Interrupts were on before the trap, and will be behind it. */
  SPIE: 0x20,
} as const;
