import { describe, expect, test } from 'vitest';
import { createInterpreter, createJit, type Insn } from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { fixture } from '../interp/support.js';

function both(...insns: readonly (Insn | readonly Insn[])[]): unknown[] {
  return [createInterpreter(), createJit()].map((engine) => {
    const { load, run } = fixture({ engine });
    return run(load(insns));
  });
}

const add = (r: number, by: number): Insn => isa.alu64Imm(isa.BPF_ADD, r, by);

describe('shapes of control flow', () => {
  test('a loop with two entries runs through a dispatcher', () => {
    const [interpreted, compiled] = both(
      isa.mov64Imm(0, 0),
      isa.mov64Imm(1, 0),
      isa.jmpImm(isa.BPF_JEQ, 1, 1, 2),
      add(0, 3),
      isa.jmpImm(isa.BPF_JEQ, 0, 1000, 2),
      add(0, 5),
      isa.jmpImm(isa.BPF_JLT, 0, 100, -4),
      isa.exit(),
    );
    expect(compiled).toBe(interpreted);
  });

  test('thousands of diamonds in a row do not exhaust the stack', () => {
    const diamonds = Array.from({ length: 4000 }, () => [isa.jmpImm(isa.BPF_JEQ, 0, 7, 1), add(0, 1)]).flat();
    const [interpreted, compiled] = both(isa.mov64Imm(0, 0), diamonds, isa.exit());
    expect(compiled).toBe(interpreted);
  });

  test('thousands of early exits do not, either', () => {
    const exits = Array.from({ length: 4000 }, () => [
      isa.jmpImm(isa.BPF_JNE, 0, 0x7fff, 1),
      isa.exit(),
      add(0, 1),
    ]).flat();
    const [interpreted, compiled] = both(isa.mov64Imm(0, 0), exits, isa.exit());
    expect(compiled).toBe(interpreted);
  });

  test('thousands of branches to one place', () => {
    const rungs = 8000;
    const ladder = Array.from({ length: rungs }, (_, i) => [
      add(0, 1),
      isa.jmpImm(isa.BPF_JEQ, 0, rungs - 1, 2 * (rungs - 1 - i)),
    ]).flat();
    const [interpreted, compiled] = both(isa.mov64Imm(0, 0), ladder, isa.exit());
    expect(compiled).toBe(interpreted);
  });

  test('an endless loop is stopped', () => {
    const { load, run } = fixture({ engine: createJit(), instructionBudget: 1000 });
    expect(run(load([isa.mov64Imm(0, 0), add(0, 1), isa.ja(-2), isa.exit()].slice(0, 3)))).toMatchObject({
      reason: 'the instruction budget of the run is used up',
      pc: 2,
    });
  });
});
