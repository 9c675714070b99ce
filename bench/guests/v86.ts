import { readFileSync } from 'node:fs';
import { BpfProgType } from 'kscope/base';
import { restoreV86, type V86Host, type V86Parts } from 'kscope/host/v86';
import { loadV86Parts } from 'kscope/host/v86/node';
import { Machine } from 'kscope/machine';
import { exit, mov64Imm } from 'kscope/runtime';
import { localChromium } from '../../test/browser/chromium.js';
import { GuestPage } from '../../test/guest/v86/guest-page.js';
import { newestState } from '../../test/guest/v86/state-file.js';
import { V86Session } from '../../test/guest/v86/v86-session.js';
import { type GuestRates, ROUNDS } from './guest-rates.js';

const SYMBOL = '__ia32_sys_getppid';

/** Makes the state that is restored here. */
const MAKE_STATE = 'KSCOPE_GUESTS=1 npx vitest run test/guest/v86-kit.test.ts';

/** Hits a second of one kprobe with one program in an i686 guest, in Node and in Chromium; `calls` in each round. */
export async function v86Rates(calls: number): Promise<readonly GuestRates[]> {
  const state = newestState();
  if (state === null) return [{ host: 'v86, i686', unavailable: `no saved guest: ${MAKE_STATE}` }];
  const guest = { parts: await loadV86Parts(), saved: readFileSync(state) };
  return [await ratesInNode(guest.parts, guest.saved, calls), await ratesInChromium(guest, calls)];
}

async function ratesInNode(parts: V86Parts, saved: Uint8Array, calls: number): Promise<GuestRates> {
  const host = await restoreV86(parts, saved);
  try {
    const rounds = Array.from({ length: ROUNDS }, () => rate(host, calls));
    return { host: 'v86, i686, Node', rounds };
  } finally {
    host.close();
  }
}

function rate(host: V86Host, calls: number): number {
  const machine = new Machine(host);
  const program = machine.runtime.loadProgram({
    name: 'empty',
    type: BpfProgType.BPF_PROG_TYPE_KPROBE,
    expectedAttachType: 0,
    license: 'GPL',
    insns: [mov64Imm(0, 0), exit()],
    maps: [],
  });
  const link = machine.attach(program, { kind: 'kprobe', symbol: SYMBOL, offset: 0 });
  const start = performance.now();
  new V86Session(host).run(`hot ${calls}`);
  const seconds = (performance.now() - start) / 1e3;
  const { seen } = link.ledgerRow();
  machine.close();
  if (seen !== calls) throw new Error(`${seen} of ${calls} hits`);
  return seen / seconds;
}

async function ratesInChromium(
  guest: { readonly parts: V86Parts; readonly saved: Uint8Array },
  calls: number,
): Promise<GuestRates> {
  const chromium = localChromium();
  if ('unavailable' in chromium) return { host: 'v86, i686, Chromium', unavailable: chromium.unavailable };
  const browser = await chromium.launch();
  try {
    const page = await GuestPage.open(browser, guest);
    const { rates } = await page.run('restoreAndCount', 100, calls);
    await page.close();
    return { host: 'v86, i686, Chromium', rounds: rates.map(({ perSecond }) => perSecond) };
  } finally {
    await browser.close();
  }
}
