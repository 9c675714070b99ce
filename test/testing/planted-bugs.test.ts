import { describe, expect, it } from 'vitest';
import { runHostConformance } from '../../src/testing/index.js';
import { memoryBugs } from './planted-bugs/memory-bugs.js';
import { otherBugs } from './planted-bugs/other-bugs.js';
import { textBugs } from './planted-bugs/text-bugs.js';
import { userTextBugs } from './planted-bugs/user-text-bugs.js';
import { trapBugs } from './planted-bugs/trap-bugs.js';
import { bootSimForKit } from './sim-facts.js';

const BUGS = [...memoryBugs, ...textBugs, ...trapBugs, ...otherBugs, ...userTextBugs];

describe('the host kit', () => {
  it.each(BUGS)('names the check that $name breaks, and no other', ({ finds, plant }) => {
    const { host, facts } = plant(bootSimForKit());
    const report = runHostConformance(host, facts);
    expect(report.failed).toEqual([finds]);
    const error = report.rows.find(({ name }) => name === finds)?.error;
    expect(error?.message).toMatch(/Contract: .+To mend it: /);
  });

  it('has a bug planted for every check but those that the facts rule out', () => {
    const { host, facts } = bootSimForKit();
    const checks = runHostConformance(host, facts).rows.map(({ name }) => name);
    const found = new Set(BUGS.map(({ finds }) => finds));
    expect(checks.filter((name) => !found.has(name))).toEqual([
      'symbols: functions are instructions in memory',
      'text: a patch reads back and can be taken back',
      'tracepoints: descriptions are sound',
    ]);
    expect(BUGS.length).toBeGreaterThanOrEqual(20);
  });
});
