import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { BpfProgType, errnoName } from '../../../src/base/index.js';
import { CheckError, checkProgram, encodeInsns, type Insn } from '../../../src/runtime/index.js';
import { describeWithLinux } from '../../../test/oracle/linux.js';
import { mutatedProgram, soundProgram } from './arbitraries.js';

const type = BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER;

/** What Linux says before it walks a program: in the order of its stages, so we must say the very same. */
const structural = [
  /^(invalid|unrecognized) bpf_ld_imm64 insn$/,
  /^BPF_LDX uses reserved fields$/,
  /^call to invalid destination$/,
  /^jump into the middle of ldimm64 insn \d+$/,
  /^jump out of range from insn -?\d+ to -?\d+$/,
  /^last insn is not an exit or jmp$/,
  /^too many subprograms$/,
  /^unknown opcode [0-9a-f]+$/,
  /^unreachable insn \d+$/,
];

/** What it says of single instructions while it walks the program and also judges values. */
const ofInstructions = [
  /^BPF_\S+ uses reserved fields$/,
  /^BPF_ATOMIC uses invalid atomic opcode [0-9a-f]+$/,
  /^invalid atomic operand size$/,
  /^invalid may_goto imm -?\d+$/,
  /^addr_space_cast insn can only/,
  /^R1[1-5] is invalid$/,
  /^frame pointer is read only$/,
  /^div by zero$/,
  /^invalid shift -?\d+$/,
  /^the call stack of 9 frames is too deep$/,
];

function matches(patterns: readonly RegExp[], verdict: string): boolean {
  return patterns.some((pattern) => pattern.test(verdict));
}

function ourRefusal(insns: readonly Insn[]): CheckError | undefined {
  try {
    checkProgram({ name: 'test', type, expectedAttachType: 0, license: 'GPL', insns, maps: [] });
    return undefined;
  } catch (error) {
    if (error instanceof CheckError) return error;
    throw error;
  }
}

describeWithLinux('checkProgram on generated programs', (linux) => {
  it('takes what Linux takes, and refuses what its structural stages refuse with the same words', async () => {
    await fc.assert(fc.asyncProperty(soundProgram, agrees), { numRuns: 500 });
    await fc.assert(fc.asyncProperty(mutatedProgram, agrees), { numRuns: 4000 });
  });

  async function agrees(insns: readonly Insn[]): Promise<void> {
    const ours = ourRefusal(insns);
    const { result, log } = await load(insns, 1);
    if (result === 0) {
      if (ours !== undefined) await expectNotWalked(insns, ours);
      return;
    }
    const verdict =
      log
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('processed '))
        .at(-1) ?? '';
    const walking = matches(ofInstructions, verdict);
    // Anything else is the verdict of a verifier on values and types, which is not ours to give.
    if (!walking && !matches(structural, verdict)) return;
    if (walking && ours !== undefined && ours.verdict !== verdict) return expectNotWalked(insns, ours);
    expect([ours?.code, ours?.verdict]).toEqual([errnoName(result), verdict]);
  }

  /** Where values rule a branch out, Linux looks at other instructions first, or never at this one. */
  async function expectNotWalked(insns: readonly Insn[], ours: CheckError): Promise<void> {
    const { log } = await load(insns, 2);
    expect(log, ours.message).not.toMatch(new RegExp(`^${ours.insn}: \\(`, 'm'));
  }

  async function load(insns: readonly Insn[], logLevel: number): Promise<{ result: number; log: string }> {
    const slot = linux.slot();
    const loaded = await linux.progLoad(slot, { type, insns: encodeInsns(insns), logLevel });
    await linux.close(slot);
    return loaded;
  }
});
