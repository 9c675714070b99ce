import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classifyArm64, type Arm64InsnClass } from '../../../src/arch/index.js';
import { DIFFERENT, differences, parseVerdicts, reasonOf, RECORDED_VERDICTS } from './verdicts.js';

/** What a Debian kernel answered for each kind of instruction in its text: see test/guest/arch/arm64-verdicts. */
const verdicts = parseVerdicts(readFileSync(new URL(`../../testdata/${RECORDED_VERDICTS}`, import.meta.url), 'utf8'));

describe('kprobes of a kernel', () => {
  const alone = verdicts.filter(({ before }) => before.length === 0);
  const inContext = verdicts.filter(({ before }) => before.length > 0);

  it('stand where ours may, and where not, for the same errno', () => {
    const unlike = differences(alone);
    expect(unlike.filter((verdict) => reasonOf(verdict) === undefined)).toEqual([]);
    expect(new Set(unlike.map(reasonOf))).toEqual(new Set(DIFFERENT.map(([why]) => why)));
    expect(new Set(verdicts.map(({ errno }) => errno))).toEqual(new Set([0, 22]));
    expect(alone.length).toBeGreaterThan(1000);
  });

  it('are refused for each class that ours are refused for and that occurs there', () => {
    const refused = alone
      .filter(({ errno }) => errno !== 0)
      .map(({ word }) => classifyArm64(Number.parseInt(word, 16)));
    const expected: Arm64InsnClass[] = ['breakpoint', 'exception', 'hint', 'msr-immediate', 'msr', 'mrs-daif'];
    for (const cls of expected) expect(refused).toContain(cls);
  });

  it('do not stand in exclusive sequences, whose bounds are the same', () => {
    expect(differences(inContext)).toEqual([]);
    expect(new Set(inContext.map(({ errno }) => errno))).toEqual(new Set([0, 22]));
  });
});
