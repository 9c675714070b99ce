import {
  BPF_ABS,
  BPF_ADD,
  BPF_ADDR_SPACE_CAST,
  BPF_ALU,
  BPF_ALU64,
  BPF_AND,
  BPF_ARSH,
  BPF_ATOMIC,
  BPF_B,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_DIV,
  BPF_DW,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_H,
  BPF_IMM,
  BPF_IND,
  BPF_JA,
  BPF_JCOND,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JLE,
  BPF_JLT,
  BPF_JMP,
  BPF_JMP32,
  BPF_JNE,
  BPF_JSET,
  BPF_JSGE,
  BPF_JSGT,
  BPF_JSLE,
  BPF_JSLT,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_LSH,
  BPF_MEM,
  BPF_MEMSX,
  BPF_MOD,
  BPF_MOV,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RSH,
  BPF_ST,
  BPF_STORE_REL,
  BPF_STX,
  BPF_SUB,
  BPF_TO_BE,
  BPF_TO_LE,
  BPF_W,
  BPF_X,
  BPF_XCHG,
  BPF_XOR,
} from './opcodes.js';
import { BpfPseudo } from '../../base/index.js';
import type { Insn } from './insn.js';

/** What an instruction does with a register field. `unused` fields must be 0. */
export type RegisterUse = 'unused' | 'read' | 'write' | 'update';

/**
 * One form of instruction: a code byte, and which values its other fields may have. A number is the one value
 * allowed (0 where the field is reserved, else it selects the form); `any` is an operand.
 */
export interface InsnForm {
  /** Unique, such as `add64_imm`, `jsgt32_reg`, `atomic_fetch_or_u32`. */
  readonly name: string;
  readonly code: number;
  readonly dst: RegisterUse;
  readonly src: 'read' | 'update' | number;
  readonly off: number | 'any';
  readonly imm: number | 'any';
}

const arithmetic = [
  ['add', BPF_ADD, 0],
  ['sub', BPF_SUB, 0],
  ['mul', BPF_MUL, 0],
  ['div', BPF_DIV, 0],
  ['sdiv', BPF_DIV, 1],
  ['or', BPF_OR, 0],
  ['and', BPF_AND, 0],
  ['lsh', BPF_LSH, 0],
  ['rsh', BPF_RSH, 0],
  ['mod', BPF_MOD, 0],
  ['smod', BPF_MOD, 1],
  ['xor', BPF_XOR, 0],
  ['arsh', BPF_ARSH, 0],
] as const;

const comparisons = [
  ['jeq', BPF_JEQ],
  ['jgt', BPF_JGT],
  ['jge', BPF_JGE],
  ['jset', BPF_JSET],
  ['jne', BPF_JNE],
  ['jsgt', BPF_JSGT],
  ['jsge', BPF_JSGE],
  ['jlt', BPF_JLT],
  ['jle', BPF_JLE],
  ['jslt', BPF_JSLT],
  ['jsle', BPF_JSLE],
] as const;

const sizes = [
  ['8', BPF_B],
  ['16', BPF_H],
  ['32', BPF_W],
  ['64', BPF_DW],
] as const;

const atomicOps = [
  ['add', BPF_ADD],
  ['or', BPF_OR],
  ['and', BPF_AND],
  ['xor', BPF_XOR],
] as const;

const imm64Kinds = [
  ['ld_imm64', 0],
  ['ld_map_fd', BpfPseudo.BPF_PSEUDO_MAP_FD],
  ['ld_map_value', BpfPseudo.BPF_PSEUDO_MAP_VALUE],
  ['ld_btf_id', BpfPseudo.BPF_PSEUDO_BTF_ID],
  ['ld_func', BpfPseudo.BPF_PSEUDO_FUNC],
  ['ld_map_idx', BpfPseudo.BPF_PSEUDO_MAP_IDX],
  ['ld_map_idx_value', BpfPseudo.BPF_PSEUDO_MAP_IDX_VALUE],
] as const;

