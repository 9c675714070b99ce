import { type JournalEntry, JournalKind as Kind } from '../../../src/host/sim/index.js';
import { countBy, log2, pidOf, TaskNames, tgidOf } from '../journal-models.js';
import { decode } from '../layout.js';
import type { ToolSession, Workload } from '../tool-session.js';
import { events, IO, MIXED, rows, sum, sums, type Tool } from '../tool.js';

const HIST_SLOTS = 20;
const NS_PER_MS = 1_000_000n;

interface ReadAhead {
  /** Pages that were read ahead, and those of them that nobody has used. */
  readonly total: number;
  readonly unused: number;
  /** Pages by log2 of the milliseconds until they were used. */
  readonly slots: readonly number[];
}

/** Pages that a task takes for the cache while it reads ahead, and the first use of each. */
function readAhead(journal: Iterable<JournalEntry>): ReadAhead {
  const reading = new Set<number>();
  const births = new Map<bigint, bigint>();
  const slots = Array.from({ length: HIST_SLOTS }, () => 0);
  let total = 0;
  let used = 0;
  for (const { kind, time, a, b } of journal) {
    if (kind === Kind.READAHEAD) reading.add(pidOf(a));
    if (kind === Kind.READAHEAD_DONE) reading.delete(pidOf(a));
    if (kind === Kind.PAGE_CACHE_ALLOC && reading.has(pidOf(a))) {
      births.set(b, time);
      total++;
    }
    const birth = births.get(b);
    if (kind !== Kind.PAGE_ACCESSED || birth === undefined) continue;
    births.delete(b);
    slots[Math.min(log2((time - birth) / NS_PER_MS), HIST_SLOTS - 1)]++;
    used++;
  }
  return { total, unused: total - used, slots };
}

/** More processes than there is room for: each new one makes the kernel kill one. */
const CROWD: Workload = {
  script: `repeat 28
try op hog:420 sleep:900000 &
end
wait
`,
  seed: 3,
  memoryBytes: 24 << 20,
};

const OOM_KILL = { fpid: 'u32', tpid: 'u32', pages: 'u64', fcomm: 16, tcomm: 16 } as const;

function kills(journal: Iterable<JournalEntry>): unknown[] {
  const names = new TaskNames();
  return [...journal].flatMap((entry) => {
    names.tell(entry);
    const { kind, a, b, c } = entry;
    if (kind !== Kind.OOM_KILL) return [];
    return [[tgidOf(a), tgidOf(b), c, names.of(pidOf(a)), names.of(pidOf(b))]];
  });
}

const DIRECT_RECLAIM = { task: 16, delta_ns: 'u64', nr_reclaimed: 'u64', nr_free_pages: 'u64', pid: 'u32' } as const;

/** Each time that a task frees pages itself: its name, how long, pages it freed, pages that were free, its number. */
function reclaims(session: ToolSession): unknown[] {
  const begins = session.passes(Kind.DIRECT_RECLAIM, 'mm_vmscan_direct_reclaim_begin');
  const ends = session.passes(Kind.DIRECT_RECLAIM, 'mm_vmscan_direct_reclaim_end');
  const running = new Map<bigint, { readonly time: bigint; readonly free: bigint }>();
  return session.story(({ kind, index, task, a, b, c }) => {
    if (kind !== Kind.DIRECT_RECLAIM) return [];
    if (b === 0n) running.set(a, { time: begins.get(index)?.time ?? 0n, free: c });
    const begun = running.get(a);
    if (b === 0n || begun === undefined) return [];
    return [[task.comm, (ends.get(index)?.time ?? 0n) - begun.time, c, begun.free, pidOf(a)]];
  });
}

const named = (values: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(values).map(([name, value]) => `${name}: ${String(value)}`);

const ascending = (a: number, b: number): number => a - b;

export const memoryTools: readonly Tool[] = [
  {
    name: 'oomkill',
    workload: CROWD,
    compares: 'who needs memory and who is killed for it, their names, pages of the machine',
    compare: (session) =>
      rows(
        events(session, OOM_KILL).map((event) => Object.values(event)),
        kills(session.host.journal.entries()),
      ),
  },
  {
    name: 'drsnoop',
    workload: CROWD,
    kallsyms: { vm_zone_stat_kaddr: 'vm_zone_stat' },
    compares: 'every reclaim: name, nanoseconds, pages freed, pages free before, process',
    compare: (session) =>
      rows(
        events(session, DIRECT_RECLAIM).map((event) => Object.values(event)),
        reclaims(session),
      ),
  },
  {
    name: 'cachestat',
    workload: IO,
    targets: { account_page_dirtied: { kind: 'fentry', name: 'folio_account_dirtied' } },
    compares: 'uses of pages without buffers made dirty, pages added without pages made dirty, buffers made dirty',
    compare: (session) => {
      const count = (kind: number): number => session.journal(kind).length;
      const dirtied = count(Kind.BUFFER_DIRTY);
      return sums(
        named({
          total: session.variable('total'),
          misses: session.variable('misses'),
          mbd: session.variable('mbd'),
        }),
        named({
          total: count(Kind.PAGE_ACCESSED) - dirtied,
          misses: count(Kind.PAGE_CACHE_ADD) - count(Kind.DIRTY_FOLIO),
          mbd: dirtied,
        }),
        dirtied,
      );
    },
  },
  {
    name: 'readahead',
    // A seed with which no page is used within some instructions of a whole millisecond.
    workload: { workload: 'io', seed: 5 },
    compares: 'pages read ahead, those not used, and milliseconds until the others were',
    compare: (session) => {
      const { total, unused, slots: expected } = readAhead(session.host.journal.entries());
      const hist = session.variable('hist') as unknown as ReadAhead;
      return sums(
        named({ total: hist.total, unused: hist.unused, slots: hist.slots, used: sum(hist.slots) }),
        named({ total, unused, slots: expected, used: total - unused }),
        total,
      );
    },
  },
  {
    name: 'slabratetop',
    workload: MIXED,
    watches: [
      {
        symbol: 'kmem_cache_alloc',
        enter: (look) => ({
          key: look.u64(look.member(look.argument(0), 'kmem_cache', 'name')),
          name: look.text(look.u64(look.member(look.argument(0), 'kmem_cache', 'name'))),
          size: look.u32(look.member(look.argument(0), 'kmem_cache', 'size')),
        }),
      },
    ],
    compares: 'name, allocations and bytes of each cache',
    compare: (session) => {
      const calls = session.execution.callsOf('kmem_cache_alloc');
      const sizes = session.journal(Kind.CACHE_ALLOC).map(({ c }) => Number(c));
      const seen = calls.map((call) => call.seen as { key: bigint; name: string; size: number });
      if (String(sizes.toSorted(ascending)) !== String(seen.map(({ size }) => size).toSorted(ascending)))
        throw new RangeError('the journal has other allocations');
      return sums(
        session.elements('slab_entries').map(({ key, value }) => {
          const { name, count, size } = decode({ name: 32, count: 'u64', size: 'u64' }, value);
          return `${decode({ name: 'u64' }, key).name} ${name} ${size}: ${count}`;
        }),
        countBy(seen, ({ key, name, size }) => {
          const all = seen.filter((each) => each.key === key).length;
          return `${key} ${name} ${all * size}`;
        }),
        calls.length,
      );
    },
  },
];
