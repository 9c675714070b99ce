import type { BtfFixedArray, BtfPointer } from '../../../src/btf/index.js';

/** struct everything: 224 bytes. */
export interface everything {
  /** At 0. */
  readonly numbers: numbers;
  /** At 48. */
  readonly bits: bits;
  /** At 64. */
  readonly nested: nested;
  /** At 128. */
  readonly pointers: pointers;
  /** At 184. */
  readonly colour: colour;
  /** At 192. */
  readonly wide: wide;
  /** At 200. */
  readonly nothing: {};
  /** At 208. */
  readonly huge: bigint;
}

/** struct numbers: 48 bytes. */
export interface numbers {
  /** At 0. */
  readonly letter: number;
  /** At 1. */
  readonly s8: number;
  /** At 2. */
  readonly b: u8;
  /** At 4. */
  readonly s16: number;
  /** At 6. */
  readonly h: u16;
  /** At 8. */
  readonly s32: number;
  /** At 12. */
  readonly w: u32;
  /** At 16. */
  readonly s64: s64;
  /** At 24. */
  readonly d: u64;
  /** At 32. */
  readonly yes: bool;
  /** At 33. */
  readonly no: bool;
  /** At 36. */
  readonly f: number;
  /** At 40. */
  readonly g: number;
}

export type u8 = number;

export type u16 = number;

export type u32 = number;

export type s64 = bigint;

export type u64 = bigint;

export type bool = boolean;

/** struct bits: 16 bytes. */
export interface bits {
  /** Bits 0 to 2. */
  readonly low: u32;
  /** Bits 3 to 13. */
  readonly mid: u32;
  /** Bits 14 to 18. */
  readonly minus: number;
  /** Bits 19 to 58. */
  readonly wide: u64;
  /** Bits 59 to 59. */
  readonly flag: bool;
  /** Bits 60 to 63. */
  readonly colour: colour;
  /** Bits 64 to 65. */
  readonly after: u8;
}

/** enum colour: 4 bytes. */
export type colour = 'RED' | 'GREEN' | 'BLUE' | number;

/** struct nested: 64 bytes. */
export interface nested {
  /** At 0. */
  readonly packed: packed;
  /** At 16. */
  readonly raw: u64;
  /** At 16. */
  readonly lower: u32;
  /** At 20. */
  readonly upper: u32;
  /** At 24. */
  readonly points: BtfFixedArray<{
    /** At 0. */
    readonly x: number;
    /** At 4. */
    readonly y: number;
  }, 2>;
  /** At 40. */
  readonly number: number_;
  /** At 48. */
  readonly list: list;
}

/** struct packed: 13 bytes. */
export interface packed {
  /** At 0. */
  readonly first: u8;
  /** At 1. */
  readonly second: u32;
  /** At 5. */
  readonly third: u64;
}

/** union number: 4 bytes. */
export interface number_ {
  /** At 0. */
  readonly whole: u32;
  /** At 0. */
  readonly halves: BtfFixedArray<u16, 2>;
  /** At 0. */
  readonly bytes: BtfFixedArray<u8, 4>;
}

/** struct list: 16 bytes. */
export interface list {
  /** At 0. */
  readonly next: BtfPointer<list>;
  /** At 8. */
  readonly prev: BtfPointer<list>;
}

/** struct pointers: 56 bytes. */
export interface pointers {
  /** At 0. */
  readonly list: BtfPointer<list>;
  /** At 8. */
  readonly self: BtfPointer<pointers>;
  /** At 16. */
  readonly nothing: BtfPointer<unknown>;
  /** At 24. */
  readonly callback: BtfPointer<(_0: BtfPointer<list>, _1: u64, ...rest: unknown[]) => number>;
  /** At 32. */
  readonly table: BtfFixedArray<BtfPointer<() => number>, 2>;
  /** At 48. */
  readonly elsewhere: BtfPointer<unknown>;
}

