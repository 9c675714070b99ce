import type { BpfMap } from './map/bpf-map.js';
import type { Insn } from './isa/insn.js';
import type { ProgramFacts } from './jit/analysis/program-facts.js';
import type { Kfunc } from './kfunc/kfunc.js';

/** Source position of an instruction, from .BTF.ext. */
export interface LineInfo {
  readonly insn: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The source line's text. */
  readonly text: string;
}

/** What a call of a kernel function, or a wide load of a typed kernel symbol, refers to. */
export interface ProgramSymbol {
  readonly name: string;
  /** What a load of it gives. */
  readonly address: bigint;
  /** What runs where it is called; absent for variables, and for functions that the runtime does not have. */
  readonly kfunc?: Kfunc;
}

/** One function of a program: the entry is subprogram 0. */
export interface Subprog {
  readonly name: string;
  /** First instruction slot, and the one after the last. */
  readonly start: number;
  readonly end: number;
  /** Whether some ldimm64 takes its address (BPF_PSEUDO_FUNC). */
  readonly isCallback: boolean;
}

/**
 * What loading a program takes: instructions after linking and CO-RE. In ldimm64, src_reg
 * BPF_PSEUDO_MAP_FD/_IDX and BPF_PSEUDO_MAP_VALUE/_IDX_VALUE hold an index into `maps` in `imm`, and
 * BPF_PSEUDO_FUNC is relative as in the kernel's ABI.
 */
export interface ProgramInput {
  readonly name: string;
  /** BpfProgType number. */
  readonly type: number;
  readonly expectedAttachType: number;
  readonly license: string;
  readonly insns: readonly Insn[];
  readonly maps: readonly BpfMap[];
  readonly lines?: readonly LineInfo[];
  /** Names of functions by their first instruction slot. */
  readonly functionNames?: ReadonlyMap<number, string>;
  /** May sleep (BPF_F_SLEEPABLE). */
  readonly sleepable?: boolean;
  /** Kernel functions (BPF_PSEUDO_KFUNC_CALL) and typed symbols (BPF_PSEUDO_BTF_ID) by the slot that refers to them. */
  readonly symbols?: ReadonlyMap<number, ProgramSymbol>;
  /** What linking has to say of instructions that must never be reached, by slot: shown where a run stops there. */
  readonly notes?: ReadonlyMap<number, string>;
}

/**
 * A program whose structure holds: known encodings, jumps and calls that land on instructions of the
 * right function, nothing unreachable, every path ending in an exit. It says nothing of what the
 * program does with memory: it runs with every run-time check on.
 */
export interface CheckedProgram extends ProgramInput {
  readonly kind: 'checked';
  readonly subprogs: readonly Subprog[];
  /** What has been proved of it; compiled code leaves out the checks that it makes needless. */
  readonly facts?: ProgramFacts;
}

/** What engines take. A verifier will add `VerifiedProgram` with its facts. */
export type Executable = CheckedProgram;
