/**
 * Builds single instructions, after the macros of the kernel's include/linux/filter.h. Arguments are taken as
 * they are, right or wrong: `checkProgram` judges. Operation and size arguments are the constants of
 * `opcodes.ts`; immediates may be given signed or unsigned.
 */
import { hi32, lo32 } from '../../base/index.js';
import type { Insn } from './insn.js';
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_END,
  BPF_EXIT,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_K,
  BPF_LDX,
  BPF_MAY_GOTO,
  BPF_MEM,
  BPF_MEMSX,
  BPF_MOV,
  BPF_NEG,
  BPF_ST,
  BPF_STX,
  BPF_TO_LE,
  BPF_X,
  LDIMM64,
} from './opcodes.js';

/** Any instruction slot. */
export function insn(code: number, dst = 0, src = 0, off = 0, imm = 0): Insn {
  return { code, dst, src, off, imm: imm | 0 };
}

/** `dst op= src` on 64 bits; `off` 1 makes BPF_DIV and BPF_MOD signed. */
export function alu64Reg(op: number, dst: number, src: number, off = 0): Insn {
  return insn(BPF_ALU64 | op | BPF_X, dst, src, off);
}

/** `dst op= imm` on 64 bits, the immediate sign-extended. */
export function alu64Imm(op: number, dst: number, imm: number, off = 0): Insn {
  return insn(BPF_ALU64 | op | BPF_K, dst, 0, off, imm);
}

/** `dst op= src` on the low words; the upper word becomes 0. */
export function alu32Reg(op: number, dst: number, src: number, off = 0): Insn {
  return insn(BPF_ALU | op | BPF_X, dst, src, off);
}

/** `dst op= imm` on the low word; the upper word becomes 0. */
export function alu32Imm(op: number, dst: number, imm: number, off = 0): Insn {
  return insn(BPF_ALU | op | BPF_K, dst, 0, off, imm);
}

export function mov64Reg(dst: number, src: number): Insn {
  return alu64Reg(BPF_MOV, dst, src);
}

export function mov64Imm(dst: number, imm: number): Insn {
  return alu64Imm(BPF_MOV, dst, imm);
}

export function mov32Reg(dst: number, src: number): Insn {
  return alu32Reg(BPF_MOV, dst, src);
}

export function mov32Imm(dst: number, imm: number): Insn {
  return alu32Imm(BPF_MOV, dst, imm);
}

/** `dst = (s8|s16|s32)src`, 64 bits wide; `bits` is 8, 16 or 32. */
export function movsx64(dst: number, src: number, bits: number): Insn {
  return alu64Reg(BPF_MOV, dst, src, bits);
}

/** `dst = (s8|s16)src` on the low word; `bits` is 8 or 16. */
export function movsx32(dst: number, src: number, bits: number): Insn {
  return alu32Reg(BPF_MOV, dst, src, bits);
}

export function neg64(dst: number): Insn {
  return insn(BPF_ALU64 | BPF_NEG, dst);
}

export function neg32(dst: number): Insn {
  return insn(BPF_ALU | BPF_NEG, dst);
}

/** Conversion to little (BPF_TO_LE) or big (BPF_TO_BE) endian of the low 16, 32 or 64 bits. */
export function endian(order: number, dst: number, bits: number): Insn {
  return insn(BPF_ALU | BPF_END | order, dst, 0, 0, bits);
}

/** Unconditional byte swap of the low 16, 32 or 64 bits. */
export function bswap(dst: number, bits: number): Insn {
  return insn(BPF_ALU64 | BPF_END | BPF_TO_LE, dst, 0, 0, bits);
}

/** Both slots of `dst = value ll`. `src` is a BPF_PSEUDO_ value, or 0 for a plain number. */
export function ldImm64(dst: number, value: bigint, src = 0): [Insn, Insn] {
  return [insn(LDIMM64, dst, src, 0, lo32(value)), insn(0, 0, 0, 0, hi32(value))];
}

/** `dst = *(u8|u16|u32|u64 *)(src + off)` */
export function ldx(size: number, dst: number, src: number, off: number): Insn {
  return insn(BPF_LDX | BPF_MEM | size, dst, src, off);
}

/** `dst = *(s8|s16|s32 *)(src + off)` */
export function ldsx(size: number, dst: number, src: number, off: number): Insn {
  return insn(BPF_LDX | BPF_MEMSX | size, dst, src, off);
}

/** `*(size *)(dst + off) = imm` */
export function st(size: number, dst: number, off: number, imm: number): Insn {
  return insn(BPF_ST | BPF_MEM | size, dst, 0, off, imm);
}

/** `*(size *)(dst + off) = src` */
export function stx(size: number, dst: number, src: number, off: number): Insn {
  return insn(BPF_STX | BPF_MEM | size, dst, src, off);
}

/** An atomic operation on `*(size *)(dst + off)`; `op` is BPF_ADD, BPF_ADD | BPF_FETCH, BPF_XCHG ... */
export function atomic(size: number, op: number, dst: number, src: number, off: number): Insn {
  return insn(BPF_STX | BPF_ATOMIC | size, dst, src, off, op);
}

/** `if dst op imm goto pc+off` */
export function jmpImm(op: number, dst: number, imm: number, off: number): Insn {
  return insn(BPF_JMP | op | BPF_K, dst, 0, off, imm);
}

/** `if dst op src goto pc+off` */
export function jmpReg(op: number, dst: number, src: number, off: number): Insn {
  return insn(BPF_JMP | op | BPF_X, dst, src, off);
}

/** As `jmpImm`, comparing low words. */
export function jmp32Imm(op: number, dst: number, imm: number, off: number): Insn {
  return insn(BPF_JMP32 | op | BPF_K, dst, 0, off, imm);
}

/** As `jmpReg`, comparing low words. */
export function jmp32Reg(op: number, dst: number, src: number, off: number): Insn {
  return insn(BPF_JMP32 | op | BPF_X, dst, src, off);
}

/** `goto pc+off` with a 16-bit distance. */
export function ja(off: number): Insn {
  return insn(BPF_JMP | BPF_JA, 0, 0, off);
}

/** `gotol pc+imm` with a 32-bit distance. */
export function gotol(imm: number): Insn {
  return insn(BPF_JMP32 | BPF_JA, 0, 0, 0, imm);
}

/** `may_goto pc+off` */
export function mayGoto(off: number): Insn {
  return insn(BPF_JMP | BPF_JCOND, 0, BPF_MAY_GOTO, off);
}

/** A helper call by number. */
export function call(helper: number): Insn {
  return insn(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

/** A call of the subprogram `distance` slots after the next instruction. */
export function callSubprog(distance: number): Insn {
  return insn(BPF_JMP | BPF_CALL, 0, 1, 0, distance);
}

/** A call through a register, which holds a helper's number: only `plugin` programs may have it. */
export function callx(register: number): Insn {
  return insn(BPF_JMP | BPF_CALL | BPF_X, register);
}

export function exit(): Insn {
  return insn(BPF_JMP | BPF_EXIT);
}
