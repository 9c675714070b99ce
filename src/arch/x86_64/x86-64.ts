import type { Arch } from '../arch.js';
import { x86Probing, x86Returns } from '../x86/probing.js';
import type { X86Mode } from '../x86/mode.js';
import { x86PtRegs, X86Slot } from './pt-regs.js';

const { ax, cx, dx, bx, sp, bp, si, di, r8, r9, r10, r11, r12, r13, r14, r15, ip, flags, orig_ax } = X86Slot;

const mode: X86Mode = {
  bits: 64,
  wordSize: 8,
  ip,
  sp,
  bp,
  cx,
  flags,
  copiesTrapFrame: false,
  slotOfRegister: [ax, cx, dx, bx, sp, bp, si, di, r8, r9, r10, r11, r12, r13, r14, r15],
};

/** The 64-bit x86 architecture, as Linux calls it. */
export const x86_64: Arch = {
  name: 'x86_64',
  littleEndian: true,
  pointerSize: 8,
  ptRegs: x86PtRegs,
  probing: x86Probing(mode),
  // arch_rethook_trampoline() marks its frame as no system call.
  returns: x86Returns(mode, (regs) => regs.set(orig_ax, -1, -1)),
};
