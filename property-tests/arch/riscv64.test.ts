import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeRiscvInsn, ptRegsView, riscv64 } from '../../src/arch/index.js';

const RUNS = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 20_000);
const { probing, ptRegs } = riscv64;

const bytes = fc.uint8Array({ maxLength: 80 });
const address = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map((value) => value & ~1n);

it('any bytes are an instruction of two or four bytes, or none, and plans agree with that', () => {
  fc.assert(
    fc.property(bytes, bytes, address, (code, before, at) => {
      const length = probing.insnLength(code, 0);
      const plan = probing.plan(code, at, { before });
      expect([0, 2, 4]).toContain(length);
      expect(decodeRiscvInsn(code, 0)?.length ?? 0).toBe(length);
      expect(plan.length).toBe(length);
      if (length === 0) expect(plan).toMatchObject({ kind: 'refuse', errno: 'EILSEQ' });
    }),
    { numRuns: RUNS },
  );
});

it('any simulated instruction leaves the pc at the next one or goes elsewhere, and a fault leaves everything', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      address,
      fc.bigInt64Array({ minLength: 36, maxLength: 36 }),
      fc.boolean(),
      (code, at, values, faulty) => {
        const plan = probing.plan(code, at);
        if (plan.kind !== 'simulate') return;
        const regs = ptRegsView(ptRegs);
        values.forEach((value, slot) => regs.put(slot, value));
        const before = regs.words.slice();
        const memory = { read: () => !faulty, write: () => !faulty };
        const done = plan.simulate(regs, memory);
        expect(done || faulty).toBe(true);
        if (!done) expect(regs.words).toEqual(before);
        const jumps = /jal|jalr|branch/.test(decodeRiscvInsn(code, 0)?.class ?? '');
        if (done && !jumps) expect(regs.ip).toBe(BigInt.asUintN(64, at + BigInt(plan.length)));
        // Neither the trap's own words nor the registers that the instruction does not name change.
        const changed = [...regs.words.keys()].filter((i) => regs.words[i] !== before[i]).map((i) => i >> 1);
        expect(new Set(changed.filter((slot) => slot !== ptRegs.ip)).size).toBeLessThanOrEqual(1);
        expect(changed.every((slot) => slot < 32)).toBe(true);
      },
    ),
    { numRuns: RUNS },
  );
});
