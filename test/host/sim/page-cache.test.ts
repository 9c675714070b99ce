import { describe, expect, it } from 'vitest';
import { hi32, lo32 } from '../../../src/base/index.js';
import { createSim, JournalKind as Kind, type SimHost, type SimOptions } from '../../../src/host/sim/index.js';
import { kernelSymbol, runToEnd } from './kernel-machine.js';

const PAGE = 4096;
const PAGES = 40;
const BIG = '/etc/big';
const NodeStat = { INACTIVE_FILE: 2, ACTIVE_FILE: 3, FILE_PAGES: 6, FILE_DIRTY: 7 } as const;

function ended(options: SimOptions): SimHost {
  const host = createSim({ seed: 2, files: { [BIG]: new Uint8Array(PAGES * PAGE).fill(7) }, ...options });
  expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
  return host;
}

function nodeStat(host: SimHost, item: number): number {
  const address = kernelSymbol(host, 'vm_node_stat').address + BigInt(8 * item);
  const bytes = new Uint8Array(8);
  expect(host.memory.readKernel(lo32(address), hi32(address), bytes, 0, 8)).toBe(true);
  return Number(new DataView(bytes.buffer).getBigUint64(0, true));
}

/** The inode of the big file: the one that op reads. */
function inodeOf(host: SimHost): bigint {
  const [read] = [...host.journal.entries(Kind.READ)].filter(({ c }) => c === BigInt(PAGE));
  return read?.b ?? 0n;
}

/** First page and length of each window of the big file. */
function windows(host: SimHost): number[][] {
  const inode = inodeOf(host);
  return [...host.journal.entries(Kind.READAHEAD)]
    .filter(({ b }) => b === inode)
    .map(({ c, d }) => [Number(c), Number(d)]);
}

const ALL = 'read:65536 read:65536 read:65536';
const reads = (count: number): string => Array.from({ length: count }, () => `read:${PAGE}`).join(' ');

describe('the page cache', () => {
  it('reads ahead of who reads on, in windows that double', () => {
    const host = ended({ script: `op open:${BIG} ${reads(13)}` });
    expect(windows(host)).toEqual([
      [0, 4],
      [4, 8],
      [12, 16],
      [28, 32],
    ]);
  });

  it('reads what was asked for, where the reader jumps about', () => {
    const jumps = [20, 3, 31].map((page) => `lseek:${page * PAGE} read:${PAGE}`).join(' ');
    expect(windows(ended({ script: `op open:${BIG} ${jumps}` }))).toEqual([
      [20, 1],
      [3, 1],
      [31, 1],
    ]);
  });

  it('reads around the address where a program faults', () => {
    const host = ended({ script: `op open:${BIG} map:24` });
    const around = [...host.journal.entries(Kind.READAHEAD)].filter(({ d }) => d === 32n);
    expect(around.map(({ c }) => c)).toEqual([24n - 16n]);
  });

  it('has all pages of files on its two lists: used once inactive, used again active', () => {
    const once = ended({ script: `op open:${BIG} ${ALL}` });
    const twice = ended({ script: `op open:${BIG} ${ALL} lseek:0 ${ALL}` });
    for (const host of [once, twice]) {
      const pages = nodeStat(host, NodeStat.FILE_PAGES);
      expect(nodeStat(host, NodeStat.INACTIVE_FILE) + nodeStat(host, NodeStat.ACTIVE_FILE)).toBe(pages);
      const count = (kind: number): number => [...host.journal.entries(kind)].length;
      expect(count(Kind.PAGE_CACHE_ADD) - count(Kind.PAGE_CACHE_DELETE)).toBe(pages);
    }
    const active = (host: SimHost): number => nodeStat(host, NodeStat.ACTIVE_FILE);
    expect(active(twice) - active(once)).toBe(PAGES);
  });

  it('counts a page as used once, however small the pieces that it is read in', () => {
    const host = ended({ script: `op open:${BIG} ${reads(1)} ${'read:1024 '.repeat(8)}` });
    const cached = new Set(
      [...host.journal.entries(Kind.PAGE_CACHE_ADD)].filter(({ b }) => b === inodeOf(host)).map(({ a }) => a),
    );
    const used = [...host.journal.entries(Kind.PAGE_ACCESSED)].filter(({ b }) => cached.has(b));
    expect(used.length).toBe(3);
  });

  it('has as many dirty pages as were made dirty and not yet written', () => {
    const host = ended({ script: 'op create:/tmp/w write:20000 fsync lseek:0 write:9000 lseek:0 write:10' });
    const [dirtied, buffers] = [Kind.DIRTY_FOLIO, Kind.BUFFER_DIRTY].map(
      (kind) => [...host.journal.entries(kind)].length,
    );
    // The script itself was written at boot.
    expect([dirtied, buffers]).toEqual([1 + 5 + 3, 1 + 5 + 3 + 1]);
    expect(nodeStat(host, NodeStat.FILE_DIRTY)).toBe(1 + 3);
  });
});
