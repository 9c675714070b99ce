import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { localChromium } from '../browser/chromium.js';
import { describeWith } from '../oracle/describe-with.js';
import { GuestPage } from './v86/guest-page.js';
import { savedTestGuest, testGuest } from './v86/test-guest.js';

const BOOT_MS = 300_000;
const READS = 5000;

/** Sum of the lengths that `READS` reads of init.c ask for. */
const ASKED = Array.from({ length: READS }, (_, i) => 1 + (i % 64)).reduce((sum, length) => sum + length, 0);
const RIGHT = {
  entries: READS,
  asked: ASKED,
  returns: READS,
  read: ASKED,
  sigtraps: 100,
  pristine: true,
  oops: null,
};

describeWith('an i686 guest in v86 in Chromium: a kernel', testGuest(), (guest) => {
  describeWith('and a browser', localChromium(), ({ launch }) => {
    let browser: Browser;
    let page: GuestPage;

    beforeAll(async () => {
      const { parts, saved } = await savedTestGuest(guest);
      browser = await launch();
      page = await GuestPage.open(browser, guest, parts, saved);
    }, BOOT_MS);

    afterAll(async () => {
      await page?.close();
      await browser?.close();
    });

    it('a state made in Node is restored in under a second, and programs count right', async () => {
      const counts = await page.run('restoreAndCount', READS, 10_000);
      expect(counts).toMatchObject(RIGHT);
      const restoreMs = await page.restoreMs();
      expect(restoreMs).toBeGreaterThan(10);
      expect(restoreMs).toBeLessThan(1000);
      expect(counts.rates.map(({ hits }) => hits)).toEqual(counts.rates.map(({ expected }) => expected));
    });

    it('it boots to the workload, and programs count right', { timeout: BOOT_MS }, async () => {
      expect(await page.run('bootAndCount', READS, 0)).toMatchObject(RIGHT);
    });
  });
});
