import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cpioArchive } from '../../../src/cli/guest/cpio-archive.js';
import { describeWith } from '../../oracle/describe-with.js';

const archive = cpioArchive([
  { kind: 'folder', name: 'dev' },
  { kind: 'device', name: 'dev/console', major: 5, minor: 1 },
  { kind: 'file', name: 'init', data: Uint8Array.from({ length: 1001 }, (_, i) => i), executable: true },
  { kind: 'file', name: 'empty', data: new Uint8Array() },
  { kind: 'link', name: 'linked', target: 'init' },
]);

const cpio =
  spawnSync('cpio', ['--version']).status === 0 ? { program: 'cpio' } : { unavailable: 'cpio is not installed' };

describeWith('an initramfs', cpio, ({ program }) => {
  it('is read by cpio as what was put in', () => {
    const { stdout, stderr, status } = spawnSync(program, ['-itv', '--quiet'], { input: archive, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(
      lines.map((line) => `${line.split(/\s+/)[0]} ${/(?:dev\S*|init|empty|linked)(?: -> .*)?$/.exec(line)?.[0]}`),
    ).toEqual([
      'drwxr-xr-x dev',
      'crw------- dev/console',
      '-rwxr-xr-x init',
      '-rw-r--r-- empty',
      'lrwxrwxrwx linked -> init',
    ]);
    expect(lines[1]).toContain('5,   1');
  });

  it('holds the bytes of its files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kscope-cpio-'));
    try {
      const { status } = spawnSync(program, ['-i', '--quiet', 'init', 'empty'], { input: archive, cwd: folder });
      expect(status).toBe(0);
      expect([...readFileSync(join(folder, 'init'))]).toEqual(Array.from({ length: 1001 }, (_, i) => i & 255));
      expect(readFileSync(join(folder, 'empty'))).toHaveLength(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