function aluForms(width: '32' | '64', cls: number): InsnForm[] {
  const forms: InsnForm[] = [];
  for (const [op, code, off] of arithmetic) {
    forms.push({ name: `${op}${width}_imm`, code: cls | code | BPF_K, dst: 'update', src: 0, off, imm: 'any' });
    forms.push({ name: `${op}${width}_reg`, code: cls | code | BPF_X, dst: 'update', src: 'read', off, imm: 0 });
  }
  forms.push({ name: `mov${width}_imm`, code: cls | BPF_MOV | BPF_K, dst: 'write', src: 0, off: 0, imm: 'any' });
  forms.push({ name: `mov${width}_reg`, code: cls | BPF_MOV | BPF_X, dst: 'write', src: 'read', off: 0, imm: 0 });
  for (const bits of width === '64' ? [8, 16, 32] : [8, 16]) {
    const code = cls | BPF_MOV | BPF_X;
    forms.push({ name: `movsx${width}_s${bits}`, code, dst: 'write', src: 'read', off: bits, imm: 0 });
  }
  forms.push({ name: `neg${width}`, code: cls | BPF_NEG, dst: 'update', src: 0, off: 0, imm: 0 });
  return forms;
}

function endianForms(): InsnForm[] {
  const orders = [
    ['le', BPF_ALU | BPF_END | BPF_TO_LE],
    ['be', BPF_ALU | BPF_END | BPF_TO_BE],
    ['bswap', BPF_ALU64 | BPF_END | BPF_TO_LE],
  ] as const;
  return orders.flatMap(([name, code]) =>
    [16, 32, 64].map((imm): InsnForm => ({ name: `${name}${imm}`, code, dst: 'update', src: 0, off: 0, imm })),
  );
}

/** Casts between the program's and the user's view of an arena, by the address spaces in `imm`. */
function addressSpaceCasts(): InsnForm[] {
  const code = BPF_ALU64 | BPF_MOV | BPF_X;
  return [0x00001, 0x10000].map((imm): InsnForm => ({
    name: `addr_space_cast_${imm >>> 16}_${imm & 0xffff}`,
    code,
    dst: 'write',
    src: 'read',
    off: BPF_ADDR_SPACE_CAST,
    imm,
  }));
}

function jumpForms(): InsnForm[] {
  const forms: InsnForm[] = [
    { name: 'ja', code: BPF_JMP | BPF_JA, dst: 'unused', src: 0, off: 'any', imm: 0 },
    { name: 'gotol', code: BPF_JMP32 | BPF_JA, dst: 'unused', src: 0, off: 0, imm: 'any' },
    { name: 'may_goto', code: BPF_JMP | BPF_JCOND, dst: 'unused', src: 0, off: 'any', imm: 0 },
    { name: 'call_helper', code: BPF_JMP | BPF_CALL, dst: 'unused', src: 0, off: 0, imm: 'any' },
    {
      name: 'call_subprog',
      code: BPF_JMP | BPF_CALL,
      dst: 'unused',
      src: BpfPseudo.BPF_PSEUDO_CALL,
      off: 0,
      imm: 'any',
    },
    {
      name: 'call_kfunc',
      code: BPF_JMP | BPF_CALL,
      dst: 'unused',
      src: BpfPseudo.BPF_PSEUDO_KFUNC_CALL,
      off: 'any',
      imm: 'any',
    },
    { name: 'exit', code: BPF_JMP | BPF_EXIT, dst: 'unused', src: 0, off: 'any', imm: 0 },
  ];
  for (const [width, cls] of [
    ['64', BPF_JMP],
    ['32', BPF_JMP32],
  ] as const) {
    for (const [op, code] of comparisons) {
      forms.push({ name: `${op}${width}_imm`, code: cls | code | BPF_K, dst: 'read', src: 0, off: 'any', imm: 'any' });
      forms.push({ name: `${op}${width}_reg`, code: cls | code | BPF_X, dst: 'read', src: 'read', off: 'any', imm: 0 });
    }
  }
  return forms;
}

