import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Package {
  readonly type: string;
  readonly license: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const manifest = readJson('package.json') as Package;

/** Both tools look at what npm packs. */
const SLOW = 300_000;

/** Folders with an index.ts of their own: each is one layer. */
const layers = [
  ...readdirSync('src'),
  'host/sim',
  'host/guest',
  'host/qemu',
  'host/qemu/node',
  'host/v86',
  'host/v86/node',
].filter((name) => existsSync(join('src', name, 'index.ts')));

describe('the package', () => {
  it('is ESM only, without a CommonJS entry', () => {
    expect(manifest.type).toBe('module');
    const conditions = Object.values(manifest.exports).flatMap((target) => Object.keys(Object(target) as object));
    expect(conditions).not.toContain('require');
  });

  it.each(layers)('exports the layer %s by a subpath of its name', (layer) => {
    expect(manifest.exports[`./${layer}`]).toEqual({
      types: `./dist/${layer}/index.d.ts`,
      default: `./dist/${layer}/index.js`,
    });
  });

  it('builds the command when it is installed', () => {
    expect(manifest.scripts['prepare']).toBe('tsc -b');
    expect(manifest.bin).toEqual({ kscope: './dist/cli/main.js' });
    expect(readFileSync('src/cli/main.ts', 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it('depends on eventemitter3 and nothing else', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(['eventemitter3']);
  });

  it('pins each of its tools to one version', () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('holds what the build made, not what the compiler noted for the next one', { timeout: SLOW }, () => {
    const [{ files }] = JSON.parse(run('npm', ['pack', '--ignore-scripts', '--dry-run', '--json'])) as [
      { readonly files: readonly { readonly path: string }[] },
    ];
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['dist/cli/main.js', 'dist/base/index.d.ts', 'README.md', 'LICENSE']));
    expect(paths.filter((path) => path.includes('tsbuildinfo'))).toEqual([]);
  });

  it('publint finds nothing', { timeout: SLOW }, () => {
    run('node_modules/.bin/publint', ['--strict']);
  });

  it('are-the-types-wrong finds nothing', { timeout: SLOW }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'kscope-package-'));
    try {
      const packed = run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]).trim();
      run('node_modules/.bin/attw', [join(folder, packed), '--profile', 'esm-only', '--no-color']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the repository', () => {
  it('keeps registry addresses out of the lock', () => {
    expect(readFileSync('.npmrc', 'utf8')).toContain('omit-lockfile-registry-resolved=true');
    expect(readFileSync('package-lock.json', 'utf8')).not.toMatch(/"resolved"/);
  });

  it.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'LICENSE'])('has %s', (file) => {
    expect(readFileSync(file, 'utf8').length).toBeGreaterThan(100);
  });

  it('is under the MIT licence', () => {
    expect(manifest.license).toBe('MIT');
    expect(readFileSync('LICENSE', 'utf8')).toMatch(/^MIT License\n/);
  });

  it('describes its architecture on one page', () => {
    expect(readFileSync('ARCHITECTURE.md', 'utf8').split('\n').length).toBeLessThanOrEqual(100);
  });

  it.each(layers)('src/%s has a tsconfig of its own, which the build refers to', (layer) => {
    const build = readJson('tsconfig.json') as { references: { path: string }[] };
    expect(build.references.map(({ path }) => path)).toContain(`src/${layer}`);
    const config = readJson(join('src', layer, 'tsconfig.json')) as { compilerOptions?: { composite?: boolean } };
    const base = readJson('tsconfig.base.json') as { compilerOptions: { composite?: boolean } };
    expect(config.compilerOptions?.composite ?? base.compilerOptions.composite).toBe(true);
  });

  it.each([
    ['the README commands', /npm install && npm run demo.*npm install && npm test/s],
    ['types', /npm run typecheck/],
    ['lint and format', /npm run lint/],
    ['what is published', /publint --strict.*attw --pack/s],
    ['the oracles', /KSCOPE_REQUIRE_ORACLES=1/],
  ])('.ci/run checks %s', (_what, command) => {
    expect(readFileSync('.ci/run', 'utf8')).toMatch(command);
  });
});

/** What a command that has to succeed prints. */
function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  expect(status, `${stdout}${stderr}`).toBe(0);
  return stdout;
}
