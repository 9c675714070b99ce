import { afterAll, expect, it } from 'vitest';
import { Random } from '../../host/sim/random.js';
import { describeWith } from '../../oracle/describe-with.js';
import { unicorn } from '../../oracle/unicorn.js';
import { describeCase, DisplacedRunner, randomCase } from './displaced.js';
import { insnForms, type InsnForm } from './insn-forms.js';

/** How many cases there are in all. */
const CASES = Number(process.env['KSCOPE_CASES'] ?? 3000);
const PER_FORM = Math.ceil(CASES / insnForms.length);

describeWith('an arm64 instruction displaced by a probe', unicorn(), (oracle) => {
  const runner = new DisplacedRunner(oracle);
  afterAll(() => runner.close());

  /** How many of the cases were executed to their end. */
  function check(form: InsnForm, seed: number): number {
    const random = new Random(seed);
    let completed = 0;
    for (let i = 0; i < PER_FORM; i++) {
      const each = randomCase(form, random);
      const restoresStackPointer = form.stack === true && i % 2 === 0;
      const expected = runner.inPlace(each);
      const { kind, outcome } = runner.displaced(each, restoresStackPointer);
      const planned = form.stack === true && !restoresStackPointer ? 'slot' : form.plan === 'open' ? 'slot' : form.plan;
      expect(kind, describeCase(each, seed)).toBe(planned);
      expect(outcome, describeCase(each, seed)).toEqual(expected);
      if (expected !== 'fault') completed++;
    }
    return completed;
  }

  it.each(insnForms.map((form, i) => ({ name: form.name, form, seed: 104_729 * (i + 1) })))(
    '$name: leaves the state of one that was not',
    ({ form, seed }) => {
      expect(check(form, seed)).toBeGreaterThan(PER_FORM / 2);
    },
  );
});
