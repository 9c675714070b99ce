/** A bar of `width` columns, as many of them stars as `count` is of `max`. */
export function stars(count: bigint, max: bigint, width: number): string {
  return '*'.repeat(max === 0n ? 0 : Number((count * BigInt(width)) / max)).padEnd(width);
}
