import { describe, expect, it } from 'vitest';
import { exponent, median, quantile, slope, spreadOf } from '../../bench/statistics.js';
import { formatTable } from '../../bench/table.js';

describe('statistics of the benchmarks', () => {
  it.each([
    [[5], 5],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('the median of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('interpolates quantiles', () => {
    expect(quantile([0, 10, 20, 30], 0.25)).toBe(7.5);
  });

  it('tells median and range', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3 });
  });

  it('finds what one repetition takes, whatever the way in takes', () => {
    const wayIn = 28;
    expect(slope([1, 8, 64].map((repeats) => [repeats, wayIn + 2.5 * repeats]))).toBeCloseTo(2.5);
  });

  it('finds the power of a growth', () => {
    expect(exponent([10, 100, 1000].map((size) => [size, 3 * size ** 1.1]))).toBeCloseTo(1.1);
  });
});

it('tables align names to the left and figures to the right', () => {
  const rows = [
    ['lcg', '94485'],
    ['counter', '4'],
  ];
  expect(formatTable(['name', 'ns'], rows)).toEqual([
    'name        ns',
    '-------  -----',
    'lcg      94485',
    'counter      4',
  ]);
});
