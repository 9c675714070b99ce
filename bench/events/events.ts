import { PLAIN_ENGINES } from '../engines.js';
import type { BenchOptions } from '../options.js';
import type { Report } from '../report.js';
import { median, spreadOf } from '../statistics.js';
import type { Effort } from '../stopwatch.js';
import { formatTable, nanoseconds, ratio } from '../table.js';
import { atLeast, atMost } from '../target.js';
import { KERNEL_PATHS, kernelRate } from './kernel-events.js';
import { consumedPerSecond, lostPercent, type Rate } from './rate.js';
import { sameThreadRows } from './same-thread.js';
import { WORKER_PATHS, workerRate } from './worker.js';

/**
 * Nanoseconds at most that a record shall take on one thread, as an object, from where it is emitted: of programs that emit
 * in a loop. The row beside it, of one record in a run, has the way into the program and back on top.
 */
const TYPED_OBJECTS = { name: 'jit: ring buffer reader, typed objects, 64 records a run', ns: 15 };
/** Rate that a worker shall reach at least, as ratio to the kernel's ring buffer through epoll. */
const TO_WORKER = { name: 'jit: ring buffer to a worker, numbers', ratio: 1 };

/** Records from a program to a callback: of the same thread, of a worker, and in the kernel to another thread. */
export async function events({ effort }: BenchOptions): Promise<Report> {
  const sameThread = measureSameThread(effort);
  const milliseconds = effort.sampleMs < 1 ? 50 : 500;
  const { rates, notes } = await measureThreads(effort.rounds, milliseconds);
  const lines = [...sameThreadLines(sameThread), '', ...threadLines(rates), '', ...notes];
  const data = { nsPerRecord: Object.fromEntries(sameThread), rates: Object.fromEntries(rates) };
  return { lines, data, failures: [] };
}

function measureSameThread(effort: Effort): Map<string, number[]> {
  const rows = PLAIN_ENGINES.flatMap((engine) => sameThreadRows(engine, effort));
  const figures = new Map<string, number[]>(rows.map(({ name }) => [name, []]));
  for (let round = 0; round < effort.rounds; round++) {
    for (const { name, stopwatch } of rows) {
      figures.get(name)?.push(median(Array.from({ length: effort.samples }, () => stopwatch.sample())));
    }
  }
  return figures;
}

async function measureThreads(
  rounds: number,
  milliseconds: number,
): Promise<{ rates: Map<string, Rate[]>; notes: string[] }> {
  const rates = new Map<string, Rate[]>();
  const notes = new Set<string>();
  const add = (name: string, rate: Rate): void => void rates.set(name, [...(rates.get(name) ?? []), rate]);
  for (let round = 0; round < rounds; round++) {
    for (const path of KERNEL_PATHS) {
      const rate = kernelRate(path, milliseconds);
      if ('unavailable' in rate) notes.add(`${path.name} was not measured: ${rate.unavailable}`);
      else add(path.name, rate);
    }
    for (const engine of PLAIN_ENGINES)
      for (const path of WORKER_PATHS)
        add(`${engine.name}: ${path.name}`, await workerRate(engine, path, milliseconds));
  }
  notes.add('The perf rows have no side of the kernel: perf_event_open(2) is not called here.');
  notes.add(
    'The consumers of the kernel and of the workers do not hold producers up: a full ring loses records. Producer and',
  );
  notes.add('consumer run on two processors; the paths of one round run one after another.');
  return { rates, notes: [...notes] };
}

function sameThreadLines(figures: ReadonlyMap<string, readonly number[]>): string[] {
  const rows = [...figures].map(([name, values]) => {
    const { median: ns, least, most } = spreadOf(values);
    const target = name === TYPED_OBJECTS.name ? atMost(TYPED_OBJECTS.ns, ns) : '';
    return [name, nanoseconds(ns), `${nanoseconds(least)}-${nanoseconds(most)}`, target];
  });
  return formatTable(['same thread, ns per record of 32 bytes', 'median', 'range', 'target'], rows);
}

function threadLines(rates: ReadonlyMap<string, readonly Rate[]>): string[] {
  const reference = rates.get(KERNEL_PATHS[0].name)?.map(consumedPerSecond);
  const rows = [...rates].map(([name, values]) => {
    const perSecond = values.map(consumedPerSecond);
    const { median: middle, least, most } = spreadOf(perSecond);
    const ratios =
      reference === undefined ? [] : perSecond.map((value, round) => value / (reference[round] ?? Number.NaN));
    const lost = median(values.map(lostPercent)).toFixed(1);
    return [
      name,
      middle.toFixed(2),
      `${least.toFixed(2)}-${most.toFixed(2)}`,
      lost,
      ratios.length === 0 ? '' : ratio(median(ratios)),
      ratios.length > 0 && name === TO_WORKER.name ? atLeast(TO_WORKER.ratio, median(ratios)) : '',
    ];
  });
  return formatTable(
    ['two threads, million records per second', 'median', 'range', 'lost %', 'to epoll', 'target'],
    rows,
  );
}
