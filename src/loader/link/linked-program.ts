import type { AttachTarget, Insn, LineInfo, MapSpec, ProgramSymbol } from '../../runtime/index.js';
import type { CoreDiagnostic } from './core-diagnostic.js';

/** A program ready to be loaded, still without a machine: calls, globals, maps, externs and CO-RE resolved. */
export interface LinkedProgram {
  readonly name: string;
  readonly section: string;
  readonly type: number;
  readonly expectedAttachType: number;
  readonly attach: AttachTarget;
  /** Wide loads of maps and of global data hold an index into `maps` where the kernel wants a descriptor. */
  readonly insns: readonly Insn[];
  /** The maps the program refers to, in the order of first reference. */
  readonly maps: readonly MapSpec[];
  /** Every wide load of a map or of global data. */
  readonly mapReferences: readonly MapReference[];
  readonly lines: readonly LineInfo[];
  /** Names of functions by their first slot; the entry is at 0. */
  readonly functionNames: ReadonlyMap<number, string>;
  /** Every CO-RE relocation of the program and how it came out. */
  readonly core: readonly CoreDiagnostic[];
  readonly sleepable: boolean;
  /** Kernel functions and typed kernel symbols by the slot that refers to them. */
  readonly symbols: ReadonlyMap<number, ProgramSymbol>;
}

export interface MapReference {
  /** Instruction slot. */
  readonly insn: number;
  readonly map: string;
}
