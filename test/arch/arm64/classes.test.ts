import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compareClass, isSimulated, RECORDED_TEXT } from './compare-class.js';

/** For every mnemonic in a Debian kernel, two of its words; recorded by test/guest/arch/arm64-kernel-text.test.ts. */
const recorded = readFileSync(new URL(`../../testdata/${RECORDED_TEXT}`, import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [word, text] = line.split('\t') as [string, string];
    return { word: Number.parseInt(word, 16), text };
  });

describe('classes by bits', () => {
  it('agree with the text of every mnemonic in a kernel', () => {
    const differences = recorded.map(({ word, text }) => compareClass(word, text)).filter((found) => found !== null);
    expect(differences).toEqual([]);
    expect(recorded.length).toBeGreaterThan(1000);
  });

  it('simulate nothing that objdump shows as undefined', () => {
    const undecoded = recorded.filter(({ text }) => text.startsWith('.inst')).map(({ word }) => word);
    expect(undecoded.filter(isSimulated).map((word) => word.toString(16))).toEqual([]);
    expect(undecoded.length).toBeGreaterThan(100);
  });
});
