import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import type { Call, Watch } from '../execution.js';
import { decode } from '../layout.js';
import { STACK_MAP, StackBuckets } from '../stack-buckets.js';
import { MIXED, sums, type Tool } from '../tool.js';
import type { ToolSession } from '../tool-session.js';

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

const MAY_FAIL = LOCKS.filter((name) => name.endsWith('ible') || name.endsWith('able'));
const UNLOCKS = ['mutex_unlock', 'up_read', 'up_write'];
/** Frames that the tool skips: of stacks that have no more it is told nothing, and it never sees that lock. */
const SKIPPED = 4;

const WATCHES: readonly Watch[] = [...LOCKS, ...UNLOCKS].map((symbol) => ({
  symbol,
  enter: (look) => look.callers(),
}));

/** What the tool keeps of a lock that a thread waits for or has. */
interface Holder {
  readonly tried: bigint;
  acquired: bigint;
}

interface Stat {
  readonly comm: string;
  acquired: Extreme;
  held: Extreme;
}

/** How often and how long, and which lock was the longest. */
interface Extreme {
  count: number;
  total: bigint;
  max: bigint;
  task: bigint;
  lock: bigint;
}

const NONE: Extreme = { count: 0, total: 0n, max: 0n, task: 0n, lock: 0n };

function add({ count, total, ...longest }: Extreme, max: bigint, task: bigint, lock: bigint): Extreme {
  return { count: count + 1, total: total + max, ...(max > longest.max ? { max, task, lock } : longest) };
}

/** One moment at which programs look: a lock is wanted, had, both at once, given up, or given back. */
interface Step {
  readonly time: bigint;
  readonly what: 'want' | 'have' | 'try' | 'abort' | 'release';
  readonly call: Call;
}

/** All steps in their order. */
function steps(session: ToolSession): Step[] {
  const calls = session.execution;
  const wanted = LOCKS.flatMap((symbol) => {
    const tries = symbol.endsWith('trylock');
    const begins = tries ? [] : calls.callsOf(symbol).map((call): Step => ({ time: call.entered, what: 'want', call }));
    const ends = calls.returnsOf(symbol).flatMap((call): Step[] => {
      const answer = call.result & 0xffff_ffffn;
      if (tries) return answer === 0n ? [] : [{ time: call.left, what: 'try', call }];
      return [{ time: call.left, what: answer !== 0n && MAY_FAIL.includes(symbol) ? 'abort' : 'have', call }];
    });
    return [...begins, ...ends];
  });
  const released = UNLOCKS.flatMap((symbol) =>
    calls.callsOf(symbol).map((call): Step => ({ time: call.entered, what: 'release', call })),
  );
  return [...wanted, ...released].toSorted((a, b) => (a.time < b.time ? -1 : 1));
}

/** What the tool makes of them, by thread. */
function lockStats(session: ToolSession): Map<number, Stat> {
  const all = steps(session);
  const tasks = session.tasksOf(all.map(({ call }) => call));
  const holders = new Map<string, Holder>();
  const stats = new Map<number, Stat>();
  const buckets = new StackBuckets();
  for (const { time, what, call } of all) {
    const [lock = 0n] = call.args;
    const key = `${call.pid} ${lock}`;
    const holder = holders.get(key);
    if (what === 'want' || what === 'try') {
      const entry = session.host.symbols.lookup(call.symbol)?.address ?? 0n;
      const stack = [entry, ...(call.seen as bigint[])].slice(SKIPPED);
      if (!buckets.keep(stack).startsWith('errno'))
        holders.set(key, { tried: time, acquired: what === 'try' ? time : 0n });
    } else if (what === 'abort') {
      holders.delete(key);
    } else if (what === 'have' && holder !== undefined) {
      holder.acquired = time;
    } else if (what === 'release' && holder !== undefined) {
      const task = (BigInt(call.tgid) << 32n) | BigInt(call.pid);
      const stat = stats.get(call.pid) ?? { comm: tasks.get(call)?.comm ?? '', acquired: NONE, held: NONE };
      stat.acquired = add(stat.acquired, holder.acquired - holder.tried, task, lock);
      stat.held = add(stat.held, time - holder.acquired, task, lock);
      stats.set(call.pid, stat);
      holders.delete(key);
    }
  }
  return stats;
}

/** As many locks and unlockings as the journal has. */
function checkJournal(session: ToolSession): void {
  const entries = session.journal(Kind.LOCK).length;
  const calls = [...LOCKS, ...UNLOCKS].reduce((n, symbol) => n + session.execution.returnsOf(symbol).length, 0);
  if (calls !== entries) throw new RangeError(`${calls} calls of lock functions, ${entries} in the journal`);
}

export const lockTools: readonly Tool[] = [
  {
    name: 'klockstat',
    workload: MIXED,
    variables: { per_thread: 1 },
    without: KPROBES,
    maps: { stack_map: STACK_MAP.stackmap },
    watches: WATCHES,
    compares: 'numbers, nanoseconds, longest and its lock of waiting and holding, name by thread',
    compare: (session) => {
      checkJournal(session);
      const stats = lockStats(session);
      const elements = session.elements('stat_map');
      return sums(
        elements.map(({ key, value }) => {
          const stat = decode(STAT, value);
          return `${decode({ id: 'u32' }, key).id}: ${Object.values(stat).join(' ')}`;
        }),
        [...stats].map(([pid, { comm, acquired, held }]) => {
          const [waits, holds] = [acquired, held].map((each) => Object.values(each).join(' '));
          return `${pid}: ${waits} ${comm} ${holds} `;
        }),
        elements.length,
      );
    },
  },
];
