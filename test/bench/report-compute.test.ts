import { describe, expect, it } from 'vitest';
import { computeLines, type Figures } from '../../bench/compute/report-compute.js';
import type { Workload } from '../../bench/compute/workloads.js';

const SIEVE: Workload = { name: 'sieve', title: 'a sieve', data: 'event', result: 0, repeats: [1] };
const COUNTER: Workload = {
  name: 'cnt',
  title: 'a counter',
  data: 'event',
  result: 0,
  repeats: [1, 8, 64],
  usesMaps: true,
};

function figures(contender: string, workload: string, ...gross: readonly number[]): Figures[] {
  return gross.map((ns, round) => ({ workload, contender, round, gross: ns, net: ns / 2, points: [] }));
}

/** Cells of a row, blanks cut off. */
const cells = (line: string | undefined): string[] => (line ?? '').split(/ {2,}/);

describe('the table of workloads', () => {
  it('says what was wanted, and whether it is met within a tenth', () => {
    const lines = computeLines(
      ['linux', 'jit', 'jit proved'],
      [SIEVE],
      [
        ...figures('linux', 'sieve', 1000, 2000, 1000),
        ...figures('jit', 'sieve', 1090, 2180, 1090),
        ...figures('jit proved', 'sieve', 970, 1900, 970),
      ],
    );
    expect(cells(lines[2])).toEqual([
      'sieve',
      'gross',
      '1000',
      '1090 (1.09, 1.09-1.09)',
      '970.0 (0.97, 0.95-0.97)',
      'jit 1 +, jit proved 0.86 -',
    ]);
  });

  it('wants nothing where the kernel was not measured', () => {
    const lines = computeLines(['jit'], [SIEVE], figures('jit', 'sieve', 1));
    expect(cells(lines[2])).toEqual(['sieve', 'gross', '1.00']);
  });

  it('has net and gross of what is short, and marks what uses maps', () => {
    const lines = computeLines(['linux'], [COUNTER], figures('linux', 'cnt', 8, 8));
    expect(lines.slice(2, 4).map((line) => cells(line).slice(0, 3))).toEqual([
      ['cnt *', 'net', '4.00'],
      ['cnt *', 'gross', '8.00'],
    ]);
    expect(lines.join('\n')).toContain('* The kernel');
  });
});
