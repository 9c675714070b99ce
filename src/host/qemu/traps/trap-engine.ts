import type { RspStop } from '../rsp/rsp-stop-reply.js';

/** One way of taking a guest's traps. */
export interface TrapEngine {
  /** Handles what is left to handle before the machine, which stands still, goes on. */
  ready(): void;
  /** Handles what comes while the machine runs, for about `ms` milliseconds; may return at once. */
  serve(ms: number): void;
  /** Handles a stop of the machine. False: the stop has nothing to do with traps. */
  stopped(stop: RspStop): boolean;
  /** Longest time that a stop may be waited for without `serve`. */
  readonly waitMs: number;
  /** Returns when no CPU is on the way to a trap any more. */
  drain(): void;
  /**
   * Takes out of the guest what was put there to take traps, at a moment when no trap is under way, and calls `last` before
   * the machine goes on. The machine stands still; no breakpoints are left.
   */
  remove(last: () => void): void;
}
