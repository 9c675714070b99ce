import { type JournalEntry, JournalKind as Kind } from '../../../src/host/sim/index.js';
import { pidOf } from '../journal-models.js';
import { decode } from '../layout.js';
import { MIXED, sum, sums, type Tool } from '../tool.js';

const LOCKS = [
  'mutex_lock',
  'mutex_trylock',
  'mutex_lock_interruptible',
  'mutex_lock_killable',
  'down_read',
  'down_read_trylock',
  'down_read_interruptible',
  'down_read_killable',
  'down_write',
  'down_write_trylock',
  'down_write_killable',
];
const KPROBES = [
  ...LOCKS.flatMap((name) => [`kprobe_${name}`, `kprobe_${name}_exit`]),
  ...['mutex_unlock', 'up_read', 'up_write'].map((name) => `kprobe_${name}`),
];

/** Operations of the journal that answer 1 where they had the lock; all below the unlocking ones answer 0. */
const TRIES = new Set([3n, 7n, 10n]);
const FIRST_UNLOCK = 11n;
const UNLOCK_READ = 12n;

const STAT = {
  acq_count: 'u64',
  acq_total_time: 'u64',
  acq_max_time: 'u64',
  acq_max_id: 'u64',
  acq_max_lock_ptr: 'u64',
  acq_max_comm: 16,
  hld_count: 'u64',
  hld_total_time: 'u64',
  hld_max_time: 'u64',
  hld_max_id: 'u64',
  hld_max_lock_ptr: 'u64',
  hld_max_comm: 16,
} as const;

/**
 * How often each thread had a lock and gave it back. Those of page faults in user mode are left out: their stacks have
 * no more frames than the four that the tool skips, so that it never sees them.
 */
function heldLocks(journal: Iterable<JournalEntry>): Map<number, number> {
  const held = new Set<string>();
  const counts = new Map<number, number>();
  const count = (pid: number, n: number): void => void counts.set(pid, (counts.get(pid) ?? 0) + n);
  const faulting = new Set<number>();
  for (const { kind, a, b, c, d } of journal) {
    if (kind === Kind.FAULT && c === 1n && faulting.delete(pidOf(a))) count(pidOf(a), -1);
    if (kind !== Kind.LOCK) continue;
    faulting.delete(pidOf(a));
    const key = `${pidOf(a)} ${b}`;
    if (c < FIRST_UNLOCK) {
      if ((d === 0n) !== TRIES.has(c)) held.add(key);
    } else if (held.delete(key)) {
      count(pidOf(a), 1);
      if (c === UNLOCK_READ) faulting.add(pidOf(a));
    }
  }
  return counts;
}

export const lockTools: readonly Tool[] = [
  {
    name: 'klockstat',
    workload: MIXED,
    variables: { per_thread: 1 },
    without: KPROBES,
    maps: { stack_map: { valueSize: 8 * 127, maxEntries: 1024 } },
    compares: 'how often each thread took and held a lock',
    leavesOut:
      'times and what had the longest: the journal is written some instructions apart from where the tool looks',
    compare: (session) => {
      const counts = heldLocks(session.host.journal.entries());
      const seen = session.elements('stat_map').map(({ key, value }) => {
        const { acq_count: acquired, hld_count: held } = decode(STAT, value);
        return `${decode({ id: 'u32' }, key).id}: ${acquired} ${held}`;
      });
      return sums(
        seen,
        [...counts].flatMap(([pid, count]) => (count > 0 ? [`${pid}: ${count} ${count}`] : [])),
        sum([...counts.values()]),
      );
    },
  },
];
