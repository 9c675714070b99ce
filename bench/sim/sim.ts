import { spawnSync } from 'node:child_process';
import { createSim } from 'kscope/host/sim';
import type { BenchOptions } from '../options.js';
import { packageFile } from '../package-file.js';
import type { Report } from '../report.js';
import { spreadOf } from '../statistics.js';
import { QUICK } from '../stopwatch.js';
import { formatTable } from '../table.js';
import { atLeast, atMost } from '../target.js';

/** Simulated instructions a second, on one core, that a workload shall reach at least. */
const LEAST_RATE = 3e6;
const MOST_DEMO_SECONDS = 30;
const FULL_INSTRUCTIONS = 20_000_000;
const QUICK_INSTRUCTIONS = 200_000;
const WORKLOADS = ['compile', 'web', 'io', 'shell', 'mixed', 'storm'];

/** How fast the simulator executes its workloads, boot included, with nothing traced and on two simulated CPUs. */
export async function sim({ effort }: BenchOptions): Promise<Report> {
  const limit = effort.sampleMs === QUICK.sampleMs ? QUICK_INSTRUCTIONS : FULL_INSTRUCTIONS;
  const rates = new Map<string, number[]>(WORKLOADS.map((name) => [name, []]));
  const failures: string[] = [];
  for (let round = 0; round < effort.rounds; round++) {
    for (const workload of WORKLOADS) {
      const { rate, failure } = runOnce(workload, limit);
      rates.get(workload)?.push(rate);
      if (failure !== null) failures.push(failure);
    }
  }
  const rows = [...rates].map(([name, values]) => {
    const { median, least, most } = spreadOf(values);
    return [name, millions(median), `${millions(least)}-${millions(most)}`, atLeast(LEAST_RATE / 1e6, median / 1e6)];
  });
  const lines = formatTable(['million instructions/s', 'median', 'range', 'target'], rows);
  const demo = demoSeconds();
  if (Number.isNaN(demo)) failures.push('the demo of all tools failed');
  const demoRow = [demo.toFixed(1), atMost(MOST_DEMO_SECONDS, demo)];
  lines.push('', ...formatTable(['demo of all tools, seconds', 'target'], [demoRow]));
  return { lines, data: { ...Object.fromEntries(rates), demo }, failures };
}

/** Every tool of examples/, each in a process of its own. */
function demoSeconds(): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, [packageFile('scripts/demo.mjs'), '--all'], { stdio: 'ignore' });
  return status === 0 ? (performance.now() - start) / 1000 : Number.NaN;
}

/** One machine, booted and run to its end or to the limit. */
function runOnce(workload: string, limit: number): { rate: number; failure: string | null } {
  const host = createSim({ workload, seed: 1 });
  const start = performance.now();
  const reason = host.run({ instructions: limit });
  const seconds = (performance.now() - start) / 1000;
  const failure = reason === 'finished' || reason === 'instructions' ? null : `${workload}: ${reason}`;
  return { rate: host.executed / seconds, failure };
}

const millions = (rate: number): string => (rate / 1e6).toFixed(1);
