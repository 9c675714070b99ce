import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatHostReport, type HostReport, runHostConformance } from '../../src/testing/index.js';
import { describeWith } from '../oracle/describe-with.js';
import { bareFacts } from './kernel/bare-facts.js';
import { BareGuest, bareWays } from './kernel/bare-guest.js';
import { bareArchs, bareKernel } from './kernel/bare-kernel.js';

/** What the kernel has not, and the kit says so: nothing else may be left out. */
const LEFT_OUT =
  /tracepoints is null|sampler is null|btf is null|userText is absent|user mode|userArgument|onExit is absent/;
/** Steps are taken by the stub, with breakpoints of its own. */
const NO_STEP = /singleStep is false/;

const cases = bareArchs.flatMap((arch) => bareWays(arch).map((way) => ({ arch, way })));

for (const { arch, way } of cases) {
  describeWith(`the host kit on the bare-metal kernel: ${arch}, traps by ${way}`, bareKernel(arch), (kernel) => {
    let guest: BareGuest;
    let report: HostReport;

    beforeAll(() => {
      guest = new BareGuest(kernel, way);
      report = runHostConformance(guest.host, bareFacts(guest));
    }, 180_000);

    afterAll(() => guest?.close());

    it('finds nothing wrong', () => {
      expect(formatHostReport(report)).toContain(`qemu: ${report.rows.length} checks, 0 failed`);
      expect(report.rows.filter(({ outcome }) => outcome === 'failed' || outcome === 'blocked')).toEqual([]);
    });

    it('leaves out only what the kernel has not', () => {
      const skipped = report.rows.filter(({ outcome }) => outcome === 'skipped');
      const allowed = (why: string): boolean => LEFT_OUT.test(why) || (way !== 'stub' && NO_STEP.test(why));
      expect(skipped.filter(({ why }) => !allowed(why))).toEqual([]);
    });

    it('leaves the kernel alive', () => {
      guest.restSoon();
      const { own, user } = guest.breaksDone;
      const { own_breaks, user_breaks, unknown_breaks, insn_mix_wrong } = guest.finish();
      expect({ own_breaks, user_breaks, unknown_breaks, insn_mix_wrong }).toEqual({
        own_breaks: own,
        user_breaks: user,
        unknown_breaks: 0,
        insn_mix_wrong: 0,
      });
      expect(guest.powerOff()).toBe('exited');
    });
  });
}
