import { afterAll, describe, expect, it } from 'vitest';
import { describeWith, oraclesRequired } from '../oracle/describe-with.js';
import { unicorn, type Unicorn } from '../oracle/unicorn.js';
import { randomCase, type InsnCase } from '../host/sim/insn-case.js';
import type { InsnForm } from '../host/sim/insn-forms.js';
import { Random } from '../host/sim/random.js';
import { forms32, forms64, refusedForms } from './kernel-forms.js';
import { UnicornMachine, type UnicornOutcome } from './unicorn-machine.js';

const MODES = [
  { bits: 64, forms: forms64, cases: casesOf(20_000) },
  { bits: 32, forms: forms32, cases: casesOf(5000) },
] as const;

/** All cases where oracles are required or a number is given. */
function casesOf(all: number): number {
  return Number(process.env['KSCOPE_CASES'] ?? (oraclesRequired ? all : all / 10));
}

function describeCase(each: InsnCase, seed: number): string {
  const regs = each.regs.map((value, n) => `r${n}=${value.toString(16)}`).join(' ');
  return `${each.form.name} [${Buffer.from(each.code).toString('hex')}] seed=${seed} flags=${each.flags.toString(16)} ${regs}`;
}

/** Flags that the architecture leaves undefined after `each`: a processor and a simulation may differ in them. */
function undefinedFlags(each: InsnCase): bigint {
  return BigInt(each.form.undefinedFlags ?? 0);
}

function masked(outcome: UnicornOutcome, mask: bigint): UnicornOutcome {
  return outcome === 'fault' ? outcome : { ...outcome, flags: outcome.flags & ~mask };
}

/** libunicorn 2.0 takes the bytes that `ret imm16` drops for signed; processors do not, and nobody drops 32 KiB. */
function isBeyondOracle(each: InsnCase): boolean {
  return each.form.name === 'ret imm16' && ((each.code.at(-1) as number) & 0x80) !== 0;
}

/** What was done how often, over all forms of a mode. */
interface Totals {
  cases: number;
  slot: number;
  simulated: number;
  faulted: number;
}

interface Run {
  readonly machine: UnicornMachine;
  readonly bits: 32 | 64;
  readonly totals: Totals;
}

function check({ machine, bits, totals }: Run, form: InsnForm, seed: number, cases: number): void {
  const random = new Random(seed);
  for (let i = 0; i < cases; i++) {
    const each = randomCase(form, random, bits);
    if (isBeyondOracle(each)) continue;
    const plan = machine.plan(each);
    const expected = machine.inPlace(each);
    totals.cases++;
    if (expected === 'fault') totals.faulted++;
    if (plan.kind === 'refuse') throw new Error(`${describeCase(each, seed)}: ${plan.reason}`);
    if (plan.kind === 'simulate') {
      totals.simulated++;
      const mask = undefinedFlags(each);
      expect(masked(machine.simulated(each, plan), mask), describeCase(each, seed)).toEqual(masked(expected, mask));
    }
    if (plan.relocate === undefined) continue;
    totals.slot++;
    expect(machine.inSlot(each, plan.relocate), describeCase(each, seed)).toEqual(expected);
  }
}

const TITLE = 'in $bits-bit mode, an instruction displaced by a probe leaves the state of the processor';

describeWith('against unicorn', unicorn(), (oracle: Unicorn) => {
  describe.each(MODES)(TITLE, ({ bits, forms: all, cases }) => {
    const run: Run = {
      machine: new UnicornMachine(oracle, bits),
      bits,
      totals: { cases: 0, slot: 0, simulated: 0, faulted: 0 },
    };
    const forms = all.filter(({ name }) => !refusedForms.includes(name));
    const perForm = Math.ceil(cases / forms.length);
    it.each(forms.map((form, i) => ({ name: form.name, form, seed: 15_485_863 + 32_452_843 * i })))(
      '$name',
      ({ form, seed }) => check(run, form, seed, perForm),
    );

    afterAll(() => {
      const { totals, machine } = run;
      console.log(`${bits} bits: ${JSON.stringify(totals)}`);
      machine.close();
      expect(totals.cases).toBeGreaterThan(0.99 * cases);
      expect(totals.faulted).toBeLessThan(totals.cases / 20);
    });
  });
});
