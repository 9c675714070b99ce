import type { PtRegsLayout } from '../pt-regs.js';

/** Slots of x86-64's `struct pt_regs` (Documentation: arch/x86/include/asm/ptrace.h), in memory order. */
export const X86Slot = {
  r15: 0,
  r14: 1,
  r13: 2,
  r12: 3,
  bp: 4,
  bx: 5,
  r11: 6,
  r10: 7,
  r9: 8,
  r8: 9,
  ax: 10,
  cx: 11,
  dx: 12,
  si: 13,
  di: 14,
  orig_ax: 15,
  ip: 16,
  cs: 17,
  flags: 18,
  sp: 19,
  ss: 20,
} as const;

/** The 168 bytes of `struct pt_regs`, and the System V calling convention on top of them. */
export const x86PtRegs: PtRegsLayout = {
  names: Object.keys(X86Slot),
  slotSize: 8,
  size: 168,
  ip: X86Slot.ip,
  sp: X86Slot.sp,
  fp: X86Slot.bp,
  ret: X86Slot.ax,
  args: [X86Slot.di, X86Slot.si, X86Slot.dx, X86Slot.cx, X86Slot.r8, X86Slot.r9],
  // Word 0 is the return address.
  stackArgs: 1,
};
