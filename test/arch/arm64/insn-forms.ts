import type { Random } from '../../host/sim/random.js';

/** One form of instruction: `word` with random bits where `fields` has ones. */
export interface InsnForm {
  readonly name: string;
  readonly word: number;
  readonly fields: number;
  /** What a probe does with it; `open`: also a slot, where the registers chosen are those whose outcome is left open. */
  readonly plan: 'simulate' | 'slot' | 'open';
  /** The base register (bits 9 to 5) points to memory. */
  readonly memory?: true;
  /** The base register is the stack pointer, which moves or is stored below of: simulated where the host allows that. */
  readonly stack?: true;
  /** Register `rm` (bits 20 to 16) is an index: small. */
  readonly index?: true;
  /** Register `rn` is the target of a branch. */
  readonly target?: true;
  /** Words that are reserved, left open, or belong to another form. */
  readonly reserved?: (word: number) => boolean;
}

const RD = 0x1f;
const RN = 0x3e0;
const RM = 0x1f_0000;
const RT2 = 0x7c00;
const IMM12 = 0x3f_fc00;
const IMM9 = 0x1f_f000;
const IMM7 = 0x3f_8000;
const IMM19 = 0xff_ffe0;
const SF = 0x8000_0000;

/** Shifts of 32 bits or more do not exist in 32-bit instructions. */
const shiftReserved = (word: number): boolean => word >= 0 && (word & 0x8000) !== 0;

const branches: readonly InsnForm[] = [
  { name: 'b', word: 0x1400_0000, fields: 0x3ff_ffff, plan: 'simulate' },
  { name: 'bl', word: 0x9400_0000, fields: 0x3ff_ffff, plan: 'simulate' },
  { name: 'b.cond', word: 0x5400_0000, fields: IMM19 | 0xf, plan: 'simulate' },
  { name: 'cbz', word: 0x3400_0000, fields: SF | IMM19 | RD, plan: 'simulate' },
  { name: 'cbnz', word: 0x3500_0000, fields: SF | IMM19 | RD, plan: 'simulate' },
  { name: 'tbz', word: 0x3600_0000, fields: SF | IMM19 | RD, plan: 'simulate' },
  { name: 'tbnz', word: 0x3700_0000, fields: SF | IMM19 | RD, plan: 'simulate' },
  { name: 'br', word: 0xd61f_0000, fields: RN, plan: 'simulate', target: true },
  { name: 'blr', word: 0xd63f_0000, fields: RN, plan: 'simulate', target: true },
  { name: 'ret', word: 0xd65f_0000, fields: RN, plan: 'simulate', target: true },
  { name: 'adr', word: 0x1000_0000, fields: 0x60ff_ffff, plan: 'simulate' },
  { name: 'adrp', word: 0x9000_0000, fields: 0x60ff_ffff, plan: 'simulate' },
  { name: 'nop', word: 0xd503_201f, fields: 0, plan: 'simulate' },
  { name: 'bti', word: 0xd503_241f, fields: 0xc0, plan: 'simulate' },
];

const literals: readonly InsnForm[] = [
  { name: 'ldr literal', word: 0x1800_0000, fields: 0x40ff_ffff, plan: 'simulate' },
  { name: 'ldrsw literal', word: 0x9800_0000, fields: 0xff_ffff, plan: 'simulate' },
];

const arithmetic: readonly InsnForm[] = [
  ...[0, 1, 2, 3].map((op): InsnForm => {
    const name = ['add', 'adds', 'sub', 'subs'][op];
    const word = 0x1100_0000 | (op << 29);
    // Number 31 would be the stack pointer, which has forms of its own below.
    return { name: `${name} immediate`, word, fields: SF | 0x40_0000 | IMM12 | RN | 0xf, plan: 'simulate' };
  }),
  { name: 'cmp immediate', word: 0x7100_001f, fields: SF | 0x40_0000 | IMM12 | RN, plan: 'simulate' },
  { name: 'mov from sp', word: 0x9100_03e0, fields: 0xf, plan: 'simulate' },
  ...[0, 1, 2, 3].flatMap((op): InsnForm[] => {
    const [addition, logical] = [['add', 'adds', 'sub', 'subs'][op], ['and', 'orr', 'eor', 'ands'][op]] as [
      string,
      string,
    ];
    const fields = SF | RM | RN | RD | 0xfc00;
    const shifts = ['lsl', 'lsr', 'asr', 'ror'].map((shift, kind) => ({ shift, bits: kind << 22 }));
    return [
      ...shifts.slice(0, 3).map(({ shift, bits }): InsnForm => ({
        name: `${addition} ${shift}`,
        word: 0x0b00_0000 | (op << 29) | bits,
        fields,
        plan: 'simulate',
        reserved: shiftReserved,
      })),
      ...shifts.map(({ shift, bits }): InsnForm => ({
        name: `${logical} ${shift}, or its inverse`,
        word: 0x0a00_0000 | (op << 29) | bits,
        fields: fields | 0x20_0000,
        plan: 'simulate',
        reserved: shiftReserved,
      })),
    ];
  }),
  { name: 'mov', word: 0x2a00_03e0, fields: SF | RM | RD, plan: 'simulate' },
  ...['movn', '', 'movz', 'movk'].flatMap((name, op): InsnForm[] =>
    name === ''
      ? []
      : [
          { name: `${name} w`, word: 0x1280_0000 | (op << 29), fields: 0x3f_ffff, plan: 'simulate' },
          { name: `${name} x`, word: 0x9280_0000 | (op << 29), fields: 0x7f_ffff, plan: 'simulate' },
        ],
  ),
];

