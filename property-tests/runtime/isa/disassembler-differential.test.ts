import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  BPF_CALL,
  BPF_JMP,
  BPF_LDX,
  BPF_REG_0,
  classOf,
  disassembleInsn,
  formsOfCode,
  LDIMM64,
  type Insn,
} from '../../../src/runtime/isa/index.js';
import { describeWithLinux } from '../../../test/oracle/linux.js';
import { LinuxDisassembler } from '../../../test/runtime/isa/linux-disassembly.js';
import { anyInsn } from './arbitraries.js';

/**
 * Any slot that Linux prints before it judges its fields: known codes, whatever is in the other fields. Loads must
 * have no immediate, calls of functions and kfuncs a target, and distances stay small enough to pad.
 */
const printable: fc.Arbitrary<Insn> = anyInsn
  .filter((one) => formsOfCode(one.code).length > 0 && one.code !== LDIMM64)
  .map((one) => ({
    ...one,
    off: one.off % 300,
    imm: classOf(one.code) === BPF_LDX ? 0 : one.code === 0x06 ? one.imm % 300 : one.imm,
    src: one.code === (BPF_JMP | BPF_CALL) && one.src < 3 ? BPF_REG_0 : one.src,
  }));

describeWithLinux('disassembler on any instruction', (linux) => {
  it('prints what the verifier prints, reserved fields and bad registers included', async () => {
    const kernel = new LinuxDisassembler(linux);
    await fc.assert(
      fc.asyncProperty(printable, async (one) => {
        expect(disassembleInsn([one], 0)).toBe(await kernel.textOf([one]));
      }),
      { numRuns: 3000 },
    );
  });
});
