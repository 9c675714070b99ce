import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble, encodeInsns, formOf, INSN_FORMS, INSN_SIZE, LDIMM64 } from '../../../src/runtime/isa/index.js';
import { clangAssemble, clangVersion } from '../../oracle/clang.js';
import { describeWith } from '../../oracle/describe-with.js';
import { recording } from '../../oracle/golden.js';

const sourcePath = new URL('../../testdata/isa/clang-statements.s', import.meta.url);
/** One instruction slot a line, made from the source by clang and KSCOPE_RECORD=1. */
const hexPath = new URL('../../testdata/isa/clang-statements.hex', import.meta.url);
const source = readFileSync(sourcePath, 'utf8');

/** Forms that clang-19 cannot write, or only with relocations. */
const notInClang = [
  'call_subprog',
  'call_kfunc',
  ...['8', '16', '32', '64'].flatMap((bits) => [`load_acquire_u${bits}`, `store_release_u${bits}`]),
];

function slotLines(bytes: Uint8Array): string[] {
  const hex = Buffer.from(bytes).toString('hex');
  return hex.match(new RegExp(`.{${INSN_SIZE * 2}}`, 'g')) ?? [];
}

const version = clangVersion();
const clang = version === undefined ? { unavailable: 'there is no clang-19' } : { version };

describeWith('assembler against the clang of today', clang, () => {
  it('the statements assemble to what clang makes of them', () => {
    const answer = clangAssemble(source);
    if ('refused' in answer) throw new Error(answer.refused);
    const lines = slotLines(answer.text);
    if (recording()) writeFileSync(hexPath, [`# clang ${version}`, ...lines, ''].join('\n'));
    expect(slotLines(encodeInsns(assemble(source)))).toEqual(lines);
  });
});

describe('assembler against clang', () => {
  it('the statements assemble to what clang made of them', () => {
    const [, ...recorded] = readFileSync(hexPath, 'utf8').trimEnd().split('\n');
    expect(slotLines(encodeInsns(assemble(source)))).toEqual(recorded);
  });

  it('the statements have every instruction form that clang can write', () => {
    const insns = assemble(source);
    const seen = new Set(insns.map((insn) => formOf(insn)?.name));
    const missing = INSN_FORMS.map((form) => form.name).filter((form) => !seen.has(form));
    expect(missing.toSorted()).toEqual(notInClang.toSorted());
    expect(insns.filter((insn) => insn.code === LDIMM64).length).toBeGreaterThan(10);
  });
});
