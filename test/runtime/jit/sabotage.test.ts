import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it, test } from 'vitest';
import { createInterpreter, createJit, type Engine, type Insn } from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { readGolden } from '../../oracle/golden.js';
import { KscopeWorld } from '../interp/generator/kscope-world.js';
import { comparable } from '../interp/generator/world-outcome.js';
import { parseRecordedRun, sameOutcome } from '../interp/generator/recorded-run.js';
import { parseRecordedWorld } from '../interp/generator/recorded-world.js';
import { KscopeRunner } from '../interp/generator/runners.js';
import { fixture } from '../interp/support.js';
import { type Sabotage, withSabotage } from './sabotage.js';
import { sabotages } from './sabotages.js';

const testdata = new URL('../../testdata/runtime/', import.meta.url);
const runs = readGolden(new URL('interp/corpus.txt', testdata)).lines.map(parseRecordedRun);
const worlds = readGolden(new URL('jit/worlds.txt', testdata)).lines.map(parseRecordedWorld);

const { BPF_ADD, BPF_DW, BPF_FETCH, BPF_JLT, BPF_JNE } = isa;
const value = isa.ldImm64(1, 0n, 2);

/** Programs that Linux would not load: how they end or stop is the interpreter's to say. */
const stops: readonly (readonly Insn[])[] = [
  [isa.mov64Imm(0, 0), isa.alu64Imm(BPF_ADD, 0, 1), isa.jmpImm(BPF_JNE, 0, 1_000_000, -2), isa.exit()],
  [...value, isa.ldx(BPF_DW, 0, 1, 4), isa.exit()],
  [...value, isa.ldx(BPF_DW, 2, 1, 0), isa.alu64Reg(BPF_ADD, 1, 2), isa.ldx(BPF_DW, 0, 1, 4), isa.exit()],
  [...value, isa.mov64Imm(2, 1), isa.atomic(BPF_DW, BPF_ADD | BPF_FETCH, 1, 2, 4), isa.mov64Imm(0, 0), isa.exit()],
  [
    isa.mov64Imm(0, 0),
    isa.mov64Reg(2, 10),
    isa.ldx(BPF_DW, 3, 1, 0),
    isa.alu64Reg(BPF_ADD, 2, 3),
    isa.st(BPF_DW, 2, 0, 1),
    isa.exit(),
  ],
  [isa.mov64Imm(0, 0), isa.alu64Imm(BPF_ADD, 0, 1), isa.jmpImm(BPF_JLT, 0, 50, -2), isa.exit()],
  [
    ...value,
    isa.mov64Imm(0, 0),
    isa.ldx(BPF_DW, 2, 1, 0),
    isa.alu64Imm(BPF_ADD, 0, 1),
    isa.alu64Imm(BPF_ADD, 2, 3),
    isa.jmpImm(BPF_JNE, 2, 30, -3),
    isa.exit(),
  ],
];

function runStops(engine: Engine): unknown[] {
  const { load, run, array } = fixture({ engine, instructionBudget: 1000 });
  const maps = [array(8)];
  return stops.map((insns) => {
    const result = run(load([insns], { maps }));
    if (typeof result === 'number') return result;
    // Addresses are not the same in both, and a loop may be stopped a round later.
    return `${result.pc}: ${result.reason.replace(/0x[0-9a-f]+/, 'an address')}`;
  });
}

const stopped = runStops(createInterpreter());

/** Whether anything differs from what was recorded; what cannot even be compiled or run differs as well. */
function isFound(sabotage: Sabotage): boolean {
  return withSabotage(sabotage, () => {
    try {
      if (!isDeepStrictEqual(runStops(createJit()), stopped)) return true;
      const world = new KscopeWorld(createJit());
      for (const recorded of worlds) {
        const { subjects } = recorded.world;
        const actual = comparable(world.run(recorded.world), subjects);
        if (!isDeepStrictEqual(actual, comparable(recorded.outcome, subjects))) return true;
      }
      const runner = new KscopeRunner(createJit());
      return runs.some(({ run, outcome }) => !sameOutcome(runner.run(run), outcome));
    } catch {
      return true;
    }
  });
}

describe('what was recorded tells when the compiler is broken', () => {
  it('in more than 30 ways, and does not complain without', () => {
    expect(sabotages.length).toBeGreaterThan(30);
    expect(isFound({ name: 'none', place: { outsideRules: true }, change: {} })).toBe(false);
  });

  test.each(sabotages)('$name', (sabotage) => {
    expect(isFound(sabotage)).toBe(true);
  });
});