/** Size and operation of the loads and stores of one general register. */
const SINGLE: readonly [name: string, bits: number][] = [
  ['strb', 0],
  ['ldrb', 0x40_0000],
  ['ldrsb x', 0x80_0000],
  ['ldrsb w', 0xc0_0000],
  ['strh', 0x4000_0000],
  ['ldrh', 0x4040_0000],
  ['ldrsh x', 0x4080_0000],
  ['ldrsh w', 0x40c0_0000],
  ['str w', 0x8000_0000],
  ['ldr w', 0x8040_0000],
  ['ldrsw', 0x8080_0000],
  ['str x', 0xc000_0000],
  ['ldr x', 0xc040_0000],
];

/** Of two. */
const PAIR: readonly [name: string, bits: number][] = [
  ['stp w', 0],
  ['ldp w', 0x40_0000],
  ['ldpsw', 0x4040_0000],
  ['stp x', 0x8000_0000],
  ['ldp x', 0x8040_0000],
];

const rt = (word: number): number => word & 0x1f;
const rn = (word: number): number => (word >>> 5) & 0x1f;
const rt2 = (word: number): number => (word >>> 10) & 0x1f;
const isLoad = (word: number): boolean => (word & 0x40_0000) !== 0;
const sameBase = (word: number): boolean => rn(word) === 31 || rn(word) === rt(word);
const samePairBase = (word: number): boolean => sameBase(word) || rn(word) === rt2(word);
const sameTargets = (word: number): boolean => isLoad(word) && rt(word) === rt2(word);

const singles: readonly InsnForm[] = SINGLE.flatMap(([name, bits]): InsnForm[] => {
  const base = { plan: 'simulate', memory: true } as const;
  return [
    { ...base, name: `${name} offset`, word: 0x3900_0000 | bits, fields: IMM12 | RN | RD },
    // Below the stack pointer, stores are another form.
    {
      ...base,
      name: `${name} unscaled`,
      word: 0x3800_0000 | bits,
      fields: IMM9 | RN | RD,
      reserved: (word) => rn(word) === 31,
    },
    { ...base, name: `${name} post`, word: 0x3800_0400 | bits, fields: IMM9 | RN | RD, reserved: sameBase },
    { ...base, name: `${name} pre`, word: 0x3800_0c00 | bits, fields: IMM9 | RN | RD, reserved: sameBase },
  ];
});

const pairs: readonly InsnForm[] = PAIR.flatMap(([name, bits]): InsnForm[] => {
  const fields = IMM7 | RT2 | RN | RD;
  const base = { plan: 'simulate', memory: true, fields } as const;
  const leftOpen = (word: number): boolean => samePairBase(word) || sameTargets(word);
  return [
    {
      ...base,
      name: `${name} offset`,
      word: 0x2900_0000 | bits,
      reserved: (word) => rn(word) === 31 || sameTargets(word),
    },
    { ...base, name: `${name} post`, word: 0x2880_0000 | bits, reserved: leftOpen },
    { ...base, name: `${name} pre`, word: 0x2980_0000 | bits, reserved: leftOpen },
    ...(name === 'ldpsw'
      ? []
      : [
          {
            ...base,
            name: `${name} no allocate`,
            word: 0x2800_0000 | bits,
            reserved: (word: number) => rn(word) === 31 || sameTargets(word),
          },
        ]),
  ];
});

const stack: readonly InsnForm[] = [
  { name: 'sub sp', word: 0xd100_03ff, fields: IMM12, plan: 'simulate', stack: true },
  { name: 'add sp', word: 0x9100_03ff, fields: IMM12, plan: 'simulate', stack: true },
  { name: 'add wsp', word: 0x1100_001f, fields: IMM12 | RN, plan: 'simulate', stack: true },
  { name: 'mov to sp', word: 0x9100_001f, fields: 0x1e0, plan: 'simulate', stack: true },
  { name: 'push of two', word: 0xa980_03e0, fields: IMM7 | RT2 | RD, plan: 'simulate', memory: true, stack: true },
  {
    name: 'pop of two',
    word: 0xa8c0_03e0,
    fields: IMM7 | RT2 | RD,
    plan: 'simulate',
    memory: true,
    stack: true,
    reserved: sameTargets,
  },
  { name: 'push', word: 0xf800_0fe0, fields: IMM9 | RD, plan: 'simulate', memory: true, stack: true },
  { name: 'pop', word: 0xf840_07e0, fields: IMM9 | RD, plan: 'simulate', memory: true, stack: true },
  { name: 'store below sp', word: 0xf810_03e0, fields: 0xf_f000 | RD, plan: 'simulate', memory: true, stack: true },
];

