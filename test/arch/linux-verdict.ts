import type { X86Insn } from '../../src/arch/index.js';

/** What register_kprobe() answers, or how Linux executes the displaced instruction. */
export type LinuxVerdict = 'emulate' | 'slot' | 'EINVAL' | 'EOPNOTSUPP';

/** Linux's POP_SS_OPCODE, which is the number of pop ds. */
const POP_SS_OPCODE = 0x1f;
const EMULATED = [0xc2, 0xc3, 0xca, 0xcb, 0xe0, 0xe1, 0xe2, 0xe3, 0xe8, 0xe9, 0xeb, 0x9c, 0x9d, 0xfa, 0xfb];
const REFUSED = [0x9a, 0xea, 0xcf];

/**
 * What Linux 6.1 decides by the instruction alone: insn_masking_exceptions(), __copy_instruction() and
 * prepare_emulation() of arch/x86/kernel/kprobes/core.c, in their order.
 */
export function linuxVerdict(insn: X86Insn): LinuxVerdict {
  const reg = (insn.modrm >> 3) & 7;
  if (insn.map === 1) return verdictAfterEscape(insn, reg);
  const { opcode } = insn;
  if (opcode === 0xcc || opcode === POP_SS_OPCODE || (opcode === 0x8e && reg === 2)) return 'EINVAL';
  if (REFUSED.includes(opcode)) return 'EOPNOTSUPP';
  if (EMULATED.includes(opcode) || (opcode & 0xf0) === 0x70) return 'emulate';
  return opcode === 0xff ? verdictOfGroup5(insn, reg) : 'slot';
}

function verdictAfterEscape({ opcode, mod }: X86Insn, reg: number): LinuxVerdict {
  if ((opcode & 0xf0) === 0x80) return 'emulate';
  return opcode === 0x01 && reg === 0 && mod === 3 ? 'EOPNOTSUPP' : 'slot';
}

/** Far branches, and near ones through memory, are not supported. */
function verdictOfGroup5({ mod, addressSize, bits }: X86Insn, reg: number): LinuxVerdict {
  if (reg < 2 || reg > 5) return 'slot';
  if ((reg & 1) === 1 || addressSize * 8 !== bits || mod !== 3) return 'EOPNOTSUPP';
  return 'emulate';
}
