import { type JournalEntry, JournalKind as Kind } from '../../src/host/sim/index.js';
import { pidOf, tgidOf } from './journal-models.js';

/** A task as the journal tells of it. Never changed: what happens to a task makes a new one. */
export interface Task {
  readonly pid: number;
  readonly tgid: number;
  readonly ppid: number;
  readonly comm: string;
  readonly kthread: boolean;
}

export interface Moment extends JournalEntry {
  /** Its place in the journal. */
  readonly index: number;
  /** Who ran on its CPU. */
  readonly task: Task;
}

const COMM_MAX = 15;
const CLONE_THREAD = 0x10000n;
/** Threads that the kernel starts at boot, by pid; `kernel/core/main.c`. The first takes its flag of a kernel thread away. */
const KTHREADS: Readonly<Record<number, string>> = { 1: 'init', 2: 'kworker/u8:0' };

/** The tasks of the machine, as far as the journal has been read. */
export class World {
  readonly #tasks = new Map<number, Task>();
  readonly #current: Task[] = [];

  /** Undefined: a pid the journal has not told of. The idle tasks are not among them. */
  task(pid: number): Task | undefined {
    return this.#tasks.get(pid);
  }

  current(cpu: number): Task {
    return this.#current[cpu] ?? idle(cpu);
  }

  idle(cpu: number): Task {
    return idle(cpu);
  }

  /** Children of a process that goes become init's. */
  orphan(parent: number): void {
    for (const { pid, ppid } of this.#tasks.values()) if (ppid === parent) this.#change(pid, { ppid: 1 });
  }

  apply({ kind, cpu, a, b, c, text }: JournalEntry): void {
    if (kind === Kind.FORK) this.#fork(pidOf(a), b, c);
    if (kind === Kind.RENAME) this.#change(pidOf(a), { comm: text.slice(0, COMM_MAX) });
    if (kind === Kind.EXEC) this.#change(pidOf(a), { kthread: false });
    if (kind === Kind.SWITCH) this.#current[cpu] = this.#tasks.get(Number(b)) ?? idle(cpu);
  }

  #fork(parent: number, child: bigint, flags: bigint): void {
    const from = this.#tasks.get(parent) ?? idle(0);
    const pid = pidOf(child);
    const name = KTHREADS[pid];
    const ppid = name !== undefined ? 0 : (flags & CLONE_THREAD) !== 0n ? from.ppid : from.tgid;
    this.#tasks.set(pid, {
      pid,
      tgid: tgidOf(child),
      ppid,
      comm: name ?? from.comm,
      kthread: name !== undefined && pid !== 1,
    });
  }

  #change(pid: number, changes: Partial<Task>): void {
    const task = this.#tasks.get(pid);
    if (task === undefined) return;
    const changed = { ...task, ...changes };
    this.#tasks.set(pid, changed);
    this.#current.forEach((current, cpu) => {
      if (current.pid === pid) this.#current[cpu] = changed;
    });
  }
}

function idle(cpu: number): Task {
  return { pid: 0, tgid: 0, ppid: 0, comm: `swapper/${cpu}`, kthread: true };
}

/**
 * Reads the journal once; `tell` sees each entry with the tasks as they were before it. The journal does not tell when an
 * ending task gives its children away: `orphaned` has these tasks, by the index of the entry that comes next.
 */
export function* readStory<T>(
  journal: Iterable<JournalEntry>,
  orphaned: ReadonlyMap<number, readonly number[]>,
  tell: (moment: Moment, world: World) => Iterable<T>,
): Generator<T> {
  const world = new World();
  let index = 0;
  for (const entry of journal) {
    for (const parent of orphaned.get(index) ?? []) world.orphan(parent);
    yield* tell({ ...entry, index, task: world.current(entry.cpu) }, world);
    world.apply(entry);
    index++;
  }
}
