import type { X86Bits } from './insn.js';

/** What differs between kernels of 32 and 64 bits where an instruction is simulated. Slots are those of `PtRegs`. */
export interface X86Mode {
  readonly bits: X86Bits;
  /** Bytes of an address and of a word on the stack. */
  readonly wordSize: 4 | 8;
  readonly ip: number;
  readonly sp: number;
  readonly bp: number;
  readonly cx: number;
  readonly flags: number;
  /** Slot of each general register by its number in encodings. */
  readonly slotOfRegister: readonly number[];
  /**
   * Whether the kernel leaves a trap by copying the frame to just below the stack pointer it returns with (i386's
   * IRET_FRAME): where that pointer has moved down by a few words, the copy would overwrite what it is made of. Then
   * only instructions that push one word, or pop, are simulated; others that move it run in slots.
   */
  readonly copiesTrapFrame: boolean;
}
