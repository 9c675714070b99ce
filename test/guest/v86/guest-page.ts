import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type * as pageModule from './page.js';
import { packageRoot } from './state-file.js';
import type { V86Parts } from '../../../src/host/v86/index.js';

/** Where the modules that the page asks for are: the built package, what tests run in the page, v86. */
const PLACES: readonly (readonly [prefix: string, directory: string])[] = [
  ['/src/', 'dist/'],
  ['/test/', '.cache/guest-page/test/'],
  ['/v86/', 'node_modules/v86/build/'],
  ['/eventemitter3.js', 'node_modules/eventemitter3/dist/eventemitter3.esm.js'],
];
const PAGE = `<!doctype html>
<title>kscope</title>
<script type="importmap">{ "imports": { "eventemitter3": "/eventemitter3.js" } }</script>
<script type="module">
import * as page from '/test/guest/v86/page.js';
globalThis.kscope = page;
</script>`;

/** What page.ts exports, as the page holds it. */
interface InPage {
  readonly kscope: typeof pageModule;
}

type PageFunction = 'restoreAndCount' | 'bootAndCount';

/** What is served to it. */
export interface ServedGuest {
  readonly parts: V86Parts;
  readonly saved: Uint8Array;
  /** For `bootAndCount`. */
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
}

/** A page that has kscope, v86 and a guest: plain HTTP, no headers that would isolate it. */
export class GuestPage {
  readonly #page: Page;
  readonly #server: Server;

  private constructor(page: Page, server: Server) {
    this.#page = page;
    this.#server = server;
  }

  static async open(browser: Browser, { parts, saved, kernel, initrd }: ServedGuest): Promise<GuestPage> {
    compilePage();
    const files = new Map<string, Uint8Array>([
      ['/kernel', kernel ?? new Uint8Array()],
      ['/initrd', initrd ?? new Uint8Array()],
      ['/state', saved],
      ['/bios.bin', parts.bios],
      ['/vgabios.bin', parts.vgaBios],
    ]);
    const server = await serve(files);
    const page = await browser.newPage();
    const failures: string[] = [];
    page.on('pageerror', (error) => failures.push(error.message));
    await page.goto(originOf(server));
    await page.waitForFunction('globalThis.kscope !== undefined', undefined, { timeout: 30_000 }).catch(() => {
      throw new Error(`the page does not start: ${failures.join('; ')}`);
    });
    return new GuestPage(page, server);
  }

  /** Calls one of page.ts's functions in the page. */
  run(name: PageFunction, opens: number, calls: number): Promise<pageModule.PageCounts> {
    return this.#page.evaluate(
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- put there by the page's own script
      (args) => (globalThis as unknown as InPage).kscope[args.name](args.opens, args.calls),
      { name, opens, calls },
    );
  }

  #call(name: 'prepare' | 'restore'): Promise<void> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- put there by the page's own script
    return this.#page.evaluate((what) => (globalThis as unknown as InPage).kscope[what](), name);
  }

  /** Milliseconds of the page's main thread that restoring the state takes, best of three. */
  async restoreMs(): Promise<number> {
    const metrics = await this.#page.context().newCDPSession(this.#page);
    await metrics.send('Performance.enable', { timeDomain: 'threadTicks' });
    const busy = async (): Promise<number> => {
      const found = await metrics.send('Performance.getMetrics');
      return 1e3 * (found.metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN);
    };
    await this.#call('prepare');
    let best = Infinity;
    for (let i = 0; i < 3; i++) {
      const before = await busy();
      await this.#call('restore');
      best = Math.min(best, (await busy()) - before);
    }
    return best;
  }

  async close(): Promise<void> {
    await this.#page.close();
    this.#server.close();
  }
}

async function serve(files: ReadonlyMap<string, Uint8Array>): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const type = path === '/' ? 'text/html' : /\.m?js$/.test(path) ? 'text/javascript' : 'application/octet-stream';
    void bodyOf(path, files).then(
      (body) => response.writeHead(200, { 'content-type': type }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function bodyOf(path: string, files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array | string> {
  if (path === '/') return PAGE;
  const place = PLACES.find(([prefix]) => path.startsWith(prefix));
  return files.get(path) ?? readFile(join(packageRoot, (place?.[1] ?? '') + path.slice(place?.[0].length ?? 0)));
}

function originOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}/`;
}

/** Makes JavaScript of what runs in the page; the package itself is served as it was built. */
function compilePage(): void {
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace(/package\.json$/, 'bin/tsc');
  const project = join(packageRoot, 'test/guest/v86/tsconfig.json');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the page cannot be compiled:\n${stdout}`);
}
