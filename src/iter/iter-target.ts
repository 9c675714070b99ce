import type { AccessRegion, BpfMap } from '../runtime/index.js';

/** What an iterator is asked for besides its target; each target takes what concerns it. */
export interface IterOptions {
  /** `bpf_map_elem`: whose elements. */
  readonly map?: BpfMap;
  /** `task`, `task_file`: only this thread. */
  readonly tid?: number;
  /** `task`, `task_file`: only the threads of this process. */
  readonly pid?: number;
}

/** One thing that is shown to the program: the words behind `meta` in its context, and what they point to in BpfMemory. */
export interface IterObject {
  readonly words: readonly bigint[];
  readonly regions?: readonly AccessRegion[];
}

/** A walk. What it walks may change between two calls of `start`. */
export interface IterCursor {
  /** The first object at or behind the position, or null. */
  start(): IterObject | null;
  /** Moves the position on; the object there, or null. */
  next(): IterObject | null;
  /** What the program is shown when nothing is left; absent: zeros. */
  end?(): IterObject;
  /** Gives back what it holds. */
  close(): void;
}

/** One kind of thing to walk (the kernel's struct bpf_iter_reg). */
export interface IterTarget {
  readonly name: string;
  /** Words of the context behind `meta`. */
  readonly words: number;
  /** Checks the options as BPF_LINK_CREATE does: throws its errno. The result makes cursors. */
  prepare(options: IterOptions): () => IterCursor;
}
