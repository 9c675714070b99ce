declare const pointee: unique symbol;

/** An address in the machine that the BTF describes; `T` is what is there. No other bigint passes for it. */
export type BtfPointer<T> = bigint & { readonly [pointee]: T };

/** An array of a fixed length. */
export type BtfFixedArray<T, N extends number> = readonly T[] & { readonly length: N };

/** What a struct or union takes, as generated declarations tell it. */
export interface BtfLayout {
  /** Bytes. */
  readonly size: number;
  readonly align: number;
  /** Byte offsets of members, those of anonymous members included; bit-fields have none. */
  readonly offsets: Readonly<Record<string, number>>;
}
