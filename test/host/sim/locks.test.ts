import { describe, expect, it } from 'vitest';
import { createSim, type JournalEntry, JournalKind as Kind } from '../../../src/host/sim/index.js';
import { pidOf, runToEnd } from './kernel-machine.js';

/** Operations of the journal by number, as the kernel's `enum lock_operation` has them. */
const Operation = {
  MUTEX_TRY: 3n,
  READ: 4n,
  READ_TRY: 7n,
  WRITE: 8n,
  WRITE_KILLABLE: 9n,
  WRITE_TRY: 10n,
  UNLOCK_MUTEX: 11n,
  UNLOCK_READ: 12n,
  UNLOCK_WRITE: 13n,
} as const;
const TRIES: readonly bigint[] = [Operation.MUTEX_TRY, Operation.READ_TRY, Operation.WRITE_TRY];

const CONTENDED_BY_WRITER = 4n;

const had = ({ c, d }: JournalEntry): boolean => (TRIES.includes(c) ? d === 1n : d === 0n);
const reads = (operation: bigint): boolean => operation >= Operation.READ && operation <= Operation.READ_TRY;

/** Four who write to one file at a time, each in pieces that take a while. */
const WRITERS = `op create:/tmp/shared write:100
repeat 4
op open2:/tmp/shared write:40000 lseek:0 write:40000 lseek:0 write:40000 &
end
wait`;

interface Held {
  readonly readers: number[];
  owner: number | null;
}

/** What breaks the rule that a lock has one owner or any number of readers, and is given back by who has it. */
function violations(entries: Iterable<JournalEntry>): string[] {
  const locks = new Map<bigint, Held>();
  const broken: string[] = [];
  for (const entry of entries) {
    const { kind, time, a, b, c } = entry;
    if (kind !== Kind.LOCK) continue;
    const pid = pidOf(a);
    const lock = locks.get(b) ?? { readers: [], owner: null };
    locks.set(b, lock);
    const complain = (what: string): void => void broken.push(`${time}: ${pid} ${what} ${b.toString(16)}`);
    if (c === Operation.UNLOCK_READ) {
      const at = lock.readers.indexOf(pid);
      if (at < 0) complain('gives back what it does not read');
      lock.readers.splice(at, 1);
    } else if (c >= Operation.UNLOCK_MUTEX) {
      if (lock.owner !== pid) complain('gives back what it does not own');
      lock.owner = null;
    } else if (had(entry)) {
      if (lock.owner !== null) complain(`has what ${lock.owner} owns:`);
      if (reads(c)) {
        lock.readers.push(pid);
      } else {
        if (lock.readers.length > 0) complain('owns what others read:');
        lock.owner = pid;
      }
    }
  }
  return broken;
}

describe('sleeping locks', () => {
  it.each([
    ['mixed', 1],
    ['storm', 2],
    ['io', 4],
    ['web', 3],
  ])('of %s on %i CPUs have one owner or readers, and are given back by who has them', (workload, cpus) => {
    const host = createSim({ workload, cpus, seed: 11 });
    expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
    expect(violations(host.journal.entries())).toEqual([]);
    const taken = new Set([...host.journal.entries(Kind.LOCK)].map(({ c }) => c));
    for (const operation of [Operation.READ_TRY, Operation.WRITE_KILLABLE]) expect(taken).toContain(operation);
  });

  it('have tasks that wait, who all get them', () => {
    const host = createSim({ script: WRITERS, cpus: 4, seed: 5 });
    expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
    const waiting = new Map<string, bigint>();
    const waited = new Set<bigint>();
    for (const { a, b, c, d } of host.journal.entries(Kind.LOCK_CONTENTION)) {
      const key = `${a} ${b}`;
      if (c === 0n) {
        waiting.set(key, d);
      } else {
        expect(waiting.has(key)).toBe(true);
        waited.add(waiting.get(key) ?? 0n);
        waiting.delete(key);
      }
    }
    expect([...waiting]).toEqual([]);
    expect(waited).toContain(CONTENDED_BY_WRITER);
    expect(violations(host.journal.entries())).toEqual([]);
  });
});
