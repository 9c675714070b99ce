import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';

const root = new URL('../../', import.meta.url);

/** Where the modules that pages ask for are: the built package, and what tests run in the page. */
const places: readonly (readonly [prefix: string, directory: string])[] = [
  ['/src/', 'dist/'],
  ['/test/', '.cache/browser/test/'],
  ['/eventemitter3.js', 'node_modules/eventemitter3/dist/eventemitter3.esm.js'],
];

const PAGE = `<!doctype html>
<title>kscope</title>
<script type="importmap" nonce="kscope">{ "imports": { "eventemitter3": "/eventemitter3.js" } }</script>
<script type="module" src="/start.js"></script>`;

/** Puts what the page can do where tests find it. */
const START = `import * as page from '/test/browser/page.js';
globalThis.kscope = page;`;

/** One page, under a path, with the headers that it is to be served with. */
export interface ServedPage {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Serves pages and plain ES modules to this machine only. The modules come with what isolated pages ask of them. */
export async function serve(
  pages: readonly ServedPage[],
): Promise<{ readonly origin: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    void answer(request.url ?? '/', pages, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { origin: `http://127.0.0.1:${address.port}`, server };
}

async function answer(path: string, pages: readonly ServedPage[], response: ServerResponse): Promise<void> {
  const page = pages.find((each) => each.path === path);
  if (page !== undefined) {
    response.writeHead(200, { 'content-type': 'text/html', ...page.headers }).end(PAGE);
    return;
  }
  try {
    const body = path === '/start.js' ? START : await readFile(fileOf(path));
    response
      .writeHead(200, { 'content-type': 'text/javascript', 'cross-origin-resource-policy': 'same-origin' })
      .end(body);
  } catch {
    response.writeHead(404).end();
  }
}

function fileOf(path: string): URL {
  const place = places.find(([prefix]) => path.startsWith(prefix));
  if (place === undefined) throw new Error(`nothing is served at ${path}`);
  return new URL(place[1] + path.slice(place[0].length), root);
}