/** Everything else runs in a slot: a sample of what computes, loads, stores and reads registers of the system. */
const slots: readonly InsnForm[] = [
  {
    name: 'and immediate',
    word: 0x9240_0000,
    fields: 0xfc00 | RN | RD,
    plan: 'slot',
    reserved: (word) => (word & 0xfc00) === 0xfc00,
  },
  { name: 'ubfm', word: 0xd340_0000, fields: 0x3f_ffff, plan: 'slot' },
  { name: 'sbfm', word: 0x9340_0000, fields: 0x3f_ffff, plan: 'slot' },
  { name: 'extr', word: 0x93c0_0000, fields: 0x1f_ffff, plan: 'slot' },
  { name: 'csel', word: 0x1a80_0000, fields: SF | RM | 0xf000 | RN | RD, plan: 'slot' },
  { name: 'csinc', word: 0x1a80_0400, fields: SF | RM | 0xf000 | RN | RD, plan: 'slot' },
  { name: 'ccmp', word: 0x7a40_0000, fields: SF | RM | 0xf000 | RN | 0xf, plan: 'slot' },
  { name: 'adcs', word: 0x3a00_0000, fields: SF | RM | RN | RD, plan: 'slot' },
  { name: 'madd', word: 0x1b00_0000, fields: SF | RM | 0x7c00 | RN | RD, plan: 'slot' },
  { name: 'umulh', word: 0x9bc0_7c00, fields: RM | RN | RD, plan: 'slot' },
  { name: 'udiv', word: 0x1ac0_0800, fields: SF | RM | RN | RD, plan: 'slot' },
  { name: 'lslv', word: 0x1ac0_2000, fields: SF | RM | RN | RD, plan: 'slot' },
  { name: 'clz', word: 0x5ac0_1000, fields: SF | RN | RD, plan: 'slot' },
  { name: 'rbit', word: 0x5ac0_0000, fields: SF | RN | RD, plan: 'slot' },
  { name: 'add extended', word: 0x8b20_0000, fields: RM | 0xe000 | RN | 0xf, plan: 'slot' },
  {
    name: 'ldr register',
    word: 0xf860_6800,
    fields: RM | 0x1000 | RN | RD,
    plan: 'slot',
    memory: true,
    index: true,
    reserved: (word) => rn(word) === ((word >>> 16) & 0x1f),
  },
  {
    name: 'strb register',
    word: 0x3820_6800,
    fields: RM | RN | RD,
    plan: 'slot',
    memory: true,
    index: true,
    reserved: (word) => rn(word) === ((word >>> 16) & 0x1f),
  },
  { name: 'ldar', word: 0xc8df_fc00, fields: RN | RD, plan: 'slot', memory: true },
  { name: 'stlr', word: 0xc89f_fc00, fields: RN | RD, plan: 'slot', memory: true },
  { name: 'ldr q', word: 0x3dc0_0000, fields: RN | RD, plan: 'slot', memory: true },
  { name: 'dmb', word: 0xd503_30bf, fields: 0xf00, plan: 'slot' },
  { name: 'isb', word: 0xd503_3fdf, fields: 0, plan: 'slot' },
  { name: 'mrs tpidr_el0', word: 0xd53b_d040, fields: RD, plan: 'slot' },
  { name: 'xpaclri', word: 0xd503_20ff, fields: 0, plan: 'slot' },
  // Bases that are loaded, stored or written back at once: what the processor does is right.
  { name: 'stp of its base', word: 0xa980_0421, fields: IMM7, plan: 'open', memory: true },
  { name: 'ldr of its base', word: 0xf840_0c21, fields: IMM9, plan: 'open', memory: true },
];

/** All forms that a probe simulates, and a sample of those that it runs in a slot. */
export const insnForms: readonly InsnForm[] = [
  ...branches,
  ...literals,
  ...arithmetic,
  ...singles,
  ...pairs,
  ...stack,
  ...slots,
];

/** A word of `form` whose fields are random. */
export function randomWord(form: InsnForm, random: Random): number {
  for (;;) {
    const word = (form.word & ~form.fields) | (random.word() & form.fields);
    if (form.reserved?.(word) !== true) return word;
  }
}
