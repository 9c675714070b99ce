import { INSN_FORMS, LDIMM64, type Insn, type InsnForm } from '../../../src/runtime/isa/index.js';

/** Sample instructions of every form: each field takes its interesting values in turn. */
export interface FormSample {
  readonly form: InsnForm;
  /** One slot, or two for a 64-bit immediate. */
  readonly slots: readonly Insn[];
}

const offsets = [0, 8, -8, 1, -1, 300, -300];
const immediates = [1, -1, 42, 0x7fff_ffff, -0x8000_0000, 0x1234_5678, 2];
const registers = [0, 1, 2, 5, 9, 3, 7];
const upperWords = [0, -1, 0x1234, -0x8000_0000, 0, 1, 0x7fff_ffff];

export function formSamples(): FormSample[] {
  return INSN_FORMS.flatMap((form) => offsets.map((_, turn) => ({ form, slots: sample(form, turn) })));
}

function sample(form: InsnForm, turn: number): Insn[] {
  const first: Insn = {
    code: form.code,
    dst: form.dst === 'unused' ? 0 : pick(registers, turn),
    src: typeof form.src === 'number' ? form.src : pick(registers, turn + 3),
    off: form.off === 'any' ? pick(offsets, turn) : form.off,
    imm: form.imm === 'any' ? immediate(form, turn) : form.imm,
  };
  if (form.code !== LDIMM64) return [first];
  return [first, { code: 0, dst: 0, src: 0, off: 0, imm: form.src === 0 ? pick(upperWords, turn) : 0 }];
}

function immediate(form: InsnForm, turn: number): number {
  if (form.name === 'gotol') return pick(offsets, turn);
  if (form.name === 'call_subprog') return pick([1, 8, -8, 2, -1, 300, -300], turn);
  if (form.name === 'call_helper') return [7, 1, 0, 211, 212, 195896080, -1][turn];
  if (form.name === 'ld_func') return 2 + turn;
  if (form.name.startsWith('ld_') && form.code === LDIMM64 && form.src !== 0) return 0;
  return pick(immediates, turn);
}

function pick(values: readonly number[], turn: number): number {
  return values[turn % values.length];
}
