import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const files = ['README.md', 'docs/guests.md'];

/** Commands on guests, as the documents have them, each once; `guest up` and what is said while it is up: cli.test.ts. */
const commands = [
  ...new Set(
    files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^```\n([^]*?)^```$/gm)]
        .flatMap(([, block]) => block.split('\n'))
        .filter((line) => line.startsWith('kscope ') && line.includes('--host ')),
    ),
  ),
];

describe('documented commands on guests', () => {
  it('are there', () => expect(commands.length).toBeGreaterThan(3));

  it.each(commands)('%s', { timeout: 120_000 }, (command) => {
    const shell = command.replace(/^kscope /, 'node dist/cli/main.js ');
    const { stdout, stderr, status } = spawnSync('sh', ['-c', shell], { encoding: 'utf8', timeout: 110_000 });
    expect(status, stderr).toBe(0);
    expect(stdout.trim()).not.toBe('');
  });
});
