import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { localChromium } from '../browser/chromium.js';
import { describeWith } from '../oracle/describe-with.js';
import { GuestPage } from './v86/guest-page.js';
import { savedTestGuest, testGuest } from './v86/test-guest.js';

const BOOT_MS = 300_000;
const OPENS = 5000;
const RIGHT = {
  opens: OPENS,
  breaks: OPENS / 50,
  sigtraps: OPENS / 50,
  entries: OPENS,
  sequence: (OPENS * (OPENS - 1)) / 2,
  returns: OPENS,
  pristine: true,
  oops: null,
};

describeWith('an i686 guest in v86 in Chromium', localChromium(), ({ launch }) => {
  let browser: Browser;
  let page: GuestPage;

  beforeAll(async () => {
    const guest = await testGuest();
    const saved = await savedTestGuest(guest);
    browser = await launch();
    page = await GuestPage.open(browser, { ...guest, saved });
  }, BOOT_MS);

  afterAll(async () => {
    await page?.close();
    await browser?.close();
  });

  it('a state made in Node is restored in under a second, and programs count right', async () => {
    const counts = await page.run('restoreAndCount', OPENS, 10_000);
    expect(counts).toMatchObject(RIGHT);
    expect(counts.rates.map(({ hits }) => hits)).toEqual(counts.rates.map(({ expected }) => expected));
    const restoreMs = await page.restoreMs();
    expect(restoreMs).toBeGreaterThan(10);
    expect(restoreMs).toBeLessThan(1000);
  });

  it('it boots to the workload, and programs count right', { timeout: BOOT_MS }, async () => {
    expect(await page.run('bootAndCount', OPENS, 0)).toMatchObject(RIGHT);
  });
});
