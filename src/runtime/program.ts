import type { EngineProgram } from './engine.js';
import type { Executable } from './executable.js';

/** A loaded program. Reference-counted: links and prog arrays keep it alive after its creator closed it. */
export interface BpfProgram {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly executable: Executable;
  readonly engine: EngineProgram;
  /** Statistics as BPF_ENABLE_STATS shows them: runs begun (`Runtime.leave` counts), hits missed. */
  readonly runCount: bigint;
  recursionMisses: bigint;
  /** Per CPU, how often the program runs now: raw tracepoints miss a hit that finds it running. Zeroed once. */
  readonly active: Int32Array;
  retain(): void;
  release(): void;
}
