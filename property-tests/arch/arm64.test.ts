import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  arm64,
  arm64PtRegs,
  Arm64Pstate,
  Arm64Slot,
  classifyArm64,
  PtRegs,
  type InsnMemory,
} from '../../src/arch/index.js';
import { hi32, lo32 } from '../../src/base/index.js';
import { DisplacedRunner, describeCase, randomCase } from '../../test/arch/arm64/displaced.js';
import { insnForms } from '../../test/arch/arm64/insn-forms.js';
import { Random } from '../../test/host/sim/random.js';
import { describeWith } from '../../test/oracle/describe-with.js';
import { unicorn } from '../../test/oracle/unicorn.js';

const RUNS = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 5000);
const ADDRESS = 0xffff_8000_0801_0000n;
const { probing } = arm64;
const word32 = fc.integer({ min: 0, max: 0xffff_ffff });
/** Half of them from one of the groups that are simulated or refused, where single bits decide. */
const word = fc.oneof(
  word32,
  fc
    .tuple(
      word32,
      fc.constantFrom(0x1000_0000, 0x1400_0000, 0x3400_0000, 0x5400_0000, 0xd400_0000, 0xd500_0000, 0xd600_0000),
    )
    .map(([bits, group]) => ((bits & 0x03ff_ffff) | group) >>> 0),
);

function bytesOf(...words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((each, i) => view.setUint32(4 * i, each, true));
  return bytes;
}

/** Memory that holds zeros wherever `present` says, and counts what is written. */
function memoryOf(present: boolean): InsnMemory {
  return {
    read: (_lo, _hi, dst, length) => {
      if (present) dst.fill(0, 0, length);
      return present;
    },
    write: () => present,
  };
}

describe('any word', () => {
  it('has a class and a plan that does not depend on what follows', () => {
    fc.assert(
      fc.property(word, word32, fc.boolean(), (each, next, stack) => {
        const context = { before: new Uint8Array(), restoresStackPointer: stack };
        const alone = probing.plan(bytesOf(each), ADDRESS, context);
        const followed = probing.plan(bytesOf(each, next), ADDRESS, context);
        expect(followed.kind).toBe(alone.kind);
        expect(alone.length).toBe(4);
        if (alone.kind === 'refuse') expect(alone.errno).toBe('EINVAL');
        if (alone.kind === 'slot') expect(alone.relocate(0n)).toEqual(bytesOf(each));
        expect(classifyArm64(each)).toBe(classifyArm64(each | 0));
      }),
      { numRuns: RUNS },
    );
  });

  it('that runs in a slot is neither a branch nor depends on the pc', () => {
    fc.assert(
      fc.property(word, (each) => {
        const plan = probing.plan(bytesOf(each), ADDRESS);
        if (plan.kind !== 'slot') return;
        // Bits 28 to 25 are 101x: only hints, barriers and accesses to the system's registers may be moved.
        if ((each & 0x1c00_0000) === 0x1400_0000) expect(each >>> 24).toBe(0xd5);
        expect(each & 0x1f00_0000).not.toBe(0x1000_0000);
        expect((each & 0x3b00_0000) >>> 0).not.toBe(0x1800_0000);
      }),
      { numRuns: RUNS },
    );
  });

  it('that is simulated changes nothing where it faults, and goes on at the next instruction or a branch target', () => {
    const slots = fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { minLength: 34, maxLength: 34 });
    fc.assert(
      fc.property(word, slots, fc.boolean(), (each, values, present) => {
        const plan = probing.plan(bytesOf(each), ADDRESS, { before: new Uint8Array(), restoresStackPointer: true });
        if (plan.kind !== 'simulate') return;
        const regs = new PtRegs(arm64PtRegs);
        values.forEach((value, slot) => regs.put(slot, value));
        const before = regs.words.slice();
        const done = plan.simulate(regs, memoryOf(present));
        if (!done) {
          expect(present).toBe(false);
          expect(regs.words).toEqual(before);
          return;
        }
        expect(regs.lo(Arm64Slot.pstate) & Arm64Pstate.BTYPE).toBe(0);
        const changed = regs.lo(Arm64Slot.pstate) ^ before[2 * Arm64Slot.pstate];
        expect(changed & ~(Arm64Pstate.NZCV | Arm64Pstate.BTYPE)).toBe(0);
        expect(regs.hi(Arm64Slot.pstate)).toBe(before[2 * Arm64Slot.pstate + 1]);
        if (!/branch|call|return/.test(classifyArm64(each))) expect(regs.ip).toBe(ADDRESS + 4n);
        // Behind the registers nothing is touched.
        expect(regs.words.subarray(2 * 34)).toEqual(before.subarray(2 * 34));
      }),
      { numRuns: RUNS },
    );
  });

  it('is refused behind any load-exclusive that no store has closed, at most 32 instructions before', () => {
    const LDXR = 0xc85f_7c20;
    const STXR = 0xc800_7c41;
    const plain = fc.constantFrom(0xd503_201f, 0x9100_0400, 0xc8df_fc20);
    const code = fc.array(fc.oneof({ weight: 20, arbitrary: plain }, fc.constantFrom(LDXR, STXR)), { maxLength: 60 });
    fc.assert(
      fc.property(code, (before) => {
        const seen = before.slice(-32).filter((each) => each === LDXR || each === STXR);
        const plan = probing.plan(bytesOf(0xd503_201f), ADDRESS, { before: bytesOf(...before) });
        expect(plan.kind).toBe(seen.at(-1) === LDXR ? 'refuse' : 'simulate');
      }),
      { numRuns: RUNS },
    );
  });

  it('of pstate keeps all but its interrupt masks while a slot runs, and those come back as they were', () => {
    fc.assert(
      fc.property(word32, word32, (pstate, after) => {
        const regs = new PtRegs(arm64PtRegs);
        regs.put(Arm64Slot.pstate, BigInt(pstate));
        const saved = probing.maskInterrupts(regs);
        expect(regs.lo(Arm64Slot.pstate) & Arm64Pstate.DAIF).toBe(Arm64Pstate.DAIF);
        regs.set(Arm64Slot.pstate, lo32(BigInt(after)), hi32(BigInt(after)));
        probing.restoreInterrupts(regs, saved);
        expect(regs.lo(Arm64Slot.pstate) & Arm64Pstate.DAIF).toBe(pstate & Arm64Pstate.DAIF);
        expect((regs.lo(Arm64Slot.pstate) ^ after) & ~Arm64Pstate.DAIF).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });
});

describeWith('an arm64 instruction', unicorn(), (oracle) => {
  it('in its place or displaced by a probe leaves the same registers, flags and memory', () => {
    const runner = new DisplacedRunner(oracle);
    fc.assert(
      fc.property(fc.constantFrom(...insnForms), fc.integer({ min: 1 }), fc.boolean(), (form, seed, stack) => {
        const each = randomCase(form, new Random(seed));
        expect(runner.displaced(each, stack).outcome, describeCase(each, seed)).toEqual(runner.inPlace(each));
      }),
      { numRuns: RUNS },
    );
    runner.close();
  });
});
