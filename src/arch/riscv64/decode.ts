import { expandCompressed } from './expand-compressed.js';
import { classify, type RiscvInsnClass } from './insn-class.js';

/** One decoded instruction. Reused by passing it back as `out`. */
export class RiscvInsn {
  /** 2 or 4. */
  length = 0;
  class: RiscvInsnClass = 'other';
  /**
   * The instruction in 32 bits; of a compressed one what it stands for, or 0 where the C extension has no such
   * instruction (another extension may).
   */
  word = 0;
}

/**
 * Length of the instruction at `offset`, by its lowest bits; 0 for the encodings of 48 bits and more, of which none
 * is in use, and where `bytes` ends within it.
 */
export function insnLength(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset];
  const length = (first & 3) !== 3 ? 2 : (first & 0x1c) !== 0x1c ? 4 : 0;
  return offset + length <= bytes.length ? length : 0;
}

/** Decodes the instruction at `offset`; null where there is none (see `insnLength`). */
export function decodeInsn(bytes: Uint8Array, offset: number, out: RiscvInsn = new RiscvInsn()): RiscvInsn | null {
  out.length = insnLength(bytes, offset);
  if (out.length === 0) return null;
  const low = bytes[offset] | (bytes[offset + 1] << 8);
  if (out.length === 4) {
    out.word = low | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24);
    out.class = classify(out.word);
  } else {
    out.word = expandCompressed(low);
    out.class = low === 0 ? 'illegal' : classify(out.word);
  }
  return out;
}
