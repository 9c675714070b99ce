import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWith } from '../../oracle/describe-with.js';

const script = fileURLToPath(new URL('../../../scripts/build-sim-image.mjs', import.meta.url));
const tools = ['clang-19', 'ld.lld-19', 'llvm-objcopy-19', 'llvm-nm-19', 'pahole'];
const missing = tools.filter((tool) => spawnSync(tool, ['--version']).status !== 0);

describeWith('the kernel image', missing.length > 0 ? { unavailable: `no ${missing.join(', ')}` } : { script }, () => {
  it('is committed as its sources give it', () => {
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
