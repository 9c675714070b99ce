import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clangVersion } from '../oracle/clang.js';
import { describeWith } from '../oracle/describe-with.js';

/** Debian's clang-19 and libbpf's headers made the committed objects; without them there is nothing to compare with. */
const hasTools = clangVersion() !== undefined && existsSync('/usr/include/bpf/bpf_helpers.h');
const tools = hasTools ? {} : { unavailable: 'clang-19 or libbpf-dev is missing' };

const objects = readdirSync('examples').filter((name) => name.endsWith('.bpf.o'));

describeWith('examples/build.sh', tools, () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kscope-examples-'));
    cpSync('examples', folder, { recursive: true, filter: (path) => !path.endsWith('.o') });
    const { status, stderr } = spawnSync('sh', [join(folder, 'build.sh')], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('makes the committed objects and no others', () => {
    expect(readdirSync(folder).filter((name) => name.endsWith('.o'))).toEqual(objects);
  });

  it.each(objects)('makes %s byte for byte', (name) => {
    expect(readFileSync(join(folder, name)).equals(readFileSync(join('examples', name)))).toBe(true);
  });
});
