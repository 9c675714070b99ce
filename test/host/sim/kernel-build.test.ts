import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../../scripts/build-sim-image.mjs', import.meta.url));
const tools = ['clang-19', 'ld.lld-19', 'llvm-objcopy-19', 'llvm-nm-19', 'pahole'];
const missing = tools.filter((tool) => spawnSync(tool, ['--version']).status !== 0);
const required = process.env['KSCOPE_REQUIRE_ORACLES'] !== undefined;

test.skipIf(missing.length > 0 && !required)(
  `the committed image is what its sources give (missing: ${missing.join(' ') || 'no tool'})`,
  () => {
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  },
);