function memoryForms(): InsnForm[] {
  const forms: InsnForm[] = [];
  for (const [bits, size] of sizes) {
    const ldx = BPF_LDX | BPF_MEM | size;
    forms.push({ name: `ldx_u${bits}`, code: ldx, dst: 'write', src: 'read', off: 'any', imm: 0 });
    forms.push({ name: `st_u${bits}`, code: BPF_ST | BPF_MEM | size, dst: 'read', src: 0, off: 'any', imm: 'any' });
    forms.push({ name: `stx_u${bits}`, code: BPF_STX | BPF_MEM | size, dst: 'read', src: 'read', off: 'any', imm: 0 });
    if (size === BPF_DW) continue;
    const ldsx = BPF_LDX | BPF_MEMSX | size;
    forms.push({ name: `ldx_s${bits}`, code: ldsx, dst: 'write', src: 'read', off: 'any', imm: 0 });
    const abs = BPF_LD | BPF_ABS | size;
    forms.push({ name: `ld_abs_u${bits}`, code: abs, dst: 'unused', src: 0, off: 0, imm: 'any' });
    const ind = BPF_LD | BPF_IND | size;
    forms.push({ name: `ld_ind_u${bits}`, code: ind, dst: 'unused', src: 'read', off: 0, imm: 'any' });
  }
  return forms;
}

function atomicForms(): InsnForm[] {
  const forms: InsnForm[] = [];
  for (const [bits, size] of sizes) {
    const code = BPF_STX | BPF_ATOMIC | size;
    forms.push({ name: `load_acquire_u${bits}`, code, dst: 'write', src: 'read', off: 'any', imm: BPF_LOAD_ACQ });
    forms.push({ name: `store_release_u${bits}`, code, dst: 'read', src: 'read', off: 'any', imm: BPF_STORE_REL });
    if (size !== BPF_W && size !== BPF_DW) continue;
    for (const [op, imm] of atomicOps) {
      forms.push({ name: `atomic_${op}_u${bits}`, code, dst: 'read', src: 'read', off: 'any', imm });
      const name = `atomic_fetch_${op}_u${bits}`;
      forms.push({ name, code, dst: 'read', src: 'update', off: 'any', imm: imm | BPF_FETCH });
    }
    forms.push({ name: `xchg_u${bits}`, code, dst: 'read', src: 'update', off: 'any', imm: BPF_XCHG });
    forms.push({ name: `cmpxchg_u${bits}`, code, dst: 'read', src: 'read', off: 'any', imm: BPF_CMPXCHG });
  }
  return forms;
}

/**
 * Every instruction form that Linux 6.18 knows: the single table from which the checker, the tests of the
 * disassembler and assembler, and program generators take what exists. Fields are reserved where Linux
 * refuses them: it ignores the offset of an exit. The second slot of the 64-bit immediate loads is not a form
 * of its own.
 */
export const INSN_FORMS: readonly InsnForm[] = [
  ...aluForms('64', BPF_ALU64),
  ...aluForms('32', BPF_ALU),
  ...addressSpaceCasts(),
  ...endianForms(),
  ...jumpForms(),
  ...memoryForms(),
  ...atomicForms(),
  ...imm64Kinds.map(([name, src]): InsnForm => ({
    name,
    code: BPF_LD | BPF_IMM | BPF_DW,
    dst: 'write',
    src,
    off: 0,
    imm: 'any',
  })),
];

const noForms: readonly InsnForm[] = [];

const formsByCode: readonly (readonly InsnForm[])[] = Array.from({ length: 256 }, (_, code) => {
  const forms = INSN_FORMS.filter((form) => form.code === code);
  return forms.length === 0 ? noForms : forms;
});

/** The forms that share a code byte; none for an unknown code. */
export function formsOfCode(code: number): readonly InsnForm[] {
  return formsByCode[code] ?? noForms;
}

/** The form of an instruction, or `undefined` where its code is unknown or a reserved field is not 0. */
export function formOf(insn: Insn): InsnForm | undefined {
  for (const form of formsOfCode(insn.code)) if (fits(insn, form)) return form;
  return undefined;
}

function fits(insn: Insn, form: InsnForm): boolean {
  if (form.dst === 'unused' && insn.dst !== 0) return false;
  if (typeof form.src === 'number' && insn.src !== form.src) return false;
  if (form.off !== 'any' && insn.off !== form.off) return false;
  return form.imm === 'any' || insn.imm === form.imm;
}
