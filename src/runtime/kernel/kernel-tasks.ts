import type { Host } from '../../host/index.js';
import { KernelReader } from './kernel-reader.js';

export interface KernelTask {
  readonly address: bigint;
  readonly pid: number;
  readonly tgid: number;
  readonly leader: bigint;
}

/** Tasks of a ring at most: a list that is being changed may not lead back. */
const TASKS_MAX = 1 << 16;
const known = new WeakMap<Host, KernelTasks>();

/**
 * The tasks of a kernel by thread id, the idle ones left out: the ring of `init_task.tasks`, with the threads of each process
 * where they have a list of their own.
 */
export class KernelTasks {
  readonly #reader: KernelReader;
  readonly #at: Readonly<Record<'tasks' | 'pid' | 'tgid' | 'leader', number>>;
  readonly #threads: { readonly signal: number; readonly head: number; readonly node: number } | null;

  /** Those of a host; where they stand in its structures is found out once. EOPNOTSUPP where the host has no types, or lacks one of these. */
  static of(host: Host): KernelTasks {
    let tasks = known.get(host);
    if (tasks === undefined) known.set(host, (tasks = new KernelTasks(new KernelReader(host, 'walking tasks'))));
    return tasks;
  }

  private constructor(reader: KernelReader) {
    this.#reader = reader;
    this.#at = {
      tasks: reader.need('task_struct', 'tasks'),
      pid: reader.need('task_struct', 'pid'),
      tgid: reader.need('task_struct', 'tgid'),
      leader: reader.need('task_struct', 'group_leader'),
    };
    const signal = reader.offset('task_struct', 'signal');
    const head = reader.offset('signal_struct', 'thread_head');
    const node = reader.offset('task_struct', 'thread_node');
    const isListed = signal !== undefined && head !== undefined && node !== undefined;
    this.#threads = isListed ? { signal, head, node } : null;
  }

  /** Those there are now, by thread id. */
  list(): KernelTask[] {
    const init = this.#reader.symbol('init_task');
    if (init === undefined) return [];
    const found = new Map<bigint, KernelTask>();
    for (const address of this.#all(init)) {
      this.#add(found, address);
      for (const thread of this.#threadsOf(address)) this.#add(found, thread);
    }
    return [...found.values()].toSorted((a, b) => a.pid - b.pid);
  }

  /** Leaders of all processes in the order of the list, the idle task first. */
  *processes(): Generator<bigint, void, undefined> {
    const init = this.#reader.symbol('init_task');
    if (init === undefined) return;
    yield init;
    for (const task of this.#all(init)) if (this.#leaderOf(task) === task) yield task;
  }

  /** A thread and those of its process that follow it in the list. */
  *threadsFrom(thread: bigint): Generator<bigint, void, undefined> {
    yield thread;
    if (this.#threads === null) {
      yield* this.#laterOfSameProcess(thread);
      return;
    }
    const { signal, head, node } = this.#threads;
    const owner = this.#reader.pointer(thread + BigInt(signal));
    if (owner !== 0n) yield* this.#ring(owner + BigInt(head), node, thread + BigInt(node));
  }

  /** Threads that stand among the processes. */
  *#laterOfSameProcess(thread: bigint): Generator<bigint, void, undefined> {
    const init = this.#reader.symbol('init_task') ?? 0n;
    const leader = this.#leaderOf(thread);
    let isLater = thread === leader;
    for (const task of this.#all(init)) {
      if (isLater && task !== thread && this.#leaderOf(task) === leader) yield task;
      isLater ||= task === thread;
    }
  }

  /** What is on the list of all processes. */
  #all(init: bigint): Iterable<bigint> {
    return this.#ring(init + BigInt(this.#at.tasks), this.#at.tasks);
  }

  #leaderOf(task: bigint): bigint {
    return this.#reader.pointer(task + BigInt(this.#at.leader));
  }

  #add(found: Map<bigint, KernelTask>, address: bigint): void {
    const pid = this.#reader.u32(address + BigInt(this.#at.pid));
    if (pid === 0) return;
    const tgid = this.#reader.u32(address + BigInt(this.#at.tgid));
    found.set(address, { address, pid, tgid, leader: this.#leaderOf(address) });
  }

  #threadsOf(leader: bigint): Iterable<bigint> {
    if (this.#threads === null) return [];
    const { signal, head, node } = this.#threads;
    const owner = this.#reader.pointer(leader + BigInt(signal));
    return owner === 0n ? [] : this.#ring(owner + BigInt(head), node);
  }

  /** The structures on a list whose head is at `head`, their links at `offset`, that follow the link at `from`. */
  *#ring(head: bigint, offset: number, from = head): Generator<bigint, void, undefined> {
    let link = this.#reader.pointer(from);
    for (let i = 0; i < TASKS_MAX && link !== 0n && link !== head; i++) {
      yield link - BigInt(offset);
      link = this.#reader.pointer(link);
    }
  }
}
