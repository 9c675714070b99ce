import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { V86Host } from '../../src/host/v86/index.js';
import { formatHostReport, type HostReport, runHostConformance } from '../../src/testing/index.js';
import { restoreTestGuest, testGuest } from './v86/test-guest.js';
import { v86Facts } from './v86/v86-facts.js';

/** What v86 cannot do, and the kit says so: nothing else may be left out. */
const LEFT_OUT = /tracepoint|sampl|step|interlude|btf|user text|userText/i;

describe('the host kit on v86', () => {
  let host: V86Host;
  let report: HostReport;

  beforeAll(async () => {
    host = await restoreTestGuest(await testGuest());
    report = runHostConformance(host, v86Facts(host));
  }, 400_000);

  afterAll(() => host.close());

  it('finds nothing wrong', () => {
    expect(formatHostReport(report)).toContain(`v86: ${report.rows.length} checks, 0 failed`);
    expect(report.rows.filter(({ outcome }) => outcome === 'failed' || outcome === 'blocked')).toEqual([]);
  });

  it('leaves out only what v86 has not', () => {
    const skipped = report.rows.filter(({ outcome }) => outcome === 'skipped');
    expect(skipped.filter(({ name, why }) => !LEFT_OUT.test(`${name} ${why}`))).toEqual([]);
  });

  it('leaves the guest alive', () => {
    expect(host.oops).toBeNull();
    expect(host.text.pristine).toBe(true);
  });
});
