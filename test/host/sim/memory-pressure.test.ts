import { beforeAll, describe, expect, it } from 'vitest';
import { hi32, lo32 } from '../../../src/base/index.js';
import { createSim, JournalKind as Kind, type SimHost } from '../../../src/host/sim/index.js';
import { kernelSymbol, pidOf, runToEnd, signed } from './kernel-machine.js';
import { startTracing, type TracepointHit } from './sim-fixture.js';

const SIGKILL = 9n;
const EVENTS = [
  'mm_vmscan_direct_reclaim_begin',
  'mm_vmscan_direct_reclaim_end',
  'mm_vmscan_wakeup_kswapd',
  'mm_vmscan_kswapd_wake',
  'mm_vmscan_kswapd_sleep',
  'mm_vmscan_lru_shrink_inactive',
  'mark_victim',
];

function word(host: SimHost, symbol: string): number {
  const { address } = kernelSymbol(host, symbol);
  const bytes = new Uint8Array(8);
  expect(host.memory.readKernel(lo32(address), hi32(address), bytes, 0, 8)).toBe(true);
  return Number(new DataView(bytes.buffer).getBigUint64(0, true));
}

describe('a machine whose memory is all asked for', () => {
  let host: SimHost;
  const hits: TracepointHit[] = [];
  const of = (event: string): TracepointHit[] => hits.filter(({ name }) => name === event);
  const journal = (kind: number) => [...host.journal.entries(kind)];

  beforeAll(() => {
    host = createSim({ workload: 'memory', seed: 3 });
    startTracing(host, EVENTS, (hit) => hits.push(hit));
    expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
  }, 120_000);

  it('kills a process, which dies of SIGKILL and nothing else', () => {
    const kills = journal(Kind.OOM_KILL);
    expect(kills.length).toBeGreaterThan(0);
    for (const { b, c, d } of kills) {
      expect(c).toBe(BigInt(word(host, 'totalram_pages')));
      const exits = journal(Kind.EXIT).filter(({ a }) => a === b);
      expect(exits.map(({ b: status }) => status)).toEqual([SIGKILL]);
      // It had more than the other two could have had together with it.
      expect(d * 3n).toBeGreaterThan(c);
    }
  });

  it('says whom it marks', () => {
    const marked = journal(Kind.OOM_VICTIM).map(({ a, b }) => [pidOf(a), Number(b) * 4]);
    expect(of('mark_victim').map(({ fields }) => [fields['pid'], fields['total_vm']])).toEqual(marked);
    expect(of('mark_victim').map(({ fields }) => fields['comm'])).toEqual(marked.map(() => 'op'));
  });

  it('has its memory back in the end', () => {
    const free = word(host, 'vm_zone_stat');
    expect(free).toBeGreaterThan(word(host, 'totalram_pages') / 2);
  });

  it('drops pages of files before it kills: in kswapd, and in tasks that need a page now', () => {
    const begun = journal(Kind.DIRECT_RECLAIM).filter(({ b }) => b === 0n);
    const done = journal(Kind.DIRECT_RECLAIM).filter(({ b }) => b === 1n);
    expect(begun.length).toBeGreaterThan(10);
    expect(done.some(({ c }) => c > 0n)).toBe(true);
    expect(of('mm_vmscan_direct_reclaim_begin').map(({ fields }) => fields['gfp_flags'])).toEqual(
      begun.map(({ d }) => signed(d)),
    );
    expect(of('mm_vmscan_direct_reclaim_end').map(({ fields }) => fields['nr_reclaimed'])).toEqual(
      done.map(({ c }) => signed(c)),
    );
    const [slept, woke, wanted] = [0n, 1n, 2n].map((what) => journal(Kind.KSWAPD).filter(({ a }) => a === what).length);
    expect(woke).toBeGreaterThan(0);
    expect(of('mm_vmscan_kswapd_sleep').length).toBe(slept);
    expect(of('mm_vmscan_kswapd_wake').length).toBe(woke);
    expect(of('mm_vmscan_wakeup_kswapd').length).toBe(wanted);
  });

  it('tells of each look at the list of pages', () => {
    const told = of('mm_vmscan_lru_shrink_inactive').map(({ fields }) => [
      fields['nr_scanned'],
      fields['nr_reclaimed'],
      fields['priority'],
    ]);
    const sorted = (list: readonly unknown[]): string[] => list.map(String).toSorted();
    expect(sorted(told)).toEqual(sorted(journal(Kind.SHRINK).map(({ b, c, d }) => [signed(b), signed(c), signed(d)])));
    expect(told.length).toBeGreaterThan(10);
  });
});
