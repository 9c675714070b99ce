import type { BtfFixedArray, BtfPointer } from '../dts/value-types.js';

declare const value: unique symbol;

/** What describes a type; `V` is what its values are, as `decodeValue` gives them. Inert: `describeBtf` makes types of it. */
export interface BtfDescription<V> {
  readonly shape: BtfShape;
  /** For the compiler alone. */
  readonly [value]?: V;
}

/** The values of a described type: `type Event = BtfValueOf<typeof event>`. */
export type BtfValueOf<D> = D extends BtfDescription<infer V> ? V : never;

export type BtfAnyDescription = BtfDescription<unknown>;

/** A member that takes so many bits. */
export interface BtfBits<V> {
  readonly of: BtfDescription<V>;
  readonly bits: number;
}

export type BtfFields = Readonly<Record<string, BtfAnyDescription | BtfBits<unknown>>>;

type ValuesOf<F extends BtfFields> = {
  readonly [K in keyof F]: F[K] extends BtfBits<infer V> ? V : BtfValueOf<F[K]>;
};

export type BtfShape =
  | {
      readonly kind: 'int';
      readonly name: string;
      readonly size: number;
      readonly encoding: 'signed' | 'unsigned' | 'char' | 'bool';
    }
  | { readonly kind: 'float'; readonly name: string; readonly size: number }
  | { readonly kind: 'ptr'; readonly to: BtfAnyDescription | string | null }
  | { readonly kind: 'array'; readonly of: BtfAnyDescription; readonly count: number }
  | { readonly kind: 'struct' | 'union'; readonly name: string; readonly fields: BtfFields; readonly packed: boolean }
  | { readonly kind: 'enum'; readonly name: string; readonly values: Readonly<Record<string, number | bigint>> }
  | { readonly kind: 'typedef'; readonly name: string; readonly of: BtfAnyDescription }
  | {
      readonly kind: 'func';
      readonly name: string;
      readonly returns: BtfAnyDescription | null;
      readonly params: Readonly<Record<string, BtfAnyDescription>>;
    };

const describe = <V>(shape: BtfShape): BtfDescription<V> => ({ shape });
const int = <V>(name: string, size: number, encoding: 'signed' | 'unsigned' | 'char' | 'bool'): BtfDescription<V> =>
  describe({ kind: 'int', name, size, encoding });

const char = int<number>('char', 1, 'signed');

/**
 * Types written down in TypeScript:
 *
 *     const { bits, ptr, struct, text, u32, u64 } = btfType;
 *     const event = struct('event', { pid: u32, flags: bits(u32, 3), comm: text(16), at: u64, next: ptr('struct event') });
 *     const btf = describeBtf([event]);
 *     type Event = BtfValueOf<typeof event>; // { readonly pid: number; ...; readonly comm: string; readonly at: bigint; ... }
 *
 * Layouts are C's on the target. `ptr('struct x')` points to a struct by its name, which may be described later, or not at
 * all: then it is declared only.
 */
export const btfType = {
  u8: int<number>('unsigned char', 1, 'unsigned'),
  u16: int<number>('unsigned short', 2, 'unsigned'),
  u32: int<number>('unsigned int', 4, 'unsigned'),
  u64: int<bigint>('unsigned long long', 8, 'unsigned'),
  s8: int<number>('signed char', 1, 'signed'),
  s16: int<number>('short', 2, 'signed'),
  s32: int<number>('int', 4, 'signed'),
  s64: int<bigint>('long long', 8, 'signed'),
  bool: int<boolean>('_Bool', 1, 'bool'),
  char,
  f32: describe<number>({ kind: 'float', name: 'float', size: 4 }),
  f64: describe<number>({ kind: 'float', name: 'double', size: 8 }),

  /** A pointer; to `void` without an argument. */
  ptr<V = unknown>(to: BtfDescription<V> | string | null = null): BtfDescription<BtfPointer<V>> {
    return describe({ kind: 'ptr', to });
  },

  /** `count` 0: what is left at the end of a struct. */
  array<V, N extends number>(of: BtfDescription<V>, count: N): BtfDescription<BtfFixedArray<V, N>> {
    return describe({ kind: 'array', of, count });
  },

  /** `char[count]`. */
  text(count: number): BtfDescription<string> {
    return describe({ kind: 'array', of: char, count });
  },

  bits<V>(of: BtfDescription<V>, bits: number): BtfBits<V> {
    return { of, bits };
  },

  struct<F extends BtfFields>(name: string, fields: F, { packed = false } = {}): BtfDescription<ValuesOf<F>> {
    return describe({ kind: 'struct', name, fields, packed });
  },

  union<F extends BtfFields>(name: string, fields: F): BtfDescription<ValuesOf<F>> {
    return describe({ kind: 'union', name, fields, packed: false });
  },

  /** 4 bytes wide, or 8 where a value is a bigint. */
  enumeration<E extends Readonly<Record<string, number | bigint>>>(
    name: string,
    values: E,
  ): BtfDescription<(keyof E & string) | (E[keyof E] extends number ? number : bigint)> {
    return describe({ kind: 'enum', name, values });
  },

  typedef<V>(name: string, of: BtfDescription<V>): BtfDescription<V> {
    return describe({ kind: 'typedef', name, of });
  },

  /** A function of the host, for prototypes of hooks and kfuncs. `returns` null: nothing. */
  func(
    name: string,
    returns: BtfAnyDescription | null,
    params: Readonly<Record<string, BtfAnyDescription>>,
  ): BtfDescription<never> {
    return describe({ kind: 'func', name, returns, params });
  },
} as const;
