import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bpftraceHistBuckets,
  bpftraceLhistBuckets,
  formatBpftraceHist,
  formatBpftraceLhist,
  formatLinearHistogram,
  formatLog2Histogram,
} from '../../src/export/index.js';

const text = (lines: readonly string[]): string => lines.join('\n');

describe('log2 histograms of bcc', () => {
  const slots = [3, 0, 7, 1];

  it('as libbpf-tools print them', () => {
    expect(text(formatLog2Histogram(slots, 'usecs'))).toBe(
      [
        '     usecs               : count    distribution',
        '         0 -> 1          : 3        |*****************                       |',
        '         2 -> 3          : 0        |                                        |',
        '         4 -> 7          : 7        |****************************************|',
        '         8 -> 15         : 1        |*****                                   |',
      ].join('\n'),
    );
  });

  it('as bcc’s Python tools print them: another header', () => {
    const [header, ...rows] = formatLog2Histogram(slots, 'usecs', 'bcc');
    expect(header).toBe('     usecs               : count     distribution');
    expect(rows).toEqual(formatLog2Histogram(slots, 'usecs').slice(1));
  });

  it('wide ones have shorter bars', () => {
    const wide = [...Array<number>(34).fill(0), 2];
    const lines = formatLog2Histogram(wide, 'nsecs');
    expect(lines[0]).toBe('               nsecs                         : count    distribution');
    expect(lines.at(-1)).toBe('         17179869184 -> 34359738367          : 2        |********************|');
    expect(lines[1]).toBe('                   0 -> 1                    : 0        |                    |');
  });

  it.each([
    ['libbpf-tools', 33, 34],
    ['bcc', 32, 33],
  ] as const)('of %s fit 10 columns up to %i buckets', (layout, narrow, wide) => {
    const header = (count: number): string => formatLog2Histogram(Array<number>(count).fill(1), 'x', layout)[0];
    expect([header(narrow).indexOf('x'), header(wide).indexOf('x')]).toEqual([5, 15]);
  });

  it('empty ones print nothing', () => {
    expect(formatLog2Histogram([0, 0], 'x')).toEqual([]);
    expect(formatLinearHistogram([0, 0], 'x')).toEqual([]);
  });
});

it('linear histograms of bcc leave out what counted nothing', () => {
  expect(text(formatLinearHistogram([0, 2, 0, 8], 'runqlen', { base: 10, step: 5 }))).toBe(
    [
      '     runqlen       : count     distribution',
      '        15         : 2        |**********                              |',
      '        25         : 8        |****************************************|',
    ].join('\n'),
  );
});

describe('histograms that bcc itself printed', () => {
  interface Printed {
    readonly kind: 'log2' | 'linear';
    readonly unit: string;
    readonly slots: readonly number[];
    readonly lines: readonly string[];
  }
  /** Recorded by test/oracle/bcc-histograms.py. */
  const printed = readFileSync('test/testdata/histograms/bcc.jsonl', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Printed);

  it.each(['log2', 'linear'])('%s', (kind) => {
    const cases = printed.filter((each) => each.kind === kind);
    expect(cases.length).toBeGreaterThan(10);
    for (const { unit, slots, lines } of cases) {
      const ours =
        kind === 'log2' ? formatLog2Histogram(slots, unit, 'bcc') : formatLinearHistogram(slots, unit, {}, 'bcc');
      expect(ours).toEqual(lines);
    }
  });
});

describe('histograms of bpftrace', () => {
  it('hist: from the first to the last that counted, with K, M, G', () => {
    const slots = Array<number>(34).fill(0);
    slots[0] = 1;
    slots[2] = 4;
    slots[3] = 52;
    slots[11] = 13;
    const lines = formatBpftraceHist(slots);
    expect(lines.slice(0, 4)).toEqual([
      '(..., 0)               1 |@                                                   |',
      '[0]                    0 |                                                    |',
      '[1]                    4 |@@@@                                                |',
      '[2, 4)                52 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|',
    ]);
    expect(lines.at(-1)).toBe('[512, 1K)             13 |@@@@@@@@@@@@@                                       |');
    expect(formatBpftraceHist([...Array<number>(22).fill(0), 1])[0]).toMatch(/^\[1M, 2M\) +1 \|@{52}\|$/);
    expect(formatBpftraceHist([...Array<number>(12).fill(0), 1])[0]).toMatch(/^\[1K, 2K\)/);
    expect(formatBpftraceHist([0, 0])).toEqual([]);
  });

  it('hist as data: open ends are left out', () => {
    expect(bpftraceHistBuckets([2, 0, 0, 5])).toEqual([
      { max: -1n, count: 2n },
      { min: 0n, max: 0n, count: 0n },
      { min: 1n, max: 1n, count: 0n },
      { min: 2n, max: 3n, count: 5n },
    ]);
  });

  it('lhist: what lies below, each step, and what lies above', () => {
    const range = { min: 0, max: 10, step: 5 };
    expect(formatBpftraceLhist([1, 2, 4, 4], range)).toEqual([
      '(..., 0)               1 |@@@@@@@@@@@@@                                       |',
      '[0, 5)                 2 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |',
      '[5, 10)                4 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|',
      '[10, ...)              4 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|',
    ]);
    expect(bpftraceLhistBuckets([1, 2, 0, 4], range)).toEqual([
      { max: -1n, count: 1n },
      { min: 0n, max: 4n, count: 2n },
      { min: 5n, max: 9n, count: 0n },
      { min: 10n, count: 4n },
    ]);
  });

  it('lhist whose last step would pass the end counts its values with those above, as bpftrace does', () => {
    const lines = formatBpftraceLhist([0, 1, 1, 1, 1], { min: 0, max: 10, step: 3 });
    expect(lines.map((line) => line.slice(0, 16).trimEnd())).toEqual(['[0, 3)', '[3, 6)', '[6, 9)', '[10, ...)']);
  });

  it('lhist whose steps are whole K has units', () => {
    const lines = formatBpftraceLhist([0, 1, 1, 1, 1], { min: 0, max: 3 * 1024, step: 1024 });
    expect(lines.map((line) => line.slice(0, 16).trimEnd())).toEqual(['[0, 1K)', '[1K, 2K)', '[2K, 3K)', '[3K, ...)']);
  });
});
