/** One instruction form: what is fixed in its encoding, and which flags hardware leaves undefined. */
export interface InsnForm {
  readonly name: string;
  /** F2 or F3 in front. */
  readonly prefix?: number;
  readonly twoByte?: boolean;
  readonly opcode: number;
  /** Low three opcode bits are a register. */
  readonly opcodeReg?: boolean;
  readonly modrm?: boolean;
  /** ModRM.reg where it extends the opcode. */
  readonly digit?: number;
  readonly imm?: 'b' | 'w' | 'z' | 'v' | 'rel8' | 'rel32' | 'enter';
  /** Operand sizes to try. */
  readonly sizes: readonly number[];
  /** Operands are bytes by opcode, not by prefix. */
  readonly byte?: boolean;
  readonly memory?: 'only' | 'never';
  readonly lock?: boolean;
  /** Flags not compared. */
  readonly undefinedFlags?: number;
  /** Special care in setting up or comparing. */
  readonly kind?:
    | 'shift'
    | 'double-shift'
    | 'divide'
    | 'string'
    | 'bit-index'
    | 'scan'
    | 'stack'
    | 'popf'
    | 'frame'
    | 'loop'
    | 'pair';
}

const CF = 1;
const PF = 4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;
const ALL = CF | PF | AF | ZF | SF | OF;
const WIDE = [2, 4, 8];

function arithmetic(): InsnForm[] {
  const names = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'];
  return names.flatMap((name, i): InsnForm[] => {
    const undefinedFlags = name === 'or' || name === 'and' || name === 'xor' ? AF : 0;
    const lock = name !== 'cmp';
    const base = 8 * i;
    return [
      { name: `${name} rm8,r8`, opcode: base, modrm: true, byte: true, sizes: [1], lock, undefinedFlags },
      { name: `${name} rm,r`, opcode: base + 1, modrm: true, sizes: WIDE, lock, undefinedFlags },
      { name: `${name} r8,rm8`, opcode: base + 2, modrm: true, byte: true, sizes: [1], undefinedFlags },
      { name: `${name} r,rm`, opcode: base + 3, modrm: true, sizes: WIDE, undefinedFlags },
      { name: `${name} al,imm8`, opcode: base + 4, imm: 'b', byte: true, sizes: [1], undefinedFlags },
      { name: `${name} eax,imm`, opcode: base + 5, imm: 'z', sizes: WIDE, undefinedFlags },
      {
        name: `${name} rm8,imm8`,
        opcode: 0x80,
        modrm: true,
        digit: i,
        imm: 'b',
        byte: true,
        sizes: [1],
        lock,
        undefinedFlags,
      },
      { name: `${name} rm,imm`, opcode: 0x81, modrm: true, digit: i, imm: 'z', sizes: WIDE, lock, undefinedFlags },
      { name: `${name} rm,imm8`, opcode: 0x83, modrm: true, digit: i, imm: 'b', sizes: WIDE, lock, undefinedFlags },
    ];
  });
}

function shifts(): InsnForm[] {
  const names = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sal', 'sar'];
  return names.flatMap((name, digit): InsnForm[] => {
    const common = { modrm: true, digit, kind: 'shift' } as const;
    return [
      { ...common, name: `${name} rm8,imm8`, opcode: 0xc0, imm: 'b', byte: true, sizes: [1] },
      { ...common, name: `${name} rm,imm8`, opcode: 0xc1, imm: 'b', sizes: WIDE },
      { ...common, name: `${name} rm8,1`, opcode: 0xd0, byte: true, sizes: [1] },
      { ...common, name: `${name} rm,1`, opcode: 0xd1, sizes: WIDE },
      { ...common, name: `${name} rm8,cl`, opcode: 0xd2, byte: true, sizes: [1] },
      { ...common, name: `${name} rm,cl`, opcode: 0xd3, sizes: WIDE },
    ];
  });
}

