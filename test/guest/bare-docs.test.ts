import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { describeWith } from '../oracle/describe-with.js';
import { bareKernel } from './kernel/bare-kernel.js';

/** In the package's folder: the program imports the package by its name. */
const scratch = join('.cache', 'docs-guest');
const PRINTS = '// prints: ';

describeWith('docs/qemu.md: a kernel of one’s own', bareKernel('riscv64'), (kernel) => {
  const text = readFileSync('docs/qemu.md', 'utf8');
  const [, code = ''] = /^## A kernel of one's own\n[^]*?^```js\n([^]*?)^```$/m.exec(text) ?? [];

  beforeAll(() => {
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { stdio: 'pipe' });
  }, 300_000);

  it('prints what the documentation says', { timeout: 120_000 }, () => {
    const expected = code.split('\n').filter((line) => line.startsWith(PRINTS));
    expect(expected.length).toBeGreaterThan(0);
    mkdirSync(scratch, { recursive: true });
    const program = join(scratch, 'own-kernel.mjs');
    writeFileSync(program, code);
    const printed = execFileSync(process.execPath, [program, kernel.path], { encoding: 'utf8', timeout: 100_000 });
    expect(printed.trimEnd().split('\n')).toEqual(expected.map((line) => line.slice(PRINTS.length)));
  });
});
