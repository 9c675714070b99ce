export type * from './arch.js';
export { PtRegs, type PtRegsLayout } from './pt-regs.js';
export { x86_64 } from './x86_64/x86-64.js';
export { X86Flag, X86Slot, x86PtRegs } from './x86_64/pt-regs.js';
export { decodeInsn, MAX_INSN_LENGTH, X86Insn } from './x86_64/decode.js';
export type { X86InsnClass } from './x86_64/insn-class.js';
