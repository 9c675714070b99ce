import type { Executable } from './executable.js';
import type { BpfRunCtx } from './run-context.js';
import type { Runtime } from './runtime.js';

/** Turns an executable into something that runs. Swappable: interpreter and JIT are two of them. */
export interface Engine {
  readonly name: 'interp' | 'jit';
  instantiate(executable: Executable, runtime: Runtime): EngineProgram;
  /** The same for programs of one object, which may share what it takes. All or none: it throws what the first throws. */
  instantiateAll(executables: readonly Executable[], runtime: Runtime): EngineProgram[];
}

export interface EngineProgram {
  /**
   * Runs with r1 = pointer to offset `ctx` of BpfMemory, r2 = `r2` (0 but for the plugin protocol).
   * Returns the low word of r0 (signed) and leaves the high word in `run.resultHi`. A run that had to stop
   * returns 0 and leaves the reason in `run.fault`.
   */
  run(run: BpfRunCtx, ctx: number, r2?: number): number;
  /** Compiled programs only. */
  readonly compiled?: CompiledProgram;
  dispose(): void;
}

export type BatchEntry = (ctx: number, cpu: number, attachment: number, count: number, stride: number) => void;

/** A program that may be entered without the detour of `run`. */
export interface CompiledProgram {
  /**
   * WebAssembly. As `(ctx, cpu, attachment)` a whole hit, guard and accounts included: only where `isClosed`. As
   * `(ctx, run.stackPointer, 0)` the run between `begin` and `end`, or several if it uses no budget. The low word of r0; throws `RunEnded` where the
   * run has to stop.
   */
  readonly entry: (ctx: number, cpuOrStack: number, attachment: number) => number;
  /**
   * `count` hits on contexts that stand `stride` bytes apart, in one call. A hit that throws ends it. Only where
   * `isClosed`, and the program is of a type that hooks run.
   */
  readonly batch: BatchEntry | undefined;
  /** It calls nothing outside: hits need no run context. */
  readonly isClosed: boolean;
  /** False: no run has to stop, and `entry` never throws. */
  readonly mayStop: boolean;
  /** It takes from the budget of its run. */
  readonly usesBudget: boolean;
  /** Bytes that a context must have for `entry`. */
  readonly contextNeed: number;
  /** Bytes of the context that hits may look at; Infinity where that is not known. */
  readonly contextUse: number;
  begin(run: BpfRunCtx, ctx: number): void;
  end(run: BpfRunCtx): void;
}

/** Why and where a run stopped. */
export interface ProgramFault {
  readonly program: string;
  /** Instruction slot. */
  readonly pc: number;
  readonly reason: string;
  /** r0 .. r10 when it stopped. */
  readonly registers: readonly bigint[];
  /** `file:line: text`, where the object has line information. */
  readonly source: string | undefined;
}