function group3(): InsnForm[] {
  const forms: [string, number, number, InsnForm['kind'] | undefined][] = [
    ['test', 0, AF, undefined],
    ['not', 2, 0, undefined],
    ['neg', 3, 0, undefined],
    ['mul', 4, ALL & ~(CF | OF), undefined],
    ['imul', 5, ALL & ~(CF | OF), undefined],
    ['div', 6, ALL, 'divide'],
    ['idiv', 7, ALL, 'divide'],
  ];
  return forms.flatMap(([name, digit, undefinedFlags, kind]): InsnForm[] => {
    const common = {
      modrm: true,
      digit,
      undefinedFlags,
      lock: digit === 2 || digit === 3,
      ...(kind === undefined ? {} : { kind }),
    } as const;
    return [
      { ...common, name: `${name} rm8`, opcode: 0xf6, byte: true, sizes: [1], ...(digit === 0 ? { imm: 'b' } : {}) },
      { ...common, name: `${name} rm`, opcode: 0xf7, sizes: WIDE, ...(digit === 0 ? { imm: 'z' } : {}) },
    ];
  });
}

function conditional(): InsnForm[] {
  return Array.from({ length: 16 }, (_, cc): InsnForm[] => [
    { name: `set${cc}`, twoByte: true, opcode: 0x90 + cc, modrm: true, byte: true, sizes: [1] },
    { name: `cmov${cc}`, twoByte: true, opcode: 0x40 + cc, modrm: true, sizes: WIDE },
    { name: `j${cc} rel8`, opcode: 0x70 + cc, imm: 'rel8', sizes: [4] },
    { name: `j${cc} rel32`, twoByte: true, opcode: 0x80 + cc, imm: 'rel32', sizes: [4] },
  ]).flat();
}

function bits(): InsnForm[] {
  const undefinedFlags = OF | SF | AF | PF;
  const names = ['bt', 'bts', 'btr', 'btc'];
  const tests = names.flatMap((name, i): InsnForm[] => [
    {
      name: `${name} rm,r`,
      twoByte: true,
      opcode: 0xa3 + 8 * i,
      modrm: true,
      sizes: WIDE,
      undefinedFlags,
      kind: 'bit-index',
      lock: i > 0,
    },
    {
      name: `${name} rm,imm8`,
      twoByte: true,
      opcode: 0xba,
      digit: 4 + i,
      modrm: true,
      imm: 'b',
      sizes: WIDE,
      undefinedFlags,
      lock: i > 0,
    },
  ]);
  return [
    ...tests,
    { name: 'bsf', twoByte: true, opcode: 0xbc, modrm: true, sizes: WIDE, undefinedFlags: ALL & ~ZF, kind: 'scan' },
    { name: 'bsr', twoByte: true, opcode: 0xbd, modrm: true, sizes: WIDE, undefinedFlags: ALL & ~ZF, kind: 'scan' },
    {
      name: 'tzcnt',
      prefix: 0xf3,
      twoByte: true,
      opcode: 0xbc,
      modrm: true,
      sizes: WIDE,
      undefinedFlags: OF | SF | PF | AF,
    },
    {
      name: 'lzcnt',
      prefix: 0xf3,
      twoByte: true,
      opcode: 0xbd,
      modrm: true,
      sizes: WIDE,
      undefinedFlags: OF | SF | PF | AF,
    },
    { name: 'popcnt', prefix: 0xf3, twoByte: true, opcode: 0xb8, modrm: true, sizes: WIDE },
    { name: 'shld imm8', twoByte: true, opcode: 0xa4, modrm: true, imm: 'b', sizes: WIDE, kind: 'double-shift' },
    { name: 'shld cl', twoByte: true, opcode: 0xa5, modrm: true, sizes: WIDE, kind: 'double-shift' },
    { name: 'shrd imm8', twoByte: true, opcode: 0xac, modrm: true, imm: 'b', sizes: WIDE, kind: 'double-shift' },
    { name: 'shrd cl', twoByte: true, opcode: 0xad, modrm: true, sizes: WIDE, kind: 'double-shift' },
    { name: 'bswap', twoByte: true, opcode: 0xc8, opcodeReg: true, sizes: [4, 8] },
  ];
}

