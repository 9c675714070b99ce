import type { SharedPerfRing } from 'kscope/perf';
import type { SharedRing } from 'kscope/runtime';

/** What a worker is to do with the records it gets. */
export type ConsumerKind = 'numbers' | 'events';

/** What the worker of one row is told. */
export interface WorkerTask {
  readonly source: { readonly ring: SharedRing } | { readonly perf: SharedPerfRing };
  readonly kind: ConsumerKind;
  /** Never sleeps. */
  readonly isBusy: boolean;
  /** Words: see `Shared`. */
  readonly shared: Int32Array;
}

/** Words shared with the producer's thread. */
export const Shared = { state: 0, consumed: 1, lastPid: 2, words: 3 } as const;

export const State = { starting: 0, consuming: 1, stopping: 2 } as const;

/** Records that a worker takes before it says how many it has taken. */
export const REPORT_BATCH = 4096;
