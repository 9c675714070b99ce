/** A histogram whose slot `i` counts values in [2^i, 2^(i+1)), slot 0 holding 0 and 1. */
export interface Log2Bucket {
  readonly low: bigint;
  readonly high: bigint;
  readonly count: bigint;
}

const BAR_WIDTH = 40;

/** The buckets up to the last one that counted anything. */
export function log2Buckets(slots: readonly (number | bigint)[]): Log2Bucket[] {
  const used = slots.findLastIndex((count) => BigInt(count) > 0n) + 1;
  return slots.slice(0, used).map((count, slot) => ({
    low: slot === 0 ? 0n : 1n << BigInt(slot),
    high: (2n << BigInt(slot)) - 1n,
    count: BigInt(count),
  }));
}

/** The layout that bcc's tools print, `unit` heading the value column. Empty for an empty histogram. */
export function formatLog2Histogram(slots: readonly (number | bigint)[], unit: string): string[] {
  const buckets = log2Buckets(slots);
  if (buckets.length === 0) return [];
  const wide = buckets.length > 33;
  const column = wide ? 20 : 10;
  const max = buckets.reduce((most, { count }) => (count > most ? count : most), 0n);
  const header = `${' '.repeat(wide ? 15 : 5)}${unit.padEnd(wide ? 29 : 19)} : count    distribution`;
  return [
    header,
    ...buckets.map(({ low, high, count }) => {
      const stars = Number((count * BigInt(BAR_WIDTH)) / max);
      const range = `${String(low).padStart(column)} -> ${String(high).padEnd(column)}`;
      return `${range} : ${String(count).padEnd(8)} |${'*'.repeat(stars).padEnd(BAR_WIDTH)}|`;
    }),
  ];
}
