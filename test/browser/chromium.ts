import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where distributions put it. KSCOPE_CHROMIUM names another. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];

/** How to start the Chromium of this machine, or why that cannot be. */
export function localChromium(): { launch(): Promise<Browser> } | { readonly unavailable: string } {
  const named = process.env['KSCOPE_CHROMIUM'];
  const executablePath = named ?? PLACES.find((path) => existsSync(path));
  if (executablePath === undefined) return { unavailable: 'Chromium is not installed (package chromium)' };
  const { status, error } = spawnSync(executablePath, ['--version']);
  if (status !== 0) return { unavailable: `${executablePath} does not start: ${error?.message ?? `status ${status}`}` };
  // Root has no sandbox there.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return { launch: () => chromium.launch({ executablePath, args }) };
}
