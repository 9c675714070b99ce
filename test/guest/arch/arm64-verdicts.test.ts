import { expect, it } from 'vitest';
import {
  differences,
  parseVerdicts,
  reasonOf,
  RECORDED_VERDICTS,
  recordableVerdicts,
} from '../../arch/arm64/verdicts.js';
import { describeWith } from '../../oracle/describe-with.js';
import { golden } from '../../support/golden.js';
import { askForVerdicts, verdictGuest } from './arm64-verdicts/ask.js';

describeWith('kprobes of an arm64 kernel', verdictGuest(), ({ kernel }) => {
  it('are taken and refused as ours', { timeout: 180_000 }, async () => {
    const text = recordableVerdicts(await askForVerdicts(kernel));
    // Some words of its text a kernel makes up anew in each boot, so only recording compares the lines.
    if (process.env['KSCOPE_RECORD'] === '1') golden(RECORDED_VERDICTS, text);
    const verdicts = parseVerdicts(text);
    expect(differences(verdicts).filter((verdict) => reasonOf(verdict) === undefined)).toEqual([]);
    expect(verdicts.length).toBeGreaterThan(1000);
  });
});
