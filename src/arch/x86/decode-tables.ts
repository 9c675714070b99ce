/**
 * What follows each opcode byte, one row of sixteen opcodes per line. A cell is `.` or letters:
 *
 * `-` no such opcode   `m` ModRM   `b` imm8   `w` imm16   `z` imm32 (imm16 with 66)   `v` immediate of the operand size
 * `o` absolute address   `j` rel8   `J` rel32   `e` imm16 then imm8   `3` imm of the operand size if ModRM.reg is 0 or 1
 * `1` operands are bytes   `d` operand size defaults to 64   `f` operand size is 64   `r` ModRM is always a register pair
 * `p` far pointer: an offset of the operand size, then a selector
 *
 * `d` and `f` count in 64-bit mode only. After Intel's SDM volume 2, appendix A.
 */
const ONE_BYTE_64 = [
  /* 00 */ 'm1 m m1 m b1 z - - m1 m m1 m b1 z - -',
  /* 10 */ 'm1 m m1 m b1 z - - m1 m m1 m b1 z - -',
  /* 20 */ 'm1 m m1 m b1 z - - m1 m m1 m b1 z - -',
  /* 30 */ 'm1 m m1 m b1 z - - m1 m m1 m b1 z - -',
  /* 40 */ '- - - - - - - - - - - - - - - -',
  /* 50 */ 'd d d d d d d d d d d d d d d d',
  /* 60 */ '- - - m - - - - zd mz bd mb 1 . 1 .',
  /* 70 */ 'jf jf jf jf jf jf jf jf jf jf jf jf jf jf jf jf',
  /* 80 */ 'mb1 mz - mb m1 m m1 m m1 m m1 m m m m md',
  /* 90 */ '. . . . . . . . . . - . d d . .',
  /* a0 */ 'o1 o o1 o 1 . 1 . b1 z 1 . 1 . 1 .',
  /* b0 */ 'b1 b1 b1 b1 b1 b1 b1 b1 v v v v v v v v',
  /* c0 */ 'mb1 mb wf f - - mb1 mz ed d w . . b - .',
  /* d0 */ 'm1 m m1 m - - - 1 m m m m m m m m',
  /* e0 */ 'jf jf jf jf b1 b b1 b Jf Jf - jf 1 . 1 .',
  /* f0 */ '- . - - . . m31 m3 . . . . . . m1 m',
];

/** The rows of 32-bit mode that are others; 40 to 4f are no REX there. C4, C5 and 62 with a register are vector prefixes. */
const ONE_BYTE_32: Readonly<Record<number, string>> = {
  0x0: 'm1 m m1 m b1 z . . m1 m m1 m b1 z . -',
  0x1: 'm1 m m1 m b1 z . . m1 m m1 m b1 z . .',
  0x2: 'm1 m m1 m b1 z - . m1 m m1 m b1 z - .',
  0x3: 'm1 m m1 m b1 z - . m1 m m1 m b1 z - .',
  0x4: '. . . . . . . . . . . . . . . .',
  0x6: '. . m m - - - - z mz b mb 1 . 1 .',
  0x8: 'mb1 mz mb1 mb m1 m m1 m m1 m m1 m m m m m',
  0x9: '. . . . . . . . . . p . . . . .',
  0xc: 'mb1 mb w . m m mb1 mz e . w . . b . .',
  0xd: 'm1 m m1 m b b . 1 m m m m m m m m',
  0xe: 'j j j j b1 b b1 b J J p j 1 . 1 .',
};

const TWO_BYTE = [
  /* 00 */ 'm m m m - . . . . . - . - m . mb',
  /* 10 */ 'm m m m m m m m m m m m m m m m',
  /* 20 */ 'mrf mrf mrf mrf - - - - m m m m m m m m',
  /* 30 */ '. . . . . . - . - - - - - - - -',
  /* 40 */ 'm m m m m m m m m m m m m m m m',
  /* 50 */ 'm m m m m m m m m m m m m m m m',
  /* 60 */ 'm m m m m m m m m m m m m m m m',
  /* 70 */ 'mb mb mb mb m m m . m m m m m m m m',
  /* 80 */ 'Jf Jf Jf Jf Jf Jf Jf Jf Jf Jf Jf Jf Jf Jf Jf Jf',
  /* 90 */ 'm1 m1 m1 m1 m1 m1 m1 m1 m1 m1 m1 m1 m1 m1 m1 m1',
  /* a0 */ 'd d . m mb m m m d d . m mb m m m',
  /* b0 */ 'm1 m m m m m m m m m mb m m m m m',
  /* c0 */ 'm1 m mb m mb mb mb m . . . . . . . .',
  /* d0 */ 'm m m m m m m m m m m m m m m m',
  /* e0 */ 'm m m m m m m m m m m m m m m m',
  /* f0 */ 'm m m m m m m m m m m m m m m m',
];

/** Bits of a table cell. */
export const InsnFlag = {
  INVALID: 0x1,
  MODRM: 0x2,
  IMM8: 0x4,
  IMM16: 0x8,
  IMMZ: 0x10,
  IMMV: 0x20,
  MOFFS: 0x40,
  REL8: 0x80,
  REL32: 0x100,
  ENTER: 0x200,
  GROUP3: 0x400,
  BYTE: 0x800,
  DEFAULT64: 0x1000,
  FORCE64: 0x2000,
  REGISTERS: 0x4000,
  FAR: 0x8000,
} as const;

const LETTERS: Readonly<Record<string, number>> = {
  '.': 0,
  '-': InsnFlag.INVALID,
  m: InsnFlag.MODRM,
  b: InsnFlag.IMM8,
  w: InsnFlag.IMM16,
  z: InsnFlag.IMMZ,
  v: InsnFlag.IMMV,
  o: InsnFlag.MOFFS,
  j: InsnFlag.REL8,
  J: InsnFlag.REL32,
  e: InsnFlag.ENTER,
  '3': InsnFlag.GROUP3,
  '1': InsnFlag.BYTE,
  d: InsnFlag.DEFAULT64,
  f: InsnFlag.FORCE64,
  r: InsnFlag.REGISTERS,
  p: InsnFlag.FAR,
};

function parse(rows: readonly string[]): Uint16Array {
  const cells = rows.flatMap((row) => row.split(' '));
  return Uint16Array.from(cells, (cell) => cell.split('').reduce((flags, letter) => flags | (LETTERS[letter] ?? 0), 0));
}

/** Flags of the opcodes without escape in 64-bit mode. */
export const oneByteFlags64: Uint16Array = parse(ONE_BYTE_64);
/** The same in 32-bit mode. */
export const oneByteFlags32: Uint16Array = parse(ONE_BYTE_64.map((row, high) => ONE_BYTE_32[high] ?? row));
/** Flags of the opcodes after 0F. */
export const twoByteFlags: Uint16Array = parse(TWO_BYTE);
