import { INSN_FORMS } from '../isa/insn-forms.js';
import { Op, type OpNumber } from './op.js';

/** Forms whose operation has another name, as patterns; all others carry its name, with or without operand kind. */
const renamed: readonly (readonly [RegExp, string])[] = [
  [/_(imm|reg)$/, ''],
  [/^le(\d+)$/, 'truncate$1'],
  [/^(?:be|bswap)(\d+)$/, 'swap$1'],
  [/^gotol$/, 'ja'],
  [/^ldx_u(\d+)$/, 'load$1'],
  [/^ldx_s(\d+)$/, 'loadsx$1'],
  [/^(?:st|stx)_u(\d+)$/, 'store$1'],
  [/^load_acquire_u(\d+)$/, 'acquire$1'],
  [/^store_release_u(\d+)$/, 'release$1'],
  [/^ld_(?:imm64|map_fd|map_value|btf_id|func|map_idx|map_idx_value)$/, 'mov64'],
  [/^call_helper$/, 'callHelper'],
  [/^call_subprog$/, 'callSubprog'],
  [/^call_kfunc$/, 'callNothing'],
];

/** Which operation each instruction form is, by the form's name. */
export type FormOps = ReadonlyMap<string, OpNumber>;

/**
 * The interpreter's own table; forms that are not in it cannot run. It is data so that a test can break one
 * entry at a time and see it found.
 */
export const formOps: FormOps = new Map(
  INSN_FORMS.flatMap(({ name }) => {
    const op = operationOf(name);
    return op === undefined ? [] : [[name, op] as const];
  }),
);

function operationOf(form: string): OpNumber | undefined {
  let name = form;
  for (const [pattern, by] of renamed) name = name.replace(pattern, by);
  return (Op as Partial<Record<string, OpNumber>>)[name];
}
