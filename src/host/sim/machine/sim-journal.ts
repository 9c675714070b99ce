import { u64 } from '../../../base/index.js';

/** What the kernel writes down where it happens; docs/simulator.md lists the arguments of each kind. */
export const JournalKind = {
  SYSCALL_ENTER: 1,
  SYSCALL_EXIT: 2,
  OPEN: 3,
  READ: 4,
  WRITE: 5,
  FORK: 6,
  EXEC: 7,
  EXIT: 8,
  SWITCH: 9,
  WAKEUP: 10,
  BLOCK_INSERT: 11,
  BLOCK_ISSUE: 12,
  BLOCK_COMPLETE: 13,
  IRQ_ENTER: 14,
  IRQ_EXIT: 15,
  TIMER_ENTER: 16,
  TIMER_EXIT: 17,
  HRTIMER_ENTER: 18,
  HRTIMER_EXIT: 19,
  TCP_CONNECT: 20,
  TCP_ACCEPT: 21,
  REAP: 22,
  FAULT: 23,
  UNLINK: 24,
  MKDIR: 25,
  SOFTIRQ_ENTER: 26,
  SOFTIRQ_EXIT: 27,
  TIMER_START: 28,
  RENAME: 29,
  SCHED_STAT: 30,
  MIGRATE: 31,
  KMALLOC: 32,
  KFREE: 33,
  CACHE_ALLOC: 34,
  CACHE_FREE: 35,
  PAGE_ALLOC: 36,
  PAGE_FREE: 37,
  RSS_STAT: 38,
  PAGE_FAULT: 39,
  SOFTIRQ_RAISE: 40,
  CPU_IDLE: 41,
  PAGE_CACHE_ADD: 42,
  PAGE_CACHE_DELETE: 43,
  DIRTY_FOLIO: 44,
  WRITEBACK: 45,
  BIO_QUEUE: 46,
  SIGNAL_GENERATE: 47,
  SIGNAL_DELIVER: 48,
  NET_QUEUE: 49,
  NET_XMIT: 50,
  NET_RECEIVE: 51,
  NAPI_POLL: 52,
  SKB_FREE: 53,
  SOCK_STATE: 54,
  TCP_RESET: 55,
  TCP_RETRANSMIT: 56,
  TCP_DESTROY: 57,
  TCP_SPACE: 58,
  SOCK_OWN: 59,
  SOCK_PEER: 60,
  BIND: 61,
  LISTEN: 62,
  TCP_CLOSE: 63,
  TCP_CHILD: 64,
  TCP_OUT_OF_ORDER: 65,
  TCP_SYNACK_AGAIN: 66,
  TCP_CONGESTION: 67,
  TIME_WAIT: 68,
  TCP_WINDOW: 69,
  CAPABLE: 70,
  CPU_FREQUENCY: 71,
  SAMPLE: 72,
  READAHEAD: 73,
  READAHEAD_DONE: 74,
  PAGE_CACHE_ALLOC: 75,
  PAGE_ACCESSED: 76,
  BUFFER_DIRTY: 77,
  LOCK: 78,
  LOCK_CONTENTION: 79,
  MOUNT: 100,
  UMOUNT: 101,
  MOVE: 102,
  LINK: 103,
  SYMLINK: 104,
  RMDIR: 105,
  GETDENTS: 106,
  CGROUP_MKDIR: 107,
  CGROUP_RMDIR: 108,
  CGROUP_ATTACH: 109,
  SOCK_LIMIT: 120,
  NETIF_RX: 121,
  DIRECT_RECLAIM: 80,
  KSWAPD: 81,
  SHRINK: 82,
  OOM_KILL: 83,
  OOM_VICTIM: 84,
} as const;

export interface JournalEntry {
  /** Virtual nanoseconds since boot. */
  readonly time: bigint;
  readonly cpu: number;
  /** A `JournalKind`. */
  readonly kind: number;
  readonly a: bigint;
  readonly b: bigint;
  readonly c: bigint;
  readonly d: bigint;
  /** The path of the kinds that have one, '' of all others. */
  readonly text: string;
}

/** Kinds whose second argument is the address of a path. */
export const KINDS_WITH_PATH: ReadonlySet<number> = new Set([
  JournalKind.OPEN,
  JournalKind.EXEC,
  JournalKind.UNLINK,
  JournalKind.MKDIR,
  JournalKind.RENAME,
  JournalKind.MOUNT,
  JournalKind.UMOUNT,
  JournalKind.MOVE,
  JournalKind.LINK,
  JournalKind.SYMLINK,
  JournalKind.RMDIR,
  JournalKind.CGROUP_MKDIR,
  JournalKind.CGROUP_RMDIR,
  JournalKind.CGROUP_ATTACH,
]);

/** Words of an entry: time (2), cpu, kind, four arguments of two words. */
const WORDS = 12;

/** The machine's diary. Append-only, filled by the running kernel itself, apart from probes and tracepoints. */
export class SimJournal {
  #words = new Int32Array(WORDS * 1024);
  #count = 0;
  readonly #texts = new Map<number, string>();

  get length(): number {
    return this.#count;
  }

  /** Room for one entry; the words of its time, cpu, kind and arguments are the caller's to fill. */
  append(): { words: Int32Array; at: number } {
    const at = this.#count * WORDS;
    if (at + WORDS > this.#words.length) {
      const grown = new Int32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#count++;
    return { words: this.#words, at };
  }

  /** Keeps a text with the entry that was appended last. */
  addText(text: string): void {
    this.#texts.set(this.#count - 1, text);
  }

  at(index: number): JournalEntry {
    if (!(index >= 0 && index < this.#count)) throw new RangeError(`journal entry ${index} of ${this.#count}`);
    const w = this.#words;
    const at = index * WORDS;
    const pair = (i: number): bigint => u64(w[at + i], w[at + i + 1]);
    return {
      time: pair(0),
      cpu: w[at + 2],
      kind: w[at + 3],
      a: pair(4),
      b: pair(6),
      c: pair(8),
      d: pair(10),
      text: this.#texts.get(index) ?? '',
    };
  }

  /** All entries in the order in which they were made, or those of one kind. */
  *entries(kind?: number): IterableIterator<JournalEntry> {
    for (let i = 0; i < this.#count; i++) {
      if (kind === undefined || this.#words[i * WORDS + 3] === kind) yield this.at(i);
    }
  }

  /** The whole journal as bytes, for comparing runs. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, this.#count * WORDS * 4).slice();
  }
}
