import { describe, expect, test } from 'vitest';
import { hex64 } from '../../../src/base/index.js';
import { runPlugin } from '../../../src/runtime/index.js';
import { readGolden, recording } from '../../oracle/golden.js';
import { caseForms, MEMORY } from './instruction-cases.js';

/** The conformance groups of RFC 9669 and what came after it, by the names of their instruction forms. */
const JUMP = 'eq|ne|gt|ge|lt|le|set|sgt|sge|slt|sle';
const groups: readonly (readonly [name: string, forms: RegExp, count: number])[] = [
  ['base32 arithmetic', /^(add|sub|and|or|xor|lsh|rsh|arsh|mov)32_(imm|reg)$|^neg32$/, 19],
  ['base32 jumps', new RegExp(`^j(${JUMP})32_(imm|reg)$|^ja$`), 23],
  ['base32 loads and stores', /^(ldx|st|stx)_u(8|16|32)$/, 9],
  ['base32 byte order', /^(le|be)(16|32)$/, 4],
  ['base64 arithmetic', /^(add|sub|and|or|xor|lsh|rsh|arsh|mov)64_(imm|reg)$|^neg64$/, 19],
  ['base64 jumps', new RegExp(`^j(${JUMP})64_(imm|reg)$`), 22],
  ['base64 loads and stores', /^(ldx|st|stx)_u64$|^ld_imm64$/, 4],
  ['base64 byte order', /^(le|be)64$/, 2],
  ['calls and exit', /^(call_subprog|exit)$/, 2],
  ['divmul32', /^(mul|div|mod)32_(imm|reg)$/, 6],
  ['divmul64', /^(mul|div|mod)64_(imm|reg)$/, 6],
  ['atomic32', /^atomic_(add|and|or|xor)_u32$/, 4],
  ['atomic32 with fetch', /^atomic_fetch_(add|and|or|xor)_u32$/, 4],
  ['atomic64', /^atomic_(add|and|or|xor)_u64$/, 4],
  ['atomic64 with fetch', /^atomic_fetch_(add|and|or|xor)_u64$/, 4],
  ['xchg', /^xchg_u(32|64)$/, 2],
  ['cmpxchg', /^cmpxchg_u(32|64)$/, 2],
  ['sdiv', /^sdiv(32|64)_(imm|reg)$/, 4],
  ['smod', /^smod(32|64)_(imm|reg)$/, 4],
  ['movsx', /^movsx(32_s8|32_s16|64_s8|64_s16|64_s32)$/, 5],
  ['bswap', /^bswap(16|32|64)$/, 3],
  ['ldsx', /^ldx_s(8|16|32)$/, 3],
  ['gotol', /^gotol$/, 1],
  ['load-acquire', /^load_acquire_u(8|16|32|64)$/, 4],
  ['store-release', /^store_release_u(8|16|32|64)$/, 4],
  ['may_goto', /^may_goto$/, 1],
];

/** Lines of `form #n, program, r0` that the kernel answered; instructions.test.ts records them. */
const golden = new URL('../../testdata/runtime/interp/instructions.txt', import.meta.url);

describe.skipIf(recording())('each conformance group is executed as the kernel executes it', () => {
  const rows = recording() ? [] : readGolden(golden).lines.map((line) => line.split('\t') as [string, string, string]);
  const formOf = (name: string): string => name.split(' ')[0] ?? '';

  test.each(groups)('%s', (_name, forms, count) => {
    const members = rows.filter(([name]) => forms.test(formOf(name)));
    expect(new Set(members.map(([name]) => formOf(name))).size).toBe(count);
    const answers = members.map(([name, program]) => [
      name,
      hex64(runPlugin(Buffer.from(program, 'hex'), { memory: MEMORY })),
    ]);
    expect(answers).toEqual(members.map(([name, , result]) => [name, result]));
  });

  test('no form of a plugin program belongs to none or to two of them', () => {
    const memberships = caseForms.map(({ name }) => [name, groups.filter(([, forms]) => forms.test(name)).length]);
    expect(memberships.filter(([, count]) => count !== 1)).toEqual([]);
  });
});
