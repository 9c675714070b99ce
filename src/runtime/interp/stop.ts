import type { BpfRunCtx } from '../run-context.js';

/**
 * Thrown inside the interpreter to end a run that may not go on; it never leaves `EngineProgram.run`, which
 * turns it into a `ProgramFault`. `pc` is filled in by the loop that was executing.
 */
export class RunStopped extends Error {
  override readonly name = 'RunStopped';
  /** Index of the instruction in the predecoded program, -1 until known. */
  index = -1;
}

/** Thrown through compiled code once the fault is described. */
export class RunEnded extends RunStopped {
  /** The run that has ended; null where there was none to speak of. */
  readonly run: BpfRunCtx | null;

  constructor(reason: string, run: BpfRunCtx | null) {
    super(reason);
    this.run = run;
  }
}

export const BUDGET_USED = 'the instruction budget of the run is used up';
