import type { CpuState } from './cpu-state.js';

/** Executes one instruction; `cpu.ipLo/ipHi` already point past it. */
export type OpHandler = (cpu: CpuState, op: Op) => void;

/** Computes on two operands given as word indices into `cpu.r`; the result goes to `d`. */
export type OperandFn = (cpu: CpuState, d: number, s: number) => void;

/** Where an operand is: a register, memory at the effective address, AH..BH, or the immediate. */
export const OperandKind = { REGISTER: 0, MEMORY: 1, HIGH_BYTE: 2, IMMEDIATE: 3 } as const;

function nothing(): void {}

/** An instruction prepared for execution. One shape for all, so that the run loop stays monomorphic. */
export class Op {
  run: OpHandler = nothing;
  fn: OperandFn = nothing;
  length = 0;
  /** Operand size in bytes. */
  size = 4;
  /** Word index of the destination register (of the register that contains it for AH..BH). */
  d = 0;
  s = 0;
  dKind: number = OperandKind.REGISTER;
  sKind: number = OperandKind.REGISTER;
  /** The destination is written back; false for cmp, test and bt. */
  writes = true;
  /** Word index of base and index register, or -1. */
  base = -1;
  index = -1;
  scale = 0;
  dispLo = 0;
  dispHi = 0;
  /** 0 none, 1 FS, 2 GS. */
  segment = 0;
  ripRelative = false;
  address32 = false;
  immLo = 0;
  immHi = 0;
  /** Condition code, repeat prefix, or whatever else `run` needs. */
  extra = 0;
  /** A lock prefix is allowed. */
  lockable = false;
}
