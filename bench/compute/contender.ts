import type { Workload } from './workloads.js';

/** Something that runs workloads: an engine of this package, or the kernel. */
export interface Contender {
  readonly name: string;
  /** Loads the object that repeats the work `repeat` times, and warms it up. */
  load(workload: Workload, repeat: number): Promise<Subject>;
  close(): void;
}

/** A workload loaded by a contender. */
export interface Subject {
  /** What the program returned, unsigned. */
  readonly result: number;
  /** Nanoseconds per run, in one sample. */
  sample(): Promise<number>;
}
