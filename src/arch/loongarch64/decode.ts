/** Bytes of every instruction. */
export const INSN_BYTES = 4;

/** The instruction at `offset`, or null where `bytes` end within it. */
export function readInsn(bytes: Uint8Array, offset: number): number | null {
  if (offset + INSN_BYTES > bytes.length) return null;
  return bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24);
}

/** Field rd, the lowest five bits. */
export function rd(word: number): number {
  return word & 31;
}

export function rj(word: number): number {
  return (word >> 5) & 31;
}

export function rk(word: number): number {
  return (word >> 10) & 31;
}

/** Bits 21:10, sign-extended. */
export function si12(word: number): number {
  return (word << 10) >> 20;
}

/** Bits 21:10, zero-extended. */
export function ui12(word: number): number {
  return (word >> 10) & 0xfff;
}

/** Bits 23:10, sign-extended, in units of four. */
export function si14(word: number): number {
  return ((word << 8) >> 18) << 2;
}

/** Bits 24:5, sign-extended. */
export function si20(word: number): number {
  return (word << 7) >> 12;
}

/** Branch distance of beq and its like, and of jirl: bits 25:10, in bytes. */
export function offset16(word: number): number {
  return ((word << 6) >> 16) << 2;
}

/** Branch distance of beqz and bnez, in bytes. */
export function offset21(word: number): number {
  return (((word & 31) << 27) >> 9) | (((word >> 10) & 0xffff) << 2);
}

/** Branch distance of b and bl, in bytes. */
export function offset26(word: number): number {
  return (((word & 0x3ff) << 22) >> 4) | (((word >> 10) & 0xffff) << 2);
}
