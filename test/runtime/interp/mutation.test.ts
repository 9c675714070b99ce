import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { createInterpreterWith } from '../../../src/runtime/interp/interpreter.js';
import { readGolden, recording, writeGolden } from '../../oracle/golden.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { breakEachForm } from './broken-forms.js';
import { generate, generatedForms } from './generator/program-generator.js';
import { programSeeds } from './generator/program-seeds.js';
import { formatRecordedRun, parseRecordedRun, type RecordedRun, sameOutcome } from './generator/recorded-run.js';
import { KscopeRunner, LinuxRunner } from './generator/runners.js';

/** Generated programs with the kernel's outcomes, made by KSCOPE_RECORD=1. */
const goldenPath = new URL('../../testdata/runtime/interp/corpus.txt', import.meta.url);
const RECORDED_PROGRAMS = 60;
const RECORDED_SEED = 2026;

const corpus: readonly RecordedRun[] = recording() ? [] : readGolden(goldenPath).lines.map(parseRecordedRun);

describe.skipIf(recording())('the recorded corpus', () => {
  it('is replayed without a difference', () => {
    const kscope = new KscopeRunner();
    const different = corpus.flatMap(({ run, outcome }, i) => (sameOutcome(kscope.run(run), outcome) ? [] : [i]));
    expect(different).toEqual([]);
  });

  test.each(breakEachForm(generatedForms.map(({ name }) => name)))('tells when $form is broken', ({ ops }) => {
    const broken = new KscopeRunner(createInterpreterWith(ops));
    const foundBy = corpus.findIndex((recorded) => differs(broken, recorded));
    expect(foundBy).toBeGreaterThanOrEqual(0);
  });
});

/** A program that stops, or cannot even be loaded, differs as well. */
function differs(kscope: KscopeRunner, { run, outcome }: RecordedRun): boolean {
  try {
    return !sameOutcome(kscope.run(run), outcome);
  } catch {
    return true;
  }
}

describeWithLinux('the recorded corpus', (linux) => {
  it('is what the kernel that runs here answers', async () => {
    const kernel = new LinuxRunner(linux);
    if (recording()) {
      const programs = fc.sample(programSeeds, { numRuns: RECORDED_PROGRAMS, seed: RECORDED_SEED });
      const runs = programs.map((seed) => generate(seed, 0));
      const recorded = await Promise.all(runs.map(async (run) => ({ run, outcome: await kernel.run(run) })));
      writeGolden(goldenPath, { release: linux.release, lines: recorded.map(formatRecordedRun) });
    }
    for (const { run, outcome } of readGolden(goldenPath).lines.map(parseRecordedRun)) {
      expect(sameOutcome(await kernel.run(run), outcome)).toBe(true);
    }
  });
});
