import { describe, expect, it, test } from 'vitest';
import { BpfProgType, errnoName } from '../../../src/base/index.js';
import { CheckError, checkProgram, encodeInsns, type Insn, type ProgramInput } from '../../../src/runtime/index.js';
import { readGolden, recording, writeGolden } from '../../oracle/golden.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { checkCases, deadCodeCases, type CheckCase } from './cases.js';

/** Lines of `case, errno, last line of the kernel's log`, made by KSCOPE_RECORD=1. */
const goldenPath = new URL('../../testdata/check/refusals.txt', import.meta.url);

function program(insns: readonly Insn[], type: number = BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER): ProgramInput {
  return { name: 'test', type, expectedAttachType: 0, license: 'GPL', insns, maps: [] };
}

/** `name, errno, verdict` of our check, in the form of the golden's lines. */
function ourAnswer({ name, insns, type }: CheckCase): string {
  try {
    checkProgram(program(insns, type));
    return `${name}\tok`;
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    return `${name}\t${error.code}\t${error.verdict}`;
  }
}

/** Linux refuses programs of a wrong size without a word. */
function withoutLog(answer: string): string {
  return answer.replace(/the program (is empty|has \d+ instruction slots)$/, '(no log)');
}

describe('checkProgram against the recorded answers of the kernel', () => {
  const golden = recording() ? [] : readGolden(goldenPath).lines;
  const answers = new Map(golden.map((line) => [line.slice(0, line.indexOf('\t')), line]));

  const alike = checkCases.filter((one) => !deadCodeCases.some((dead) => dead === one));

  test.skipIf(recording()).each(alike.map((one) => [one.name, one] as const))('%s', (name, one) => {
    expect(withoutLog(ourAnswer(one))).toBe(answers.get(name));
  });

  test.skipIf(recording()).each(deadCodeCases.map((one) => [one.name, one] as const))('%s', (name, one) => {
    expect(ourAnswer(one)).toMatch(new RegExp(`^${name}\t(EINVAL|EACCES|E2BIG)\t${one.ours}$`));
    expect(answers.get(name)).toMatch(/\tok$|\tE2BIG\tthe call stack of 8 frames is too deep !$/);
  });
});

describeWithLinux('checkProgram', (linux) => {
  it('agrees with the kernel that runs here', async () => {
    const lines = await Promise.all(checkCases.map(linuxAnswer));
    if (recording()) writeGolden(goldenPath, { release: linux.release, lines });
    expect(lines).toEqual(readGolden(goldenPath).lines);
  });

  async function linuxAnswer({ name, insns, type }: CheckCase): Promise<string> {
    const slot = linux.slot();
    const { result, log } = await linux.progLoad(slot, {
      type: type ?? BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
      insns: encodeInsns(insns),
      logLevel: 1,
    });
    await linux.close(slot);
    const verdict =
      log
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('processed '))
        .at(-1) ?? '';
    return result === 0 ? `${name}\tok` : `${name}\t${errnoName(result)}\t${verdict || '(no log)'}`;
  }
});
