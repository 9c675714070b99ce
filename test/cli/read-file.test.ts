import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFile } from '../../src/cli/read-file.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kscope-read-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('readFile', () => {
  it('gives the bytes of a file and of a device', () => {
    const path = join(folder, 'three');
    writeFileSync(path, Uint8Array.of(1, 2, 3));
    expect([...readFile(path)]).toEqual([1, 2, 3]);
    expect(readFile('/dev/null')).toHaveLength(0);
  });

  it('refuses a file beyond 2 GiB before it reads it', () => {
    const path = join(folder, 'sparse');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 31);
    expect(() => readFile(path)).toThrow(/sparse .*2147483648.*EFBIG; 2147483647 bytes are the limit/);
  });

  it('does not read on where there is no end', () => {
    expect(() => readFile('/dev/zero')).toThrow(/\/dev\/zero .*EFBIG/);
  });

  it.each([
    ['nothing', 'nowhere', 'ENOENT'],
    ['a folder', '.', 'EISDIR'],
  ])('of %s says so', (_, path, code) => {
    expect(() => readFile(path)).toThrow(expect.objectContaining({ code, syscall: expect.any(String) as string }));
  });
});
