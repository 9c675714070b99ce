import type { FetchType } from './fetch-type.js';

/** Where the value of a fetch argument comes from; `deref` reads the memory that another one points to. */
export type FetchSource =
  | { readonly op: 'register'; readonly slot: number }
  /** A word of the stack, counted from where the stack pointer points. */
  | { readonly op: 'stack'; readonly index: number }
  | { readonly op: 'stackPointer' }
  | { readonly op: 'returnValue' }
  /** A parameter of the function, the first one 0. */
  | { readonly op: 'argument'; readonly index: number }
  | { readonly op: 'comm' }
  | { readonly op: 'immediate'; readonly value: bigint }
  | { readonly op: 'text'; readonly bytes: Uint8Array }
  /** The address of a symbol, looked up when the event is registered. */
  | { readonly op: 'symbol'; readonly text: string }
  | { readonly op: 'deref'; readonly from: FetchSource; readonly offset: bigint; readonly user: boolean };

/** Bits of a value: shifted left and right again in a container of the type's size. */
export interface FetchBitfield {
  readonly left: number;
  readonly right: number;
}

/** One parsed argument of an event. */
export interface FetchArg {
  readonly name: string;
  /** What was written behind `NAME=`. */
  readonly text: string;
  readonly type: FetchType;
  /** Elements, or 0 where it is no array. */
  readonly count: number;
  readonly bitfield: FetchBitfield | null;
  readonly source: FetchSource;
}

/** The fetch argument behind all dereferences. */
export function innermost(source: FetchSource): FetchSource {
  let inner = source;
  while (inner.op === 'deref') inner = inner.from;
  return inner;
}

/** Bytes that the argument takes in the fixed part of the record. */
export function fixedSize({ type, count }: FetchArg): number {
  return type.size * Math.max(count, 1);
}
