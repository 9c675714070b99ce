export * from './opcodes.js';
export {
  alu32Imm,
  alu32Reg,
  alu64Imm,
  alu64Reg,
  atomic,
  bswap,
  call,
  callSubprog,
  callx,
  endian,
  exit,
  gotol,
  insn,
  ja,
  jmp32Imm,
  jmp32Reg,
  jmpImm,
  jmpReg,
  ldImm64,
  ldsx,
  ldx,
  mayGoto,
  mov32Imm,
  mov32Reg,
  mov64Imm,
  mov64Reg,
  movsx32,
  movsx64,
  neg32,
  neg64,
  st,
  stx,
} from './builders.js';
export { assemble } from './assembler/assemble.js';
export { AssemblyError } from './assembler/assembly-error.js';
export { decodeInsns, encodeInsns, INSN_SIZE } from './codec.js';
export { type DisassembledInsn, type DisassemblyNames, disassemble, disassembleInsn } from './disassembler.js';
export { formOf, formsOfCode, INSN_FORMS, type InsnForm, type RegisterUse } from './insn-forms.js';
export type { Insn } from './insn.js';