/** enum wide: 8 bytes. */
export type wide = 'SMALL' | 'LARGE' | bigint;

/** struct arrays: 88 bytes. */
export interface arrays {
  /** At 0. */
  readonly name: string;
  /** At 8. */
  readonly mac: BtfFixedArray<u8, 6>;
  /** At 16. */
  readonly matrix: BtfFixedArray<BtfFixedArray<number, 3>, 2>;
  /** At 40. */
  readonly tiny: BtfFixedArray<tiny, 2>;
  /** At 42. */
  readonly records: BtfFixedArray<packed, 2>;
  /** At 72. */
  readonly words: BtfFixedArray<BtfPointer<number>, 2>;
  /** At 88. */
  readonly tail: string;
}

/** enum tiny: 1 bytes. */
export type tiny = 'TINY_A' | 'TINY_B' | number;

export type anonymous_t = {
  /** At 0. */
  readonly class: u32;
  /** At 4. */
  readonly function: u16;
};

/** Types by their names in C. */
export interface BtfTypes {
  readonly 'struct everything': everything;
  readonly 'struct numbers': numbers;
  readonly 'typedef u8': u8;
  readonly 'typedef u16': u16;
  readonly 'typedef u32': u32;
  readonly 'typedef s64': s64;
  readonly 'typedef u64': u64;
  readonly 'typedef bool': bool;
  readonly 'struct bits': bits;
  readonly 'enum colour': colour;
  readonly 'struct nested': nested;
  readonly 'struct packed': packed;
  readonly 'union number': number_;
  readonly 'struct list': list;
  readonly 'struct pointers': pointers;
  readonly 'enum wide': wide;
  readonly 'struct arrays': arrays;
  readonly 'enum tiny': tiny;
  readonly 'typedef anonymous_t': anonymous_t;
}

/** Sizes and offsets in bytes. */
export interface BtfLayouts {
  readonly 'struct everything': { readonly size: 224; readonly align: 8; readonly offsets: { readonly numbers: 0; readonly bits: 48; readonly nested: 64; readonly pointers: 128; readonly colour: 184; readonly wide: 192; readonly nothing: 200; readonly huge: 208 } };
  readonly 'struct numbers': { readonly size: 48; readonly align: 8; readonly offsets: { readonly letter: 0; readonly s8: 1; readonly b: 2; readonly s16: 4; readonly h: 6; readonly s32: 8; readonly w: 12; readonly s64: 16; readonly d: 24; readonly yes: 32; readonly no: 33; readonly f: 36; readonly g: 40 } };
  readonly 'struct bits': { readonly size: 16; readonly align: 8; readonly offsets: {} };
  readonly 'struct nested': { readonly size: 64; readonly align: 8; readonly offsets: { readonly packed: 0; readonly raw: 16; readonly lower: 16; readonly upper: 20; readonly points: 24; readonly number: 40; readonly list: 48 } };
  readonly 'struct packed': { readonly size: 13; readonly align: 1; readonly offsets: { readonly first: 0; readonly second: 1; readonly third: 5 } };
  readonly 'union number': { readonly size: 4; readonly align: 4; readonly offsets: { readonly whole: 0; readonly halves: 0; readonly bytes: 0 } };
  readonly 'struct list': { readonly size: 16; readonly align: 8; readonly offsets: { readonly next: 0; readonly prev: 8 } };
  readonly 'struct pointers': { readonly size: 56; readonly align: 8; readonly offsets: { readonly list: 0; readonly self: 8; readonly nothing: 16; readonly callback: 24; readonly table: 32; readonly elsewhere: 48 } };
  readonly 'struct arrays': { readonly size: 88; readonly align: 8; readonly offsets: { readonly name: 0; readonly mac: 8; readonly matrix: 16; readonly tiny: 40; readonly records: 42; readonly words: 72; readonly tail: 88 } };
}
