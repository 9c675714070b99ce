import type { PtRegsLayout } from '../pt-regs.js';

/**
 * Slots of i386's `struct pt_regs` (arch/x86/include/asm/ptrace.h), in memory order. Since Linux 5.3 the entry code
 * fills `sp` and `ss` for traps from the kernel too, and returns with the `sp` it finds there. Segment registers
 * take 16 bits of their slots.
 */
export const I386Slot = {
  bx: 0,
  cx: 1,
  dx: 2,
  si: 3,
  di: 4,
  bp: 5,
  ax: 6,
  ds: 7,
  es: 8,
  fs: 9,
  gs: 10,
  orig_ax: 11,
  ip: 12,
  cs: 13,
  flags: 14,
  sp: 15,
  ss: 16,
} as const;

/** The 68 bytes of `struct pt_regs`, and the kernel's calling convention (`-mregparm=3`) on top of them. */
export const i386PtRegs: PtRegsLayout = {
  names: Object.keys(I386Slot),
  slotSize: 4,
  size: 68,
  ip: I386Slot.ip,
  sp: I386Slot.sp,
  fp: I386Slot.bp,
  ret: I386Slot.ax,
  args: [I386Slot.ax, I386Slot.dx, I386Slot.cx],
  // Word 0 is the return address.
  stackArgs: 1,
};
