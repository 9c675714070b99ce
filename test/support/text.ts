/** Machine code of the small functions that the tests probe. */

/** push %rbp; mov %rsp,%rbp; mov %edi,%eax; pause; pop %rbp; ret */
export const FRAME = [0x55, 0x48, 0x89, 0xe5, 0x89, 0xf8, 0xf3, 0x90, 0x5d, 0xc3];
/** Offsets of its instructions. */
export const FRAME_INSNS = [0, 1, 4, 6, 8, 9];
/** The instruction of FRAME that only a slot can execute. */
export const FRAME_SLOT_INSN = 6;

/** nop; ret */
export const LEAF = [0x90, 0xc3];

/** `call` of a function `distance` bytes behind the call instruction's end. */
export function call(distance: number): number[] {
  return [0xe8, ...word32(distance)];
}

/** `jmp` likewise. */
export function jump(distance: number): number[] {
  return [0xe9, ...word32(distance)];
}

function word32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff];
}
