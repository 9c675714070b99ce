import { describe, expect, it } from 'vitest';
import type { BpfError } from '../../src/base/index.js';
import { BpfFs } from '../../src/runtime/index.js';

/** Something that counts who refers to it. */
class Counted {
  readonly name = 'counted';
  references = 0;

  retain(): void {
    this.references++;
  }

  release(): void {
    this.references--;
  }
}

function filled(): { bpffs: BpfFs; object: Counted } {
  const bpffs = new BpfFs();
  const object = new Counted();
  bpffs.mkdir('/sys/fs/bpf/dir');
  bpffs.pin('/sys/fs/bpf/map', object);
  bpffs.pin('/sys/fs/bpf/dir/map', object);
  return { bpffs, object };
}

describe('a bpffs', () => {
  it('keeps what is pinned, once for each name', () => {
    const { bpffs, object } = filled();
    expect(object.references).toBe(2);
    expect(bpffs.get('/sys/fs/bpf/dir/map')).toBe(object);
    expect(bpffs.list()).toEqual(['dir', 'map']);
    bpffs.unlink('/sys/fs/bpf/map');
    expect(object.references).toBe(1);
    bpffs.clear();
    expect(object.references).toBe(0);
    expect(bpffs.list()).toEqual([]);
  });

  it.each<[what: string, act: (bpffs: BpfFs, object: Counted) => unknown, code: string]>([
    ['pinning where something is', (fs, object) => fs.pin('/sys/fs/bpf/map', object), 'EEXIST'],
    ['pinning where a directory is', (fs, object) => fs.pin('/sys/fs/bpf/dir', object), 'EEXIST'],
    ['pinning without a directory', (fs, object) => fs.pin('/sys/fs/bpf/no/map', object), 'ENOENT'],
    ['pinning below a map', (fs, object) => fs.pin('/sys/fs/bpf/map/map', object), 'ENOTDIR'],
    ['pinning elsewhere', (fs, object) => fs.pin('/tmp/map', object), 'EPERM'],
    ['pinning next to the root', (fs, object) => fs.pin('/sys/fs/bpfmap', object), 'EPERM'],
    ['pinning a name with dots', (fs, object) => fs.pin('/sys/fs/bpf/a.b', object), 'EPERM'],
    ['pinning a long name', (fs, object) => fs.pin(`/sys/fs/bpf/${'a'.repeat(256)}`, object), 'ENAMETOOLONG'],
    ['pinning at the root', (fs, object) => fs.pin('/sys/fs/bpf', object), 'EPERM'],
    ['getting what is not there', (fs) => fs.get('/sys/fs/bpf/no'), 'ENOENT'],
    ['getting a directory', (fs) => fs.get('/sys/fs/bpf/dir'), 'EACCES'],
    ['unlinking what is not there', (fs) => fs.unlink('/sys/fs/bpf/no'), 'ENOENT'],
    ['unlinking a directory', (fs) => fs.unlink('/sys/fs/bpf/dir'), 'EISDIR'],
    ['making a directory twice', (fs) => fs.mkdir('/sys/fs/bpf/dir'), 'EEXIST'],
    ['removing a directory with something in it', (fs) => fs.rmdir('/sys/fs/bpf/dir'), 'ENOTEMPTY'],
    ['removing a map as a directory', (fs) => fs.rmdir('/sys/fs/bpf/map'), 'ENOTDIR'],
    ['listing a map', (fs) => fs.list('/sys/fs/bpf/map'), 'ENOTDIR'],
  ])('%s', (_what, act, code) => {
    const { bpffs, object } = filled();
    let answer = 'ok';
    try {
      act(bpffs, object);
    } catch (error) {
      answer = (error as BpfError).code;
    }
    expect(answer).toBe(code);
    expect(object.references).toBe(2);
  });
});
