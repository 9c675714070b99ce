import { spawnSync } from 'node:child_process';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../oracle/describe-with.js';
import { readGolden } from '../oracle/golden.js';
import { worldSeeds } from '../runtime/interp/generator/world-seeds.js';
import { localChromium } from './chromium.js';
import type * as pageModule from './page.js';
import { serve, type ServedPage } from './serve.js';

/** KSCOPE_DIFF_PROGRAMS is for all lanes that generate programs; KSCOPE_DIFF_SEED repeats one. */
const PROGRAMS = Math.min(Number(process.env['KSCOPE_DIFF_PROGRAMS'] ?? 500), 20_000);
const SEED = Number(process.env['KSCOPE_DIFF_SEED'] ?? Date.now() & 0x7fff_ffff);
/** Of the machine on which the worlds were recorded. */
const RECORDED_CPUS = 2;
const recorded = readGolden(new URL('../testdata/runtime/jit/worlds.txt', import.meta.url)).lines;

/** Shared memory is for isolated pages only. */
const isolated: ServedPage = {
  path: '/isolated',
  headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
};
/** No compiling, neither of JavaScript from strings nor of WebAssembly. */
const strict: ServedPage = {
  path: '/strict',
  headers: { 'content-security-policy': "default-src 'none'; script-src 'self' 'nonce-kscope'" },
};

/** What page.ts exports, as the page holds it. */
interface InPage {
  readonly kscope: typeof pageModule;
}

describeWith('in Chromium', localChromium(), ({ launch }) => {
  let browser: Browser;
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    compilePage();
    ({ origin, server } = await serve([isolated, strict]));
    browser = await launch();
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    server.close();
  });

  async function open({ path }: ServedPage): Promise<Page> {
    const page = await browser.newPage();
    const failures: string[] = [];
    page.on('pageerror', (error) => failures.push(error.message));
    await page.goto(origin + path);
    await page.waitForFunction('globalThis.kscope !== undefined', undefined, { timeout: 30_000 }).catch(() => {
      throw new Error(`the page does not start: ${failures.join('; ')}`);
    });
    return page;
  }

  test.each([
    ['interp', false],
    ['interp', true],
    ['jit', false],
    ['jit', true],
    ['jit, everything proved', false],
  ] as const)('%s, shared memory %s: recorded worlds are left as the kernel left them', async (engine, shared) => {
    const page = await open(isolated);
    const different = await page.evaluate(
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- put there by the page's own script
      (args) => (globalThis as unknown as InPage).kscope.replay(args.recorded, args.engine, args.cpus, args.shared),
      { recorded, engine, cpus: RECORDED_CPUS, shared },
    );
    expect(different).toEqual([]);
    await page.close();
  });

  test.each([
    ['jit', false],
    ['jit', true],
    ['jit, everything proved', false],
  ] as const)(
    `%s, shared memory %s: ${PROGRAMS} generated worlds are left as the interpreter leaves them`,
    { timeout: 3_600_000 },
    async (engine, shared) => {
      process.stdout.write(`generated worlds in Chromium: ${PROGRAMS}, KSCOPE_DIFF_SEED=${SEED}\n`);
      const seeds = fc.sample(worldSeeds, { numRuns: PROGRAMS, seed: SEED });
      const page = await open(isolated);
      for (let at = 0; at < seeds.length; at += 500) {
        const part = seeds.slice(at, at + 500);
        const different = await page.evaluate(
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- put there by the page's own script
          (args) => (globalThis as unknown as InPage).kscope.compare(args.part, args.engine, args.shared),
          { part, engine, shared },
        );
        expect(different.map((position) => JSON.stringify(part[position]))).toEqual([]);
      }
      await page.close();
    },
  );

  test('where compiling is denied the interpreter serves, and says why', async () => {
    const page = await open(strict);
    const { choice, different } = await page.evaluate(
      (args) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- put there by the page's own script
        const { kscope } = globalThis as unknown as InPage;
        return { choice: kscope.choice(), different: kscope.replay(args.recorded, 'chosen', args.cpus, false) };
      },
      { recorded, cpus: RECORDED_CPUS },
    );
    expect(choice.name).toBe('interp');
    expect(choice.reason).toMatch(/^WebAssembly may not be compiled here: .*Content Security Policy/);
    expect(different).toEqual([]);
    await page.close();
  });

  test('elsewhere programs are compiled', async () => {
    const page = await open(isolated);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- put there by the page's own script
    expect(await page.evaluate(() => (globalThis as unknown as InPage).kscope.choice())).toEqual({ name: 'jit' });
    await page.close();
  });
});

/** Makes JavaScript of what runs in the page; the package itself is served as it was built. */
function compilePage(): void {
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace(/package\.json$/, 'bin/tsc');
  const project = new URL('tsconfig.json', import.meta.url).pathname;
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the page cannot be compiled:\n${stdout}`);
}
