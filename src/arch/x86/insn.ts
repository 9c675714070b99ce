import type { X86InsnClass } from './insn-class.js';

/** Modes of the processor that code is decoded for: 64-bit mode, and protected mode with 32-bit segments. */
export type X86Bits = 32 | 64;

/**
 * One decoded instruction. All offsets count from the first byte of the instruction, prefixes included; an
 * offset of a part that is absent is 0. Reused by passing it back as `out`.
 */
export class X86Insn {
  /** The mode that it was decoded for. */
  bits: X86Bits = 64;
  length = 0;
  class: X86InsnClass = 'other';
  /** 0: one-byte opcodes, 1: after 0F, 2: 0F 38, 3: 0F 3A; VEX and EVEX use the same numbers (5 and 6: EVEX only); 8 to 10: XOP. */
  map = 0;
  opcode = 0;
  opcodeOffset = 0;
  /** `none`, `vex`, `evex`, `xop`. */
  encoding: 'none' | 'vex' | 'evex' | 'xop' = 'none';
  /** The REX byte, or 0. */
  rex = 0;
  lock = false;
  /** F3 as the last of the repeat prefixes. */
  rep = false;
  /** F2 as the last of the repeat prefixes. */
  repne = false;
  /** The 66 prefix is there. */
  operandPrefix = false;
  /** Bytes of an address: 8, or 4 with the 67 prefix; in 32-bit mode 4, or 2. */
  addressSize = 8;
  /** The segment prefix that counts (0x64, 0x65; the others are ignored in 64-bit mode but reported), or 0. */
  segment = 0;
  /** Bytes of the operands: 1, 2, 4 or 8. */
  operandSize = 4;
  hasModrm = false;
  modrm = 0;
  modrmOffset = 0;
  mod = 0;
  /** ModRM.reg with REX.R. */
  reg = 0;
  /** ModRM.rm with REX.B; the register of a memory operand is in `base`. */
  rm = 0;
  /** True where ModRM names memory. */
  memory = false;
  hasSib = false;
  sib = 0;
  /** Base register of the memory operand, or -1. */
  base = -1;
  /** Index register, or -1. */
  index = -1;
  /** Index shift: 0 to 3. */
  scale = 0;
  ripRelative = false;
  /** Displacement, sign-extended. */
  disp = 0;
  dispOffset = 0;
  dispSize = 0;
  /** Immediate or branch distance, sign-extended; `immHi` is its high word. */
  imm = 0;
  immHi = 0;
  immOffset = 0;
  immSize = 0;
  /** The second immediate of enter, and the selector of a far pointer. */
  imm2 = 0;
  /** Register in the low three bits of the opcode, with REX.B: push, pop, xchg, bswap, mov of an immediate. */
  opcodeReg = 0;
}
