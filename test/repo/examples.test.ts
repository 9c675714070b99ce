import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Debian's clang-19 made the committed objects; where it is missing there is nothing to compare with. */
const missing = ['clang-19', 'llvm-strip-19'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
const required = process.env['KSCOPE_REQUIRE_ORACLES'] === '1';
if (missing.length > 0) console.log(`examples are not rebuilt: no ${missing.join(', ')}`);

const objects = readdirSync('examples').filter((name) => name.endsWith('.bpf.o'));

describe.skipIf(missing.length > 0 && !required)('examples/build.sh', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kscope-examples-'));
    cpSync('examples', folder, { recursive: true, filter: (path) => !path.endsWith('.o') });
    const { status, stderr } = spawnSync('sh', [join(folder, 'build.sh')], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('makes the committed objects and no others', () => {
    expect(readdirSync(folder).filter((name) => name.endsWith('.o'))).toEqual(objects);
  });

  it.each(objects)('makes %s byte for byte', (name) => {
    expect(readFileSync(join(folder, name)).equals(readFileSync(join('examples', name)))).toBe(true);
  });
});
