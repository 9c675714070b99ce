import { formatTable } from '../table.js';
import type { BenchOptions } from '../options.js';
import type { Report } from '../report.js';
import { QUICK } from '../stopwatch.js';
import type { GuestRates } from './guest-rates.js';
import { qemuRates } from './qemu.js';
import { v86Rates } from './v86.js';

const FULL_CALLS = 200_000;
const QUICK_CALLS = 2000;

/** How fast probes are hit in guests: real kernels under emulators. */
export async function guests({ effort }: BenchOptions): Promise<Report> {
  const calls = effort.sampleMs === QUICK.sampleMs ? QUICK_CALLS : FULL_CALLS;
  const rows = [...qemuRates(calls), ...(await v86Rates(calls))];
  const lines = formatTable(
    ['one kprobe, one program', 'hits/s, best', 'worst'],
    rows.map((row) => ('rounds' in row ? measured(row.host, row.rounds) : [row.host, row.unavailable])),
  );
  return { lines, data: rows satisfies readonly GuestRates[], failures: [] };
}

function measured(host: string, rounds: readonly number[]): string[] {
  return [host, ...[Math.max(...rounds), Math.min(...rounds)].map((rate) => Math.round(rate).toLocaleString('en'))];
}
