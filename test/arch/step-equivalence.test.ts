import { describe, expect, it } from 'vitest';
import type { InsnForm } from '../host/sim/insn-forms.js';
import { randomCase, type InsnCase } from '../host/sim/insn-case.js';
import { Random } from '../host/sim/random.js';
import { forms64, refusedForms } from './kernel-forms.js';
import { DisplacedRunner, type Outcome } from './displaced.js';

const CASES_PER_FORM = Number(process.env['KSCOPE_INSN_CASES'] ?? 60);

const runner = new DisplacedRunner();

function describeCase(each: InsnCase, seed: number): string {
  const code = Buffer.from(each.code).toString('hex');
  const regs = each.regs.map((value, n) => `r${n}=${value.toString(16)}`).join(' ');
  return `${each.form.name} [${code}] seed=${seed} flags=${each.flags.toString(16)} ${regs}`;
}

/** A probe leaves the same state as the processor; where the instruction faults, it does so too. */
function check(form: InsnForm, seed: number): number {
  const random = new Random(seed);
  let completed = 0;
  for (let i = 0; i < CASES_PER_FORM * form.sizes.length; i++) {
    const each = randomCase(form, random);
    const expected = runner.inPlace(each);
    const actual = runner.displaced(each) as Outcome;
    if ('vector' in expected) {
      expect('vector' in actual || leavesCanonicalSpace(actual), describeCase(each, seed)).toBe(true);
      continue;
    }
    completed++;
    expect(actual, describeCase(each, seed)).toEqual(expected);
  }
  return completed;
}

/** A simulated branch to no address at all traps at its target instead of at the branch. */
function leavesCanonicalSpace(state: Outcome): boolean {
  if ('vector' in state) return false;
  const top = BigInt(`0x${state.rip}`) >> 47n;
  return top !== 0n && top !== 0x1_ffffn;
}

describe('an instruction displaced by a probe leaves the state of one that was not', () => {
  const forms = forms64.map((form, i) => ({ name: form.name, form, seed: 104_729 * (i + 1) }));

  it.each(forms.filter(({ name }) => !refusedForms.includes(name)))('$name', ({ form, seed }) => {
    expect(check(form, seed)).toBeGreaterThan(0);
  });

  it.each(forms.filter(({ name }) => refusedForms.includes(name)))('$name is refused', ({ form }) => {
    expect(runner.displaced(randomCase(form, new Random(1)))).toHaveProperty('refused');
  });
});
