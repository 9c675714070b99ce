import type { HistogramLayout } from './log2-histogram.js';
import { stars } from './stars.js';

const BAR_WIDTH = 40;

/**
 * A histogram whose slot `i` counts the value `base + i * step`, as print_linear_hist() of libbpf-tools prints it: slots that
 * counted nothing are left out; or as bcc's Python tools do, which print all up to the last that did. Empty for an empty histogram.
 */
export function formatLinearHistogram(
  slots: readonly (number | bigint)[],
  unit: string,
  { base = 0, step = 1 }: { readonly base?: number; readonly step?: number } = {},
  layout: HistogramLayout = 'libbpf-tools',
): string[] {
  const counts = slots.map(BigInt);
  const max = counts.reduce((most, count) => (count > most ? count : most), 0n);
  if (max === 0n) return [];
  return [
    `     ${unit.padEnd(13)} : count     distribution`,
    ...counts
      .slice(0, counts.findLastIndex((count) => count > 0n) + 1)
      .flatMap((count, i) =>
        count === 0n && layout === 'libbpf-tools'
          ? []
          : [
              `        ${String(base + i * step).padEnd(10)} : ${String(count).padEnd(8)} |${stars(count, max, BAR_WIDTH)}|`,
            ],
      ),
  ];
}
