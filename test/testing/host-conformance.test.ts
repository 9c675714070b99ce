import { describe, expect, it } from 'vitest';
import { formatHostReport, hostConformance, runHostConformance } from '../../src/testing/index.js';
import { bootSimForKit } from './sim-facts.js';

describe('the host kit on the simulator', () => {
  const { host, facts } = bootSimForKit();
  for (const { name, skip, run } of hostConformance(host, facts)) {
    it.skipIf(skip !== null)(name, run);
  }
});

describe('a report of the host kit', () => {
  it('names each check and its outcome, and leaves nothing out that the simulator can do', () => {
    const { host, facts } = bootSimForKit();
    const report = runHostConformance(host, facts);
    expect(formatHostReport(report)).toContain(`sim: ${report.rows.length} checks, 0 failed`);
    expect(report.rows.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
  });
});
