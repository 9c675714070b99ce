import { stars } from './stars.js';

/** A histogram whose slot `i` counts values in [2^i, 2^(i+1)), slot 0 holding 0 and 1. */
export interface Log2Bucket {
  readonly low: bigint;
  readonly high: bigint;
  readonly count: bigint;
}

/**
 * Whose layout: that of libbpf-tools (trace_helpers.c), or that of bcc's Python tools (table.py), which puts one blank more
 * into the header and becomes wide one slot sooner.
 */
export type HistogramLayout = 'libbpf-tools' | 'bcc';

const BAR_WIDTH = 40;
/** Buckets up to which values fit 10 columns. */
const NARROW: Readonly<Record<HistogramLayout, number>> = { 'libbpf-tools': 33, bcc: 32 };

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
export function formatLog2Histogram(
  slots: readonly (number | bigint)[],
  unit: string,
  layout: HistogramLayout = 'libbpf-tools',
): string[] {
  const buckets = log2Buckets(slots);
  if (buckets.length === 0) return [];
  const wide = buckets.length > NARROW[layout];
  const column = wide ? 20 : 10;
  const bar = wide ? BAR_WIDTH / 2 : BAR_WIDTH;
  const max = buckets.reduce((most, { count }) => (count > most ? count : most), 0n);
  const gap = layout === 'bcc' ? '     ' : '    ';
  const header = `${' '.repeat(wide ? 15 : 5)}${unit.padEnd(wide ? 29 : 19)} : count${gap}distribution`;
  return [
    header,
    ...buckets.map(({ low, high, count }) => {
      const range = `${String(low).padStart(column)} -> ${String(high).padEnd(column)}`;
      return `${range} : ${String(count).padEnd(8)} |${stars(count, max, bar)}|`;
    }),
  ];
}
