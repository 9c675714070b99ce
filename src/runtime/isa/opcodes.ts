/**
 * Fields of an instruction's code byte, its modifiers and limits, under their kernel spelling
 * (include/uapi/linux/bpf.h and bpf_common.h; RFC 9669 section 3). Plain constants, so that engines'
 * switches compile to constants.
 */

/* Classes: the low three bits. */
export const BPF_LD = 0x00;
export const BPF_LDX = 0x01;
export const BPF_ST = 0x02;
export const BPF_STX = 0x03;
export const BPF_ALU = 0x04;
export const BPF_JMP = 0x05;
export const BPF_JMP32 = 0x06;
export const BPF_ALU64 = 0x07;

/* Sizes of loads and stores. */
export const BPF_W = 0x00;
export const BPF_H = 0x08;
export const BPF_B = 0x10;
export const BPF_DW = 0x18;

/* Modes of loads and stores. */
export const BPF_IMM = 0x00;
export const BPF_ABS = 0x20;
export const BPF_IND = 0x40;
export const BPF_MEM = 0x60;
export const BPF_MEMSX = 0x80;
export const BPF_ATOMIC = 0xc0;

/* Second operand: the immediate or the source register. */
export const BPF_K = 0x00;
export const BPF_X = 0x08;

/* Operations of ALU and ALU64. */
export const BPF_ADD = 0x00;
export const BPF_SUB = 0x10;
export const BPF_MUL = 0x20;
export const BPF_DIV = 0x30;
export const BPF_OR = 0x40;
export const BPF_AND = 0x50;
export const BPF_LSH = 0x60;
export const BPF_RSH = 0x70;
export const BPF_NEG = 0x80;
export const BPF_MOD = 0x90;
export const BPF_XOR = 0xa0;
export const BPF_MOV = 0xb0;
export const BPF_ARSH = 0xc0;
export const BPF_END = 0xd0;

/* Source bit of BPF_END: target byte order (in ALU64, with BPF_TO_LE: unconditional swap). */
export const BPF_TO_LE = 0x00;
export const BPF_TO_BE = 0x08;

/* Operations of JMP and JMP32. */
export const BPF_JA = 0x00;
export const BPF_JEQ = 0x10;
export const BPF_JGT = 0x20;
export const BPF_JGE = 0x30;
export const BPF_JSET = 0x40;
export const BPF_JNE = 0x50;
export const BPF_JSGT = 0x60;
export const BPF_JSGE = 0x70;
export const BPF_CALL = 0x80;
export const BPF_EXIT = 0x90;
export const BPF_JLT = 0xa0;
export const BPF_JLE = 0xb0;
export const BPF_JSLT = 0xc0;
export const BPF_JSLE = 0xd0;
/** Conditional jump that the kernel decides; with src_reg BPF_MAY_GOTO. JMP class only. */
export const BPF_JCOND = 0xe0;
/** src_reg of BPF_JCOND. */
export const BPF_MAY_GOTO = 0;

/* `imm` of BPF_ATOMIC: BPF_ADD, BPF_OR, BPF_AND or BPF_XOR, with or without BPF_FETCH, or one of these. */
export const BPF_FETCH = 0x01;
export const BPF_XCHG = 0xe1;
export const BPF_CMPXCHG = 0xf1;
export const BPF_LOAD_ACQ = 0x100;
export const BPF_STORE_REL = 0x110;

/** `off` of a move between address spaces (arena). */
export const BPF_ADDR_SPACE_CAST = 1;

/* Registers. */
export const BPF_REG_0 = 0;
export const BPF_REG_1 = 1;
export const BPF_REG_2 = 2;
export const BPF_REG_3 = 3;
export const BPF_REG_4 = 4;
export const BPF_REG_5 = 5;
export const BPF_REG_6 = 6;
export const BPF_REG_7 = 7;
export const BPF_REG_8 = 8;
export const BPF_REG_9 = 9;
export const BPF_REG_10 = 10;
/** The frame pointer, read-only. */
export const BPF_REG_FP = 10;
export const MAX_BPF_REG = 11;

/** Most instruction slots a privileged load may have (include/linux/bpf.h BPF_COMPLEXITY_LIMIT_INSNS). */
export const BPF_COMPLEXITY_LIMIT_INSNS = 1_000_000;
/** Most subprograms, the entry included (include/linux/bpf_verifier.h). */
export const BPF_MAX_SUBPROGS = 256;
/** Most frames on the call stack (include/linux/bpf_verifier.h). */
export const MAX_CALL_FRAMES = 8;

/** Code of the first slot of a 64-bit immediate load. */
export const LDIMM64 = BPF_LD | BPF_IMM | BPF_DW;
/** Codes of calls (helper, subprogram, kfunc by src_reg) and of the return. */
export const CALL = BPF_JMP | BPF_CALL;
export const EXIT = BPF_JMP | BPF_EXIT;

/** The instruction class of a code byte. */
export function classOf(code: number): number {
  return code & 0x07;
}

/** The size field of a load or store. */
export function sizeOf(code: number): number {
  return code & 0x18;
}

/** The mode field of a load or store. */
export function modeOf(code: number): number {
  return code & 0xe0;
}

/** The operation field of an ALU or jump instruction. */
export function opOf(code: number): number {
  return code & 0xf0;
}

/** The operand source of an ALU or jump instruction: BPF_K or BPF_X. */
export function sourceOf(code: number): number {
  return code & 0x08;
}

/** Bytes that a size field stands for. */
export function sizeInBytes(size: number): 1 | 2 | 4 | 8 {
  if (size === BPF_B) return 1;
  if (size === BPF_H) return 2;
  return size === BPF_W ? 4 : 8;
}
