import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyLoongArch, decodeRiscvInsn, loongarch64, ptRegsView, riscv64 } from '../../src/arch/index.js';

const RUNS = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 20_000);
const JUMPS = /^(jal|jalr|branch|jump|jirl)$/;

const subjects = [
  {
    arch: riscv64,
    lengths: [0, 2, 4],
    classOf: (code: Uint8Array): string => decodeRiscvInsn(code, 0)?.class ?? 'none',
  },
  {
    arch: loongarch64,
    lengths: [0, 4],
    classOf: (code: Uint8Array): string =>
      code.length < 4 ? 'none' : classifyLoongArch(new DataView(code.buffer, code.byteOffset).getInt32(0, true)),
  },
];

const bytes = fc.uint8Array({ maxLength: 80 });
const address = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map((value) => value & ~3n);

describe.each(subjects.map((subject) => ({ name: subject.arch.name, ...subject })))('$name', (subject) => {
  const { arch, lengths, classOf } = subject;
  const { probing, ptRegs } = arch;

  it('any bytes are an instruction or none, and plans agree with that', () => {
    fc.assert(
      fc.property(bytes, bytes, address, (code, before, at) => {
        const length = probing.insnLength(code, 0);
        const plan = probing.plan(code, at, { before });
        expect(lengths).toContain(length);
        expect(classOf(code) === 'none').toBe(length === 0);
        expect(plan.length).toBe(length);
        if (length === 0) expect(plan).toMatchObject({ kind: 'refuse', errno: 'EILSEQ' });
        if (plan.kind !== 'refuse')
          expect(plan.relocate?.(at) ?? code.subarray(0, length)).toEqual(code.slice(0, length));
      }),
      { numRuns: RUNS },
    );
  });

  it('any simulated instruction leaves the pc at the next one or jumps, and a fault leaves everything', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        address,
        fc.bigInt64Array({ minLength: ptRegs.names.length, maxLength: ptRegs.names.length }),
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
          if (done && !JUMPS.test(classOf(code))) expect(regs.ip).toBe(BigInt.asUintN(64, at + BigInt(plan.length)));
          // Besides the pc at most one general register changes, and none of the trap's own words.
          const slots = [...regs.words.keys()].filter((i) => regs.words[i] !== before[i]).map((i) => i >> 1);
          const changed = new Set(slots.filter((slot) => slot !== ptRegs.ip));
          expect(changed.size).toBeLessThanOrEqual(1);
          expect([...changed].every((slot) => slot > 0 && slot < 32)).toBe(true);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
