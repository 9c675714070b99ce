import { BpfError } from '../../base/index.js';

/**
 * A predecoded instruction is two words: operation, low word of dst and low word of src (indexes into the
 * register file) share the first; offset, jump target or number is the second. Two loads per instruction
 * instead of four are worth a sixth of the interpreter's time. The loop repeats the numbers as literals,
 * checked by `satisfies`: an imported constant would be loaded anew for each instruction.
 */
export const INSN_WORDS = 2;
export const OP_MASK = 0x7f;
export const DST_SHIFT = 7;
export const DST_MASK = 0x1f;
export const SRC_SHIFT = 12;
/** Words of the register file that the first word can address. */
const MAX_REGISTER_WORDS = 1 << (32 - SRC_SHIFT);

export function packInsn(op: number, dst: number, src: number): number {
  if (src < MAX_REGISTER_WORDS) return op | (dst << DST_SHIFT) | (src << SRC_SHIFT);
  throw new BpfError('E2BIG', 'the program has too many different constants for the interpreter', {
    value: src >> 1,
    remedy: `at most ${MAX_REGISTER_WORDS >> 1} are possible: load them from a map`,
  });
}
