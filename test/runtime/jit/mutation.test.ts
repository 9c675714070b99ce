import { describe, expect, it, test } from 'vitest';
import { createJit, createJitWith } from '../../../src/runtime/jit/jit.js';
import { readGolden } from '../../oracle/golden.js';
import { breakEachForm } from '../interp/broken-forms.js';
import { generatedForms } from '../interp/generator/program-generator.js';
import { parseRecordedRun, type RecordedRun, sameOutcome } from '../interp/generator/recorded-run.js';
import { KscopeRunner } from '../interp/generator/runners.js';

/** Generated programs with the kernel's outcomes; the interpreter is held to the same. */
const goldenPath = new URL('../../testdata/runtime/interp/corpus.txt', import.meta.url);
const corpus: readonly RecordedRun[] = readGolden(goldenPath).lines.map(parseRecordedRun);

describe('the recorded corpus, compiled', () => {
  it('is replayed without a difference', () => {
    const kscope = new KscopeRunner(createJit());
    const different = corpus.flatMap(({ run, outcome }, i) => (sameOutcome(kscope.run(run), outcome) ? [] : [i]));
    expect(different).toEqual([]);
  });

  test.each(breakEachForm(generatedForms.map(({ name }) => name)))(
    'tells when the rule for $form is another',
    ({ ops }) => {
      const broken = new KscopeRunner(createJitWith(ops));
      const foundBy = corpus.findIndex((recorded) => differs(broken, recorded));
      expect(foundBy).toBeGreaterThanOrEqual(0);
    },
  );
});

/** A program that stops, or cannot even be loaded, differs as well. */
function differs(kscope: KscopeRunner, { run, outcome }: RecordedRun): boolean {
  try {
    return !sameOutcome(kscope.run(run), outcome);
  } catch {
    return true;
  }
}
