import { insnForms, type InsnForm } from '../host/sim/insn-forms.js';

/** What the differential test of the simulated processor cannot run in user mode. */
const KERNEL_FORMS: readonly InsnForm[] = [
  { name: 'jmp *rm', opcode: 0xff, digit: 4, modrm: true, sizes: [8] },
  { name: 'call *rm', opcode: 0xff, digit: 2, modrm: true, sizes: [8], kind: 'stack' },
  { name: 'ret', opcode: 0xc3, sizes: [8], kind: 'stack' },
  { name: 'ret imm16', opcode: 0xc2, imm: 'w', sizes: [8], kind: 'stack' },
  { name: 'sti', opcode: 0xfb, sizes: [4] },
  { name: 'nop', opcode: 0x90, sizes: [4] },
];

/** Forms that a probe refuses; all others must run. */
export const refusedForms: readonly string[] = ['hlt', 'ud2'];

/** Every form of 64-bit mode that kernels contain and a probe can displace or refuses. */
export const forms64: readonly InsnForm[] = [...insnForms, ...KERNEL_FORMS];

const CF = 1;
const PF = 4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;

/** What 64-bit mode has no longer. */
const ONLY_32: readonly InsnForm[] = [
  { name: 'inc r', opcode: 0x40, opcodeReg: true, sizes: [2, 4] },
  { name: 'dec r', opcode: 0x48, opcodeReg: true, sizes: [2, 4] },
  { name: 'add rm8,imm8 by 82', opcode: 0x82, digit: 0, modrm: true, imm: 'b', byte: true, sizes: [1] },
  { name: 'pusha', opcode: 0x60, sizes: [4], kind: 'stack' },
  { name: 'popa', opcode: 0x61, sizes: [4], kind: 'stack' },
  { name: 'daa', opcode: 0x27, sizes: [4], undefinedFlags: OF },
  { name: 'das', opcode: 0x2f, sizes: [4], undefinedFlags: OF },
  { name: 'aaa', opcode: 0x37, sizes: [4], undefinedFlags: OF | SF | ZF | PF },
  { name: 'aas', opcode: 0x3f, sizes: [4], undefinedFlags: OF | SF | ZF | PF },
  { name: 'aam', opcode: 0xd4, imm: 'b', sizes: [4], undefinedFlags: OF | AF | CF, kind: 'divide' },
  { name: 'aad', opcode: 0xd5, imm: 'b', sizes: [4], undefinedFlags: OF | AF | CF },
];
/** 63 is arpl in 32-bit mode. */
const ONLY_64: readonly string[] = ['movsxd'];

/** The same for 32-bit mode, where operands of 64 bits have 32. */
export const forms32: readonly InsnForm[] = [...forms64.filter(({ name }) => !ONLY_64.includes(name)), ...ONLY_32];
