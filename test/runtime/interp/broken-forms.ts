import { formOps, type FormOps } from '../../../src/runtime/interp/form-ops.js';
import { Op, type OpName, type OpNumber } from '../../../src/runtime/interp/op.js';

/** Operations that take the same operands: each is broken by doing the next one's work. */
const alike: readonly (readonly OpName[])[] = [
  ['add64', 'sub64', 'mul64', 'div64', 'sdiv64', 'mod64', 'smod64', 'or64', 'and64', 'xor64', 'mov64'],
  ['lsh64', 'rsh64', 'arsh64'],
  ['neg64', 'swap64'],
  ['movsx64_s8', 'movsx64_s16', 'movsx64_s32'],
  ['add32', 'sub32', 'mul32', 'div32', 'sdiv32', 'mod32', 'smod32', 'or32', 'and32', 'xor32', 'mov32'],
  ['lsh32', 'rsh32', 'arsh32'],
  ['neg32', 'swap32'],
  ['movsx32_s8', 'movsx32_s16'],
  ['truncate16', 'truncate32', 'swap16'],
  ['jgt64', 'jge64', 'jlt64', 'jle64'],
  ['jeq64', 'jne64', 'jset64'],
  ['jsgt64', 'jsge64', 'jslt64', 'jsle64'],
  ['jgt32', 'jge32', 'jlt32', 'jle32'],
  ['jeq32', 'jne32', 'jset32'],
  ['jsgt32', 'jsge32', 'jslt32', 'jsle32'],
  ['load8', 'loadsx8'],
  ['load16', 'loadsx16'],
  ['load32', 'loadsx32'],
  ['load64', 'load32'],
  ['store8', 'store16', 'store32', 'store64'],
  ['ld_abs_u8', 'ld_abs_u16', 'ld_abs_u32'],
  ['ld_ind_u8', 'ld_ind_u16', 'ld_ind_u32'],
  ['acquire8', 'acquire16', 'acquire32', 'acquire64'],
  ['release8', 'release16', 'release32', 'release64'],
  ['atomic_add_u32', 'atomic_or_u32', 'atomic_and_u32', 'atomic_xor_u32'],
  [
    'atomic_fetch_add_u32',
    'atomic_fetch_or_u32',
    'atomic_fetch_and_u32',
    'atomic_fetch_xor_u32',
    'xchg_u32',
    'cmpxchg_u32',
  ],
  ['atomic_add_u64', 'atomic_or_u64', 'atomic_and_u64', 'atomic_xor_u64'],
  [
    'atomic_fetch_add_u64',
    'atomic_fetch_or_u64',
    'atomic_fetch_and_u64',
    'atomic_fetch_xor_u64',
    'xchg_u64',
    'cmpxchg_u64',
  ],
];

/** The rest does nothing when broken, except those for which doing nothing is right, or jumps when it should not. */
const special: ReadonlyMap<OpName, OpName> = new Map<OpName, OpName>([
  ['truncate64', 'truncate32'],
  ['loadsx32', 'load32'],
  ['may_goto', 'ja'],
]);

const replacements = new Map<OpNumber, OpNumber>();
for (const group of alike) {
  group.forEach((name, i) => replacements.set(Op[name], Op[group[(i + 1) % group.length]]));
}
replacements.set(Op.load32, Op.loadsx32);
for (const [name, by] of special) replacements.set(Op[name], Op[by]);

export interface BrokenForm {
  readonly form: string;
  readonly ops: FormOps;
}

/** One table per instruction form, in which that form alone does something else. */
export function breakEachForm(forms: readonly string[]): BrokenForm[] {
  return forms.map((form) => {
    const op = formOps.get(form);
    if (op === undefined) throw new TypeError(`no such form: ${form}`);
    return { form, ops: new Map(formOps).set(form, replacements.get(op) ?? Op.truncate64) };
  });
}