function moves(): InsnForm[] {
  return [
    { name: 'mov rm8,r8', opcode: 0x88, modrm: true, byte: true, sizes: [1] },
    { name: 'mov rm,r', opcode: 0x89, modrm: true, sizes: WIDE },
    { name: 'mov r8,rm8', opcode: 0x8a, modrm: true, byte: true, sizes: [1] },
    { name: 'mov r,rm', opcode: 0x8b, modrm: true, sizes: WIDE },
    { name: 'mov rm8,imm8', opcode: 0xc6, digit: 0, modrm: true, imm: 'b', byte: true, sizes: [1] },
    { name: 'mov rm,imm', opcode: 0xc7, digit: 0, modrm: true, imm: 'z', sizes: WIDE },
    { name: 'mov r8,imm8', opcode: 0xb0, opcodeReg: true, imm: 'b', byte: true, sizes: [1] },
    { name: 'mov r,imm', opcode: 0xb8, opcodeReg: true, imm: 'v', sizes: WIDE },
    { name: 'movzx r,rm8', twoByte: true, opcode: 0xb6, modrm: true, sizes: WIDE },
    { name: 'movzx r,rm16', twoByte: true, opcode: 0xb7, modrm: true, sizes: [4, 8] },
    { name: 'movsx r,rm8', twoByte: true, opcode: 0xbe, modrm: true, sizes: WIDE },
    { name: 'movsx r,rm16', twoByte: true, opcode: 0xbf, modrm: true, sizes: [4, 8] },
    { name: 'movsxd', opcode: 0x63, modrm: true, sizes: [4, 8] },
    { name: 'movnti', twoByte: true, opcode: 0xc3, modrm: true, memory: 'only', sizes: [4, 8] },
    { name: 'lea', opcode: 0x8d, modrm: true, memory: 'only', sizes: WIDE },
    { name: 'xchg rm8,r8', opcode: 0x86, modrm: true, byte: true, sizes: [1], lock: true },
    { name: 'xchg rm,r', opcode: 0x87, modrm: true, sizes: WIDE, lock: true },
    { name: 'xchg rax,r', opcode: 0x90, opcodeReg: true, sizes: WIDE },
    { name: 'cmpxchg rm8', twoByte: true, opcode: 0xb0, modrm: true, byte: true, sizes: [1], lock: true },
    { name: 'cmpxchg rm', twoByte: true, opcode: 0xb1, modrm: true, sizes: WIDE, lock: true },
    { name: 'xadd rm8', twoByte: true, opcode: 0xc0, modrm: true, byte: true, sizes: [1], lock: true },
    { name: 'xadd rm', twoByte: true, opcode: 0xc1, modrm: true, sizes: WIDE, lock: true },
    {
      name: 'cmpxchg8b/16b',
      twoByte: true,
      opcode: 0xc7,
      digit: 1,
      modrm: true,
      memory: 'only',
      sizes: [4, 8],
      lock: true,
      kind: 'pair',
    },
    { name: 'cbw', opcode: 0x98, sizes: WIDE },
    { name: 'cwd', opcode: 0x99, sizes: WIDE },
    { name: 'sahf', opcode: 0x9e, sizes: [4] },
    { name: 'lahf', opcode: 0x9f, sizes: [4] },
    { name: 'test rm8,r8', opcode: 0x84, modrm: true, byte: true, sizes: [1], undefinedFlags: AF },
    { name: 'test rm,r', opcode: 0x85, modrm: true, sizes: WIDE, undefinedFlags: AF },
    { name: 'test al,imm8', opcode: 0xa8, imm: 'b', byte: true, sizes: [1], undefinedFlags: AF },
    { name: 'test eax,imm', opcode: 0xa9, imm: 'z', sizes: WIDE, undefinedFlags: AF },
    { name: 'inc rm8', opcode: 0xfe, digit: 0, modrm: true, byte: true, sizes: [1], lock: true },
    { name: 'dec rm8', opcode: 0xfe, digit: 1, modrm: true, byte: true, sizes: [1], lock: true },
    { name: 'inc rm', opcode: 0xff, digit: 0, modrm: true, sizes: WIDE, lock: true },
    { name: 'dec rm', opcode: 0xff, digit: 1, modrm: true, sizes: WIDE, lock: true },
    { name: 'imul r,rm', twoByte: true, opcode: 0xaf, modrm: true, sizes: WIDE, undefinedFlags: ALL & ~(CF | OF) },
    { name: 'imul r,rm,imm', opcode: 0x69, modrm: true, imm: 'z', sizes: WIDE, undefinedFlags: ALL & ~(CF | OF) },
    { name: 'imul r,rm,imm8', opcode: 0x6b, modrm: true, imm: 'b', sizes: WIDE, undefinedFlags: ALL & ~(CF | OF) },
    { name: 'clc', opcode: 0xf8, sizes: [4] },
    { name: 'stc', opcode: 0xf9, sizes: [4] },
    { name: 'cmc', opcode: 0xf5, sizes: [4] },
    { name: 'cld', opcode: 0xfc, sizes: [4] },
    { name: 'std', opcode: 0xfd, sizes: [4] },
    { name: 'nop rm', twoByte: true, opcode: 0x1f, digit: 0, modrm: true, sizes: WIDE },
    { name: 'pause', prefix: 0xf3, opcode: 0x90, sizes: [4] },
    { name: 'endbr64', prefix: 0xf3, twoByte: true, opcode: 0x1e, sizes: [4] },
  ];
}

