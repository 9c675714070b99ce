/** A ring in shared memory, and what both threads know of its consumer. */
export interface RingWorkerData {
  readonly memory: WebAssembly.Memory;
  readonly address: number;
  readonly size: number;
  /** Words: see `Shared`. */
  readonly shared: Int32Array;
}

/** Words shared with the producer's thread. */
export const Shared = { state: 0, consumed: 1, lastPid: 2, words: 3 } as const;

export const State = { starting: 0, consuming: 1, stopping: 2 } as const;
