import type { Arch } from '../arch.js';
import type { X86Mode } from '../x86/mode.js';
import { x86Probing, x86Returns } from '../x86/probing.js';
import { i386PtRegs, I386Slot } from './pt-regs.js';

const { ax, cx, dx, bx, sp, bp, si, di, ip, flags, gs, orig_ax } = I386Slot;

const mode: X86Mode = {
  bits: 32,
  wordSize: 4,
  ip,
  sp,
  bp,
  cx,
  flags,
  copiesTrapFrame: true,
  slotOfRegister: [ax, cx, dx, bx, sp, bp, si, di],
};

/** The 32-bit x86 architecture, as Linux calls it. Registers are seen through `PtRegs32`. */
export const i386: Arch = {
  name: 'i386',
  littleEndian: true,
  pointerSize: 4,
  ptRegs: i386PtRegs,
  probing: x86Probing(mode),
  // arch_rethook_trampoline() marks its frame as no system call and as one without a gs.
  returns: x86Returns(mode, (regs) => {
    regs.set(orig_ax, -1, 0);
    regs.set(gs, 0, 0);
  }),
};
