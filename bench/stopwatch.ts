/** How long to measure. */
export interface Effort {
  readonly rounds: number;
  /** Samples in a round; the round's figure is their median. */
  readonly samples: number;
  /** A sample repeats its work until it takes this long. */
  readonly sampleMs: number;
  /** Before the first sample: what a JavaScript engine needs to reach its last tier. */
  readonly warmUpMs: number;
}

export const FULL: Effort = { rounds: 7, samples: 5, sampleMs: 5, warmUpMs: 200 };
export const QUICK: Effort = { rounds: 2, samples: 2, sampleMs: 0.5, warmUpMs: 5 };

/** Does its work `count` times. */
export type Loop = (count: number) => void;

/** Nanoseconds that one call of `work` takes. */
export function elapsedNs(work: () => void): number {
  const begin = performance.now();
  work();
  return (performance.now() - begin) * 1e6;
}

/** Runs `loop` until it is warm and answers how often it must repeat to fill a sample. */
export function calibrate(loop: Loop, effort: Effort, limit = 1 << 30): number {
  let count = 1;
  let ns = elapsedNs(() => loop(count));
  const end = performance.now() + effort.warmUpMs;
  while (performance.now() < end || (ns < effort.sampleMs * 1e6 && count < limit)) {
    if (ns < effort.sampleMs * 1e6) count = Math.min(2 * count, limit);
    ns = elapsedNs(() => loop(count));
  }
  return Math.min(Math.max(1, Math.ceil((count * effort.sampleMs * 1e6) / ns)), limit);
}

/** A loop that is warm, and how often it repeats in a sample. */
export class Stopwatch {
  readonly #loop: Loop;
  readonly #count: number;

  constructor(loop: Loop, effort: Effort, limit?: number) {
    this.#loop = loop;
    this.#count = calibrate(loop, effort, limit);
  }

  /** Nanoseconds per repetition, in one sample. */
  sample(): number {
    return elapsedNs(() => this.#loop(this.#count)) / this.#count;
  }
}
