import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DisplacedRunner } from '../../test/arch/displaced.js';
import { randomCase } from '../../test/host/sim/insn-case.js';
import { insnForms } from '../../test/host/sim/insn-forms.js';
import { Random } from '../../test/host/sim/random.js';

const RUNS = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 5000);
const runner = new DisplacedRunner();
const forms = insnForms.filter(({ name }) => name !== 'hlt' && name !== 'ud2');

it('any instruction, in its place or displaced by a probe, leaves the same registers, flags and memory', () => {
  fc.assert(
    fc.property(fc.constantFrom(...forms), fc.integer({ min: 1 }), (form, seed) => {
      const each = randomCase(form, new Random(seed));
      const expected = runner.inPlace(each);
      const actual = runner.displaced(each);
      if ('vector' in expected) expect(actual).toHaveProperty('vector');
      else expect(actual).toEqual(expected);
    }),
    { numRuns: RUNS },
  );
});
