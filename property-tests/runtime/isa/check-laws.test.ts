import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkProgram,
  CheckError,
  formOf,
  LDIMM64,
  type CheckedProgram,
  type CheckOptions,
  type Insn,
} from '../../../src/runtime/index.js';
import { anyInsn, mutatedProgram, soundProgram } from './arbitraries.js';

function check(insns: readonly Insn[], options: CheckOptions = {}): CheckedProgram | CheckError {
  try {
    return checkProgram({ name: 'test', type: 1, expectedAttachType: 0, license: 'GPL', insns, maps: [] }, options);
  } catch (error) {
    if (error instanceof CheckError) return error;
    throw error;
  }
}

/** Slots at which an instruction starts. */
function starts(insns: readonly Insn[]): Set<number> {
  const slots = new Set<number>();
  for (let at = 0; at < insns.length; at += insns[at].code === LDIMM64 ? 2 : 1) slots.add(at);
  return slots;
}

describe('checkProgram', () => {
  it.each([
    ['any slots', fc.array(anyInsn, { maxLength: 12 })],
    ['mutated programs', mutatedProgram],
  ])('answers or refuses %s, with or without the plugin option', (_, programs) => {
    fc.assert(
      fc.property(programs, fc.boolean(), (insns, plugin) => {
        const answer = check(insns, { plugin });
        if (answer instanceof CheckError) expect(answer.message).toContain(answer.verdict);
        else expect(answer.insns).toBe(insns);
      }),
      { numRuns: 3000 },
    );
  });

  it('what it accepts has known forms, functions that cover it, and jumps to instructions of their function', () => {
    fc.assert(
      fc.property(fc.oneof(soundProgram, mutatedProgram), (insns) => {
        const answer = check(insns);
        if (answer instanceof CheckError) return;
        const slots = starts(insns);
        for (const at of slots) expect(formOf(insns[at])).toBeDefined();
        expect(answer.subprogs.map((subprog) => subprog.start)).toEqual(
          [0, ...answer.subprogs.map((s) => s.end)].slice(0, -1),
        );
        expect(answer.subprogs.at(-1)?.end).toBe(insns.length);
        for (const { start, end } of answer.subprogs) {
          for (let at = start; at < end; at++) {
            if (!slots.has(at) || !/^(ja|j[a-z]+(32|64)_(imm|reg)|may_goto)$/.test(formOf(insns[at])?.name ?? ''))
              continue;
            const target = at + 1 + insns[at].off;
            expect(target >= start && target < end && slots.has(target)).toBe(true);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('the plugin option only ever accepts more, but for an exit with an offset', () => {
    fc.assert(
      fc.property(mutatedProgram, (insns) => {
        if (check(insns) instanceof CheckError || insns.some((one) => one.code === 0x95 && one.off !== 0)) return;
        expect(check(insns, { plugin: true })).not.toBeInstanceOf(CheckError);
      }),
      { numRuns: 2000 },
    );
  });
});