function stackAndFlow(): InsnForm[] {
  return [
    { name: 'push r', opcode: 0x50, opcodeReg: true, sizes: [8], kind: 'stack' },
    { name: 'pop r', opcode: 0x58, opcodeReg: true, sizes: [8], kind: 'stack' },
    { name: 'push imm', opcode: 0x68, imm: 'z', sizes: [8], kind: 'stack' },
    { name: 'push imm8', opcode: 0x6a, imm: 'b', sizes: [8], kind: 'stack' },
    { name: 'push rm', opcode: 0xff, digit: 6, modrm: true, sizes: [8], kind: 'stack' },
    { name: 'pop rm', opcode: 0x8f, digit: 0, modrm: true, sizes: [8], kind: 'stack' },
    { name: 'pushf', opcode: 0x9c, sizes: [8], kind: 'stack' },
    { name: 'popf', opcode: 0x9d, sizes: [8], kind: 'popf' },
    { name: 'leave', opcode: 0xc9, sizes: [8], kind: 'frame' },
    { name: 'jmp rel8', opcode: 0xeb, imm: 'rel8', sizes: [4] },
    { name: 'jmp rel32', opcode: 0xe9, imm: 'rel32', sizes: [4] },
    { name: 'call rel32', opcode: 0xe8, imm: 'rel32', sizes: [4], kind: 'stack' },
    { name: 'loopne', opcode: 0xe0, imm: 'rel8', sizes: [4], kind: 'loop' },
    { name: 'loope', opcode: 0xe1, imm: 'rel8', sizes: [4], kind: 'loop' },
    { name: 'loop', opcode: 0xe2, imm: 'rel8', sizes: [4], kind: 'loop' },
    { name: 'jrcxz', opcode: 0xe3, imm: 'rel8', sizes: [4], kind: 'loop' },
    { name: 'ud2', twoByte: true, opcode: 0x0b, sizes: [4] },
    { name: 'hlt', opcode: 0xf4, sizes: [4] },
    { name: 'cli', opcode: 0xfa, sizes: [4] },
  ];
}

function strings(): InsnForm[] {
  const names: [string, number][] = [
    ['movs', 0xa4],
    ['cmps', 0xa6],
    ['stos', 0xaa],
    ['lods', 0xac],
    ['scas', 0xae],
  ];
  return names.flatMap(([name, opcode]) =>
    [undefined, 0xf3, 0xf2].flatMap((prefix): InsnForm[] => {
      const common = { kind: 'string', ...(prefix === undefined ? {} : { prefix }) } as const;
      const title = prefix === undefined ? name : `${prefix === 0xf3 ? 'rep' : 'repne'} ${name}`;
      return [
        { ...common, name: `${title}b`, opcode, byte: true, sizes: [1] },
        { ...common, name: title, opcode: opcode + 1, sizes: WIDE },
      ];
    }),
  );
}

/** Every form of the subset that user mode may execute. */
export const insnForms: readonly InsnForm[] = [
  ...arithmetic(),
  ...shifts(),
  ...group3(),
  ...conditional(),
  ...bits(),
  ...moves(),
  ...stackAndFlow(),
  ...strings(),
];
