import type { EngineProgram } from './engine.js';
import type { Executable } from './executable.js';
import type { BpfOffset } from './memory/bpf-memory.js';

/** The hits of one attachment, counted while they happen. */
export interface HitAccount {
  readonly counts: { readonly runs: number; readonly recursion: number };
}

/** A loaded program. Reference-counted: links and prog arrays keep it alive after its creator closed it. */
export interface BpfProgram {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly executable: Executable;
  readonly engine: EngineProgram;
  /** Statistics as BPF_ENABLE_STATS shows them: runs begun, and hits missed because a program was running. */
  readonly runCount: bigint;
  readonly recursionMisses: bigint;
  /** Offset of a u32 per CPU, not 0 while the program runs there: raw tracepoints miss a hit that finds it so. */
  readonly active: BpfOffset;
  /** The account counts as the program's, from now on; after `closeAccount` what it has counted so far. */
  addAccount(account: HitAccount): void;
  closeAccount(account: HitAccount): void;
  /** EBADF once the last reference has gone. */
  retain(): void;
  release(): void;
}
