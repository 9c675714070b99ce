import { type JournalEntry, JournalKind } from '../../src/host/sim/index.js';

/** What the journal makes of things that tools add up. Tasks are tgid << 32 | pid. */
export const pidOf = (task: bigint): number => Number(task & 0xffff_ffffn);
export const tgidOf = (task: bigint): number => Number(task >> 32n);
export const signed = (value: bigint): number => Number(BigInt.asIntN(64, value));

/** Texts `KEY: COUNT`, sorted, of what falls to each key. */
export function countBy<T>(
  items: Iterable<T>,
  keyOf: (item: T) => unknown,
  weigh: (item: T) => number = () => 1,
): string[] {
  const counts = new Map<string, number>();
  for (const item of items) {
    const key = String(keyOf(item));
    counts.set(key, (counts.get(key) ?? 0) + weigh(item));
  }
  return [...counts].map(([key, count]) => `${key}: ${count}`).toSorted();
}

/** One task's way from one point to another. */
export interface Span {
  readonly pid: number;
  /** The task that ran before it, for spans that end as it is switched to. */
  readonly prev: number;
  readonly ns: bigint;
}

/** From each switch away from a task to the next switch to it. The idle tasks, one for each CPU, are left out. */
export function offCpuSpans(journal: Iterable<JournalEntry>): Span[] {
  return spans(journal, ({ kind, a }) => (kind === JournalKind.SWITCH ? Number(a) : 0));
}

/** From the moment a task wants a CPU (woken, new, or preempted while it runs) to the switch to it. */
export function queuedSpans(journal: Iterable<JournalEntry>): Span[] {
  return spans(journal, ({ kind, a, b, c }) => {
    if (kind === JournalKind.WAKEUP) return Number(b);
    return kind === JournalKind.SWITCH && c === 0n ? Number(a) : 0;
  });
}

function spans(journal: Iterable<JournalEntry>, begins: (entry: JournalEntry) => number): Span[] {
  const started = new Map<number, bigint>();
  const found: Span[] = [];
  for (const entry of journal) {
    const pid = begins(entry);
    if (pid !== 0) started.set(pid, entry.time);
    if (entry.kind !== JournalKind.SWITCH) continue;
    const next = Number(entry.b);
    const since = started.get(next);
    started.delete(next);
    if (since !== undefined) found.push({ pid: next, prev: Number(entry.a), ns: entry.time - since });
  }
  return found;
}

/** log2 as the tools' histograms have it: 0 for 0 and 1. */
export function log2(value: bigint): number {
  return value < 1n ? 0 : value.toString(2).length - 1;
}

/** The names of tasks as the journal goes on: `of(pid)` is a task's name after the entries that were told. */
export class TaskNames {
  readonly #names = new Map<number, string>([[1, 'init']]);

  tell({ kind, a, b, text }: JournalEntry): void {
    // Threads of the kernel, and init before it is a program, are born with names of their own.
    if (kind === JournalKind.FORK && pidOf(a) !== 0) this.#names.set(pidOf(b), this.of(pidOf(a)));
    if (kind === JournalKind.RENAME) this.#names.set(pidOf(a), text);
  }

  of(pid: number): string {
    return this.#names.get(pid) ?? '';
  }
}
