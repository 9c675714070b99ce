/**
 * What the suite cannot find out by itself: a few places and functions of the machine under test, and how to make it
 * do something. The suite restores what it writes before the machine goes on.
 */
export interface HostFacts {
  /** A function that the workload calls, on whose first instruction a probe may stand, and that returns to its caller. */
  readonly function: string;
  /**
   * Makes the machine call `function` some times, on every CPU if it can be had, and come to rest outside of it. The
   * answer is the machine's own count of these calls, made without any probe. May throw: the machine is broken then.
   */
  readonly workload: () => HostWork;
  /**
   * Lets the machine go on for a moment and comes back wherever it is, in the midst of its work. Called between calls of
   * `workload`, which must still be exact for calls that begin after it has begun.
   */
  readonly interlude?: () => void;
  /** Writable kernel memory of `size` bytes (8192 or more) that crosses at least one page boundary. */
  readonly scratch: { readonly address: bigint; readonly size: number };
  /** A kernel address at which nothing is mapped, on a page without neighbours before or after it. */
  readonly unmapped: bigint;
  /** The first byte of a kernel page that is absent, right behind a page that is there and may be written. */
  readonly edge?: bigint;
  /** The first address that is not a user address. Absent where there is no user mode, or one set of addresses for both. */
  readonly userEnd?: bigint;
  /** An argument of `function` (0: the first) that points to readable user memory of the current task. */
  readonly userArgument?: number;
  /** An instruction of a program that the workload executes: file and offset in it. */
  readonly program?: { readonly path: string; readonly offset: number };
  /** A tracepoint that the workload hits. */
  readonly tracepoint?: string;
  /** Runs something in which the machine meets breakpoints of its own: a program's, another tracer's. */
  readonly foreign?: () => ForeignTraps;
}

/** What a workload did, counted by the machine. */
export interface HostWork {
  /** Calls of the probed function. */
  readonly calls: number;
  /** Tasks that have ended, where that is known. */
  readonly exits?: number;
  /** Executions of `HostFacts.program`, where that is given. */
  readonly programCalls?: number;
}

/** Breakpoints that belong to the machine and not to kscope. */
export interface ForeignTraps {
  /** Breakpoints that the machine has executed. */
  readonly executed: number;
  /** Those that it dealt with as it does without kscope: a SIGTRAP sent, its own probe's handler called. */
  readonly handled: number;
}
