import type { Insn } from '../../../../src/runtime/index.js';

/** Instructions in a row, and the functions whose addresses some of them load. */
export interface Piece {
  readonly insns: readonly Insn[];
  /** `at` is the 64-bit load, counted from the piece's first instruction. */
  readonly callbacks: readonly { readonly at: number; readonly body: readonly Insn[] }[];
}

export function piece(...insns: readonly (Insn | readonly Insn[])[]): Piece {
  return { insns: insns.flat<readonly (Insn | readonly Insn[])[]>(), callbacks: [] };
}
