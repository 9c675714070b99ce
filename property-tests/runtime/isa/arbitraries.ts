import * as fc from 'fast-check';
import {
  BPF_JEQ,
  BPF_LDX,
  BPF_MEM,
  BPF_W,
  call,
  callSubprog,
  classOf,
  exit,
  INSN_FORMS,
  insn,
  jmpImm,
  LDIMM64,
  ldImm64,
  mov64Imm,
  mov64Reg,
  type Insn,
  type InsnForm,
} from '../../../src/runtime/isa/index.js';

export const anyOff = fc.oneof(fc.integer({ min: -8, max: 8 }), fc.integer({ min: -0x8000, max: 0x7fff }));
export const anyImm = fc.oneof(
  fc.integer({ min: -8, max: 65 }),
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  fc.constantFrom(0xe1, 0xf1, 0x100, 0x110, 0x10000, 0x7fff_ffff, -0x8000_0000),
);

/** Any slot at all. */
export const anyInsn: fc.Arbitrary<Insn> = fc.record({
  code: fc.integer({ min: 0, max: 255 }),
  dst: fc.integer({ min: 0, max: 15 }),
  src: fc.integer({ min: 0, max: 15 }),
  off: anyOff,
  imm: anyImm,
});

/** An instruction of this form, with any operands. */
export function insnOf(form: InsnForm): fc.Arbitrary<Insn> {
  const register = fc.integer({ min: 0, max: 10 });
  return fc.record({
    code: fc.constant(form.code),
    dst: form.dst === 'unused' ? fc.constant(0) : register,
    src: typeof form.src === 'number' ? fc.constant(form.src) : register,
    off: form.off === 'any' ? anyOff : fc.constant(form.off),
    imm: form.imm === 'any' ? anyImm : fc.constant(form.imm),
  });
}

/** Forms that a body of straight code may have without upsetting the verifier for other reasons. */
const tameForms = INSN_FORMS.filter(
  ({ name, code }) =>
    code !== LDIMM64 && !/^(call|exit|ja|gotol|may_goto|addr|ldx|load|ld_|st|atomic|xchg|cmpxchg)/.test(name),
);
const stackForms = INSN_FORMS.filter(({ name }) => /^(ldx|load|st|atomic|xchg|cmpxchg)/.test(name));

const scalarRegister = fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 8, 9);

function tame(form: InsnForm): fc.Arbitrary<Insn[]> {
  const shift = form.name.includes('sh');
  const jump = form.name.startsWith('j');
  return fc
    .record({
      code: fc.constant(form.code),
      dst: scalarRegister,
      src: typeof form.src === 'number' ? fc.constant(form.src) : scalarRegister,
      off: jump ? fc.integer({ min: 0, max: 3 }) : form.off === 'any' ? fc.constant(0) : fc.constant(form.off),
      imm: form.imm === 'any' ? fc.integer({ min: 1, max: shift ? 31 : 1000 }) : fc.constant(form.imm),
    })
    .map((one) => [one]);
}

/** An access to one of four initialised stack slots. */
function onStack(form: InsnForm): fc.Arbitrary<Insn[]> {
  const loads = classOf(form.code) === BPF_LDX || form.name.startsWith('load');
  return fc
    .record({ slot: fc.integer({ min: 1, max: 4 }), register: scalarRegister, imm: fc.nat(1000) })
    .map(({ slot, register, imm }) => [
      {
        code: form.code,
        dst: loads ? register : 10,
        src: typeof form.src === 'number' ? form.src : loads ? 10 : register,
        off: -8 * slot,
        imm: form.imm === 'any' ? imm : form.imm,
      },
    ]);
}

const block: fc.Arbitrary<Insn[]> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...tameForms).chain(tame) },
  { weight: 3, arbitrary: fc.constantFrom(...stackForms).chain(onStack) },
  {
    weight: 1,
    arbitrary: fc.tuple(scalarRegister, fc.bigInt({ min: 0n, max: 1n << 63n })).map(([r, v]): Insn[] => ldImm64(r, v)),
  },
  // Calls clobber r1 to r5.
  {
    weight: 2,
    arbitrary: fc.constantFrom(call(7), callSubprog(0)).map((one) => [one, ...[1, 2, 3, 4, 5].map(unknown)]),
  },
);

/** `rN = skb->len`: a value the verifier knows nothing of. */
function unknown(register: number): Insn {
  return insn(BPF_LDX | BPF_MEM | BPF_W, register, 6);
}

const prologue: readonly Insn[] = [
  mov64Reg(6, 1),
  ...[1, 2, 3, 4].map((slot) => insn(0x7a, 10, 0, -8 * slot)),
  ...[0, 1, 2, 3, 4, 5, 7, 8, 9].map(unknown),
];

/** A function that every call of the program goes to. */
const callee: readonly Insn[] = [jmpImm(BPF_JEQ, 1, 0, 1), mov64Imm(0, 1), mov64Imm(0, 0), exit()];

/** Well-formed socket_filter programs of mostly tame code. */
export const soundProgram: fc.Arbitrary<Insn[]> = fc.array(block, { minLength: 1, maxLength: 12 }).map((blocks) => {
  const body = [...prologue, ...blocks.flat()];
  const epilogue = [...Array.from({ length: 4 }, () => mov64Imm(0, 0)), exit()];
  const all = [...body, callSubprog(0), ...epilogue];
  const start = all.length;
  return [...all.map((one, at) => (isCall(one) ? callSubprog(start - at - 1) : one)), ...callee];
});

function isCall(one: Insn): boolean {
  return one.code === 0x85 && one.src === 1;
}

const change: fc.Arbitrary<(one: Insn) => Insn> = fc.oneof(
  fc.integer({ min: 0, max: 255 }).map((code) => (one: Insn) => ({ ...one, code })),
  fc.integer({ min: 0, max: 15 }).map((dst) => (one: Insn) => ({ ...one, dst })),
  fc.integer({ min: 0, max: 15 }).map((src) => (one: Insn) => ({ ...one, src })),
  anyOff.map((off) => (one: Insn) => ({ ...one, off })),
  anyImm.map((imm) => (one: Insn) => ({ ...one, imm })),
  fc.constantFrom(exit(), insn(0x05), insn(0x06), insn(0xe5), callSubprog(2), ldImm64(1, 5n)[0]).map((by) => () => by),
);

/** A sound program with one to three fields changed. */
export const mutatedProgram: fc.Arbitrary<Insn[]> = fc
  .tuple(soundProgram, fc.array(fc.tuple(fc.nat(), change), { minLength: 1, maxLength: 3 }))
  .map(([program, changes]) => {
    const mutated = [...program];
    for (const [at, apply] of changes) mutated[at % mutated.length] = apply(mutated[at % mutated.length]);
    return mutated;
  });
