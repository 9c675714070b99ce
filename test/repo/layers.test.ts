import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Every layer with the layers it may import. What is not listed is forbidden, and the compiler must say so. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  arch: ['base'],
  btf: ['base'],
  host: ['base', 'arch', 'btf'],
  'host/sim': ['base', 'arch', 'btf', 'host'],
  'host/guest': ['base', 'arch', 'btf', 'host'],
  'host/qemu': ['base', 'arch', 'btf', 'host', 'host/guest'],
  'host/v86': ['base', 'arch', 'btf', 'host', 'host/guest'],
  runtime: ['base', 'arch', 'btf', 'host'],
  tracepoint: ['base', 'arch', 'btf', 'host', 'runtime'],
  kprobe: ['base', 'arch', 'btf', 'host', 'runtime'],
  perf: ['base', 'arch', 'btf', 'host', 'runtime'],
  rawtp: ['base', 'arch', 'btf', 'host', 'runtime', 'tracepoint'],
  iter: ['base', 'arch', 'btf', 'host', 'runtime'],
  machine: ['base', 'arch', 'btf', 'host', 'runtime', 'tracepoint', 'kprobe', 'perf', 'rawtp', 'iter'],
  loader: ['base', 'arch', 'btf', 'host', 'runtime', 'tracepoint', 'kprobe', 'perf', 'rawtp', 'iter', 'machine'],
  export: ['base', 'btf'],
  testing: ['base', 'arch', 'btf', 'host'],
};
const LAYERS = [...Object.keys(MAY_IMPORT), 'cli'];
const PROBE = 'forbidden-import-probe.ts';

type ImportForm = {
  readonly name: string;
  /** One line that exports what it imports as `x`. */
  readonly statement: (x: string, from: string, target: string) => string;
};

const FORMS: readonly ImportForm[] = [
  { name: 'by relative path', statement: (x, from, to) => `export * as ${x} from '${relativePath(from, to)}';` },
  { name: 'by package name', statement: (x, _from, to) => `export * as ${x} from 'kscope/${to}';` },
  { name: 'type-only', statement: (x, from, to) => `export type * as ${x} from '${relativePath(from, to)}';` },
  { name: 'type-only by package name', statement: (x, _from, to) => `export type * as ${x} from 'kscope/${to}';` },
  { name: 'dynamically', statement: (x, from, to) => `export const ${x} = import('${relativePath(from, to)}');` },
];

const NODE_FORMS = [
  `export * as x from 'node:fs';`,
  `export type * as x from 'node:fs';`,
  `export * as x from 'fs';`,
  `export const x = process.pid;`,
  `export const x = new Map<number, Buffer>();`,
  `export const x = document;`,
  `export const x = setTimeout;`,
];

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kscope-layers-'));
  for (const entry of ['package.json', 'tsconfig.json', 'tsconfig.base.json', 'src']) {
    cpSync(entry, join(root, entry), { recursive: true });
  }
  symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'));
  compile('-b');
}, 300_000);

afterAll(() => rmSync(root, { recursive: true, force: true }), 60_000);

describe.each(LAYERS.filter((layer) => layer !== 'cli'))('layer %s', (layer) => {
  const forbidden = LAYERS.filter(
    (target) => target !== layer && target !== 'cli' && !MAY_IMPORT[layer]?.includes(target),
  );
  let ofNames = '';

  // All names at once, a line each. Imports are not: the compiler tells of a file that does not belong once.
  beforeAll(() => {
    ofNames = compileWith(layer, NODE_FORMS.map((statement, i) => statement.replace(' x ', ` x${i} `)).join('\n'));
  }, 60_000);

  it.each(FORMS)('cannot import a higher layer $name', ({ statement }) => {
    const output = compileWith(layer, forbidden.map((target, i) => statement(`x${i}`, layer, target)).join('\n'));
    const refused = forbidden.filter((_target, i) => output.includes(`${PROBE}(${i + 1},`));
    expect(refused, output).toEqual(forbidden);
  });

  it.each(NODE_FORMS)('cannot name what only Node or a browser has: %s', (statement) => {
    expect(ofNames).toMatch(new RegExp(`${PROBE}\\(${NODE_FORMS.indexOf(statement) + 1},\\d+\\): error TS`));
  });

  it('compiles without them', () => {
    expect(compileWith(layer, 'export const x = 1;')).toBe('');
  });
});

function relativePath(from: string, to: string): string {
  return `${relative(join('src', from), join('src', to))}/index.js`;
}

function compileWith(layer: string, statement: string): string {
  const probe = join(root, 'src', layer, PROBE);
  writeFileSync(probe, `${statement}\n`);
  try {
    return compile('--noEmit', '-p', join('src', layer));
  } finally {
    rmSync(probe);
  }
}

function compile(...args: string[]): string {
  const tsc = join('node_modules/typescript', 'bin', 'tsc');
  try {
    execFileSync(process.execPath, [tsc, ...args], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
