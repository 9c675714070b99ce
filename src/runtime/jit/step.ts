import { DST_MASK, DST_SHIFT, INSN_WORDS, OP_MASK, SRC_SHIFT } from '../interp/insn-word.js';
import type { ProgramCode } from '../interp/predecode.js';

/** One predecoded instruction, unpacked. */
export interface Step {
  /** Its number among the predecoded ones. */
  readonly index: number;
  readonly op: number;
  /** Register number of dst. */
  readonly d: number;
  /** Word index of src in the register file: of a register or of a constant. */
  readonly s: number;
  /** Offset, jump target or number. */
  readonly x: number;
}

export function stepAt({ words }: ProgramCode, index: number): Step {
  const word = words[index * INSN_WORDS];
  const d = ((word >>> DST_SHIFT) & DST_MASK) / 2;
  return { index, op: word & OP_MASK, d, s: word >>> SRC_SHIFT, x: words[index * INSN_WORDS + 1] };
}

/** The instruction at which a word of the code, such as a jump target, is. */
export function indexOfWord(word: number): number {
  return word / INSN_WORDS;
}

export function stepCount({ words }: ProgramCode): number {
  return words.length / INSN_WORDS;
}
