import * as isa from '../../../src/runtime/isa/index.js';
import { INSN_FORMS, type Insn, type InsnForm } from '../../../src/runtime/isa/index.js';

/** One instruction of one form in a program that returns what it did. r1 points to `MEMORY`, r2 is its length. */
export interface InstructionCase {
  readonly name: string;
  readonly insns: readonly Insn[];
}

export const MEMORY = Uint8Array.of(
  ...[0x80, 0x7f, 0xff, 0x81, 0x01, 0x00, 0xfe, 0x92],
  ...[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  ...[0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0],
  ...[0x00, 0x00, 0x00, 0x80, 0xff, 0xff, 0xff, 0x7f],
);

const numbers = [
  0n,
  1n,
  7n,
  0x41n,
  0xffff_ffffn,
  0x8000_0000n,
  0x1234_5678_9abc_def0n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_ffffn,
];
/** Pairs whose sums carry, products overflow, quotients are extreme, comparisons differ by sign and width. */
const pairs: readonly (readonly [bigint, bigint])[] = [
  ...numbers.map((n) => [n, 0x1234_5678_9abc_def0n] as const),
  ...numbers.map((n) => [0xfedc_ba98_7654_3210n, n] as const),
  [0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn],
  [0xffff_ffff_8000_0000n, 0xffff_ffff_ffff_ffffn],
  [0xffff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn],
  [0x0000_0001_0000_0005n, 0x0000_0002_0000_0005n],
];
const immediates = [0, 1, 5, 31, 63, -1, -7, 0x1234_5678, 0x7fff_ffff, -0x8000_0000];

const R0 = 0;
const R1 = 1;
const R2 = 2;
const R3 = 3;
const R4 = 4;
const R6 = 6;

/** Forms that need what a plugin has not: maps, packets, helpers, other kernels' things. */
const elsewhere = /^(addr_space_cast|call_helper|call_kfunc|ld_(abs|ind|btf_id|func|map))/;

export const caseForms: readonly InsnForm[] = INSN_FORMS.filter(({ name }) => !elsewhere.test(name));

export const instructionCases: readonly InstructionCase[] = caseForms.flatMap((form) =>
  programsOf(form).map((insns, i) => ({ name: `${form.name} #${i}`, insns })),
);

function programsOf(form: InsnForm): Insn[][] {
  const cls = form.code & 7;
  if (cls === isa.BPF_ALU || cls === isa.BPF_ALU64) return arithmetic(form);
  if (form.name === 'ld_imm64') return numbers.map((n) => [...isa.ldImm64(R0, n), isa.exit()]);
  if (cls === isa.BPF_JMP || cls === isa.BPF_JMP32) return controlFlow(form);
  if ((form.code & 0xe0) === isa.BPF_ATOMIC) return atomics(form);
  return form.dst === 'write' ? loads(form) : stores(form);
}

function arithmetic(form: InsnForm): Insn[][] {
  const one = (imm: number): Insn => isa.insn(form.code, R0, form.src === 'read' ? R3 : 0, Number(form.off), imm);
  if (form.src === 'read') {
    return pairs.map(([a, b]) => [...isa.ldImm64(R0, a), ...isa.ldImm64(R3, b), one(0), isa.exit()]);
  }
  const operands = form.imm === 'any' ? immediatesFor(form) : [form.imm];
  const left = form.imm === 'any' ? numbers.slice(4) : numbers;
  return left.flatMap((a) => operands.map((imm) => [...isa.ldImm64(R0, a), one(imm), isa.exit()]));
}

function immediatesFor(form: InsnForm): number[] {
  const operation = form.code & 0xf0;
  const isDivision = operation === isa.BPF_DIV || operation === isa.BPF_MOD;
  const isShift = operation === isa.BPF_LSH || operation === isa.BPF_RSH || operation === isa.BPF_ARSH;
  const width = (form.code & 7) === isa.BPF_ALU64 ? 64 : 32;
  return immediates.filter((imm) => !(isDivision && imm === 0) && !(isShift && (imm < 0 || imm >= width)));
}

function controlFlow(form: InsnForm): Insn[][] {
  const { name } = form;
  if (name === 'exit') return [[isa.mov64Imm(R0, 3), isa.exit()]];
  if (name === 'ja') return [forward(isa.ja(1))];
  if (name === 'gotol') return [forward(isa.gotol(1))];
  if (name === 'may_goto') return [loopWithMayGoto()];
  if (name === 'call_subprog') return [callKeepsRegisters()];
  const branch = (imm: number): Insn[] => [
    isa.mov64Imm(R0, 1),
    isa.insn(form.code, R3, form.src === 'read' ? R4 : 0, 1, imm),
    isa.mov64Imm(R0, 2),
    isa.exit(),
  ];
  if (form.src === 'read') return pairs.map(([a, b]) => [...isa.ldImm64(R3, a), ...isa.ldImm64(R4, b), ...branch(0)]);
  return immediates.flatMap((imm) =>
    [BigInt(imm), BigInt.asUintN(32, BigInt(imm)), 0n, 0x8000_0000_8000_0000n].map((a) => [
      ...isa.ldImm64(R3, a),
      ...branch(imm),
    ]),
  );
}

/** The jump leaps over the second assignment, which only the branch not taken reaches. */
function forward(jump: Insn): Insn[] {
  return [isa.mov64Imm(R0, 1), isa.jmpImm(isa.BPF_JEQ, R2, 0, 1), jump, isa.mov64Imm(R0, 2), isa.exit()];
}

function loopWithMayGoto(): Insn[] {
  return [
    isa.mov64Imm(R0, 0),
    isa.mayGoto(2),
    isa.alu64Imm(isa.BPF_ADD, R0, 1),
    isa.jmpImm(isa.BPF_JNE, R0, 5, -3),
    isa.exit(),
  ];
}

function callKeepsRegisters(): Insn[] {
  return [
    isa.mov64Imm(R6, 40),
    isa.mov64Imm(R1, 2),
    isa.callSubprog(2),
    isa.alu64Reg(isa.BPF_ADD, R0, R6),
    isa.exit(),
    isa.mov64Reg(R6, R1),
    isa.mov64Reg(R0, R6),
    isa.exit(),
  ];
}

function accessBytes(form: InsnForm): number {
  return ({ [isa.BPF_B]: 1, [isa.BPF_H]: 2, [isa.BPF_W]: 4, [isa.BPF_DW]: 8 } as Record<number, number>)[
    form.code & 0x18
  ];
}

function loads(form: InsnForm): Insn[][] {
  const offsets = [0, 1, 2, 3, 5, 16, 32 - accessBytes(form)];
  return offsets.map((off) => [isa.insn(form.code, R0, R1, off, 0), isa.exit()]);
}

function stores(form: InsnForm): Insn[][] {
  const after = (off: number, insns: Insn[]): Insn[] => [...insns, isa.ldx(isa.BPF_DW, R0, R1, off), isa.exit()];
  if (form.src === 'read') {
    return numbers.map((n) => after(8, [...isa.ldImm64(R3, n), isa.insn(form.code, R1, R3, 8, 0)]));
  }
  return immediates.map((imm) => after(16, [isa.insn(form.code, R1, 0, 16, imm)]));
}

/** Every operation twice: once for what it leaves in memory, once for what it fetches. */
function atomics(form: InsnForm): Insn[][] {
  if (form.dst === 'write')
    return [0, 8, 16, 24].map((off) => [isa.insn(form.code, R0, R1, off, Number(form.imm)), isa.exit()]);
  const fetched = form.name.startsWith('cmpxchg') ? R0 : R3;
  return [0, 16, 24].flatMap((off) =>
    [0x1234_5678_9abc_def0n, 0xffff_ffff_ffff_ffffn, 1n].flatMap((operand) => {
      const operation = [
        // For cmpxchg: what memory holds at offset 24, and not elsewhere.
        ...isa.ldImm64(R0, 0x7fff_ffff_8000_0000n),
        ...isa.ldImm64(R3, operand),
        isa.insn(form.code, R1, R3, off, Number(form.imm)),
      ];
      return [
        [...operation, isa.ldx(isa.BPF_DW, R0, R1, off), isa.exit()],
        [...operation, isa.mov64Reg(R0, fetched), isa.exit()],
      ];
    }),
  );
}
