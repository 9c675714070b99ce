import type { X86Insn } from './insn.js';

/**
 * What an instruction does to control flow, the stack or the processor's mode, as far as someone who moves
 * or simulates it must know. Everything that only computes is `other`.
 */
export type X86InsnClass =
  | 'other'
  | 'nop'
  | 'jmp-rel'
  | 'jcc'
  /** loop, loope, loopne, jrcxz */
  | 'loop'
  | 'call-rel'
  | 'jmp-indirect'
  | 'call-indirect'
  | 'far-transfer'
  | 'ret'
  | 'iret'
  | 'int3'
  | 'int'
  | 'push'
  | 'pop'
  | 'pushf'
  | 'popf'
  | 'leave'
  /** cli, sti */
  | 'interrupt-flag'
  | 'hlt'
  | 'syscall'
  | 'sysret'
  /** mov and pop to SS, after which traps are held off for one instruction */
  | 'mov-ss'
  /** moves to and from CR and DR, lgdt and its like, wrmsr, invlpg, port I/O … */
  | 'system'
  | 'string'
  | 'ud';

/** The class of a decoded instruction. */
export function classifyInsn(insn: X86Insn): X86InsnClass {
  if (insn.encoding !== 'none' || insn.map > 1) return 'other';
  if (insn.map === 1) return classifyTwoByte(insn.opcode);
  const legacy = insn.bits === 32 ? ONE_BYTE_32[insn.opcode] : undefined;
  return legacy ?? classifyOneByte(insn.opcode, (insn.modrm >> 3) & 7, insn.rep);
}

/** `reg` is ModRM.reg without REX. */
function classifyOneByte(opcode: number, reg: number, repeated: boolean): X86InsnClass {
  if (opcode >= 0x50 && opcode <= 0x57) return 'push';
  if (opcode >= 0x58 && opcode <= 0x5f) return 'pop';
  if (opcode >= 0x70 && opcode <= 0x7f) return 'jcc';
  if (opcode >= 0xe0 && opcode <= 0xe3) return 'loop';
  if ((opcode >= 0xe4 && opcode <= 0xe7) || (opcode >= 0xec && opcode <= 0xef)) return 'system';
  if (opcode >= 0xa4 && opcode <= 0xaf && opcode !== 0xa8 && opcode !== 0xa9) return 'string';
  if (opcode === 0xff) return classifyGroup5(reg);
  if (opcode === 0x8e) return reg === 2 ? 'mov-ss' : 'system';
  if (opcode === 0x90) return repeated ? 'other' : 'nop';
  return ONE_BYTE[opcode] ?? 'other';
}

function classifyTwoByte(opcode: number): X86InsnClass {
  if (opcode >= 0x80 && opcode <= 0x8f) return 'jcc';
  if (opcode >= 0x18 && opcode <= 0x1f) return 'nop';
  return TWO_BYTE[opcode] ?? 'other';
}

function classifyGroup5(reg: number): X86InsnClass {
  switch (reg) {
    case 2:
      return 'call-indirect';
    case 4:
      return 'jmp-indirect';
    case 3:
    case 5:
      return 'far-transfer';
    case 6:
      return 'push';
    case 7:
      return 'ud';
    default:
      return 'other';
  }
}

const ONE_BYTE: Readonly<Record<number, X86InsnClass>> = {
  0x68: 'push',
  0x6a: 'push',
  0x6c: 'string',
  0x6d: 'string',
  0x6e: 'string',
  0x6f: 'string',
  0x8f: 'pop',
  0x9c: 'pushf',
  0x9d: 'popf',
  0xc2: 'ret',
  0xc3: 'ret',
  0xc8: 'push',
  0xc9: 'leave',
  0xca: 'far-transfer',
  0xcb: 'far-transfer',
  0xcc: 'int3',
  0xcd: 'int',
  0xcf: 'iret',
  0xe8: 'call-rel',
  0xe9: 'jmp-rel',
  0xeb: 'jmp-rel',
  0xf1: 'int',
  0xf4: 'hlt',
  0xfa: 'interrupt-flag',
  0xfb: 'interrupt-flag',
};

/** What 64-bit mode has no longer. */
const ONE_BYTE_32: Readonly<Record<number, X86InsnClass>> = {
  0x06: 'push',
  0x07: 'pop',
  0x0e: 'push',
  0x16: 'push',
  0x17: 'mov-ss',
  0x1e: 'push',
  0x1f: 'pop',
  0x60: 'push',
  0x61: 'pop',
  0x9a: 'far-transfer',
  0xce: 'int',
  0xea: 'far-transfer',
};

const TWO_BYTE: Readonly<Record<number, X86InsnClass>> = {
  0x00: 'system',
  0x01: 'system',
  0x05: 'syscall',
  0x06: 'system',
  0x07: 'sysret',
  0x08: 'system',
  0x09: 'system',
  0x0b: 'ud',
  0x0d: 'nop',
  0x20: 'system',
  0x21: 'system',
  0x22: 'system',
  0x23: 'system',
  0x30: 'system',
  0x34: 'syscall',
  0x35: 'sysret',
  0xa0: 'push',
  0xa1: 'pop',
  0xa8: 'push',
  0xa9: 'pop',
  0xaa: 'system',
  0xb9: 'ud',
  0xff: 'ud',
};
