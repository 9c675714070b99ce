import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeInsn,
  i386,
  MAX_INSN_LENGTH,
  ptRegsView,
  x86_64,
  X86Insn,
  type InsnMemory,
} from '../../src/arch/index.js';

const RUNS = Number(process.env['KSCOPE_CASES'] ?? 20_000);
const ADDRESS = 0xffff_ffff_8123_4567n;
const reused = new X86Insn();
/** Memory that is nowhere: whatever is simulated there faults. */
const nowhere: InsnMemory = { read: () => false, write: () => false };

/** Bytes that are prefixes and escapes more often than not. */
const bytes = fc.array(
  fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0x0f, 0x66, 0x67, 0xf2, 0xf3, 0x48, 0x62, 0xc4, 0xc5, 0x8f),
  ),
  { maxLength: 20 },
);

describe.each([x86_64, i386])('any bytes, to $name,', (arch) => {
  const bits = arch === i386 ? 32 : 64;

  it('decode to an instruction within them or to none, and plan without failing', () => {
    fc.assert(
      fc.property(bytes, (values) => {
        const code = Uint8Array.from(values);
        const length = decodeInsn(code, 0, reused, bits)?.length ?? 0;
        expect(length).toBeLessThanOrEqual(Math.min(code.length, MAX_INSN_LENGTH));
        // A fresh result is that of a reused one, and what follows does not count.
        expect(decodeInsn(code, 0, new X86Insn(), bits)).toEqual(length === 0 ? null : reused);
        expect(arch.probing.insnLength(Uint8Array.from([0x90, ...values, 0xc3]), 1)).toBeLessThanOrEqual(
          MAX_INSN_LENGTH,
        );
        if (length > 0) expect(arch.probing.insnLength(code.subarray(0, length), 0)).toBe(length);

        const plan = arch.probing.plan(code, ADDRESS & (bits === 32 ? 0xffff_ffffn : ~0n));
        expect(plan.length).toBe(length);
        if (plan.kind === 'refuse') expect(plan.reason).not.toBe('');
        else expect(plan.relocate?.(ADDRESS + 64n)?.length ?? length).toBe(length);
      }),
      { numRuns: RUNS },
    );
  });

  it('leave all registers alone where their simulation faults', () => {
    fc.assert(
      fc.property(bytes, fc.infiniteStream(fc.integer()), (values, words) => {
        const plan = arch.probing.plan(Uint8Array.from(values), ADDRESS);
        if (plan.kind !== 'simulate') return;
        const regs = ptRegsView(arch.ptRegs);
        regs.words.forEach((_, i) => (regs.words[i] = words.next().value as number));
        const before = regs.words.slice();
        if (!plan.simulate(regs, nowhere)) expect(regs.words).toEqual(before);
      }),
      { numRuns: RUNS },
    );
  });
});
