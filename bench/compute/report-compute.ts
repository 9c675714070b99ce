import { type Point, type Spread, spreadOf } from '../statistics.js';
import { formatTable, nanoseconds, ratio, type Row } from '../table.js';
import type { Workload } from './workloads.js';

/** What one contender took for one workload in one round; nanoseconds. */
export interface Figures {
  readonly workload: string;
  readonly contender: string;
  readonly round: number;
  /** Of one run, getting into the program included. */
  readonly gross: number;
  /** Of the work alone; undefined for workloads that take so long that the way in does not matter. */
  readonly net: number | undefined;
  /** Medians of the objects that repeat the work so often. */
  readonly points: readonly Point[];
}

type Kind = 'gross' | 'net';

const NOTES = [
  'Nanoseconds per run: median of the rounds. In brackets the ratio to the first column, made within each round:',
  'median and range. Net is the slope over 1, 8 and 64 repetitions inside the program; the kernel tells whole',
  'nanoseconds per run and its gross figures hold its test harness, ours the call from JavaScript.',
  "The kernel's maps and ring buffers are made for concurrent writers; ours have a single one. `jit proved` leaves all",
  'checks of loads and stores out.',
];

/** The one table: a row per workload and kind of figure, a column per contender. */
export function computeLines(
  contenders: readonly string[],
  workloads: readonly Workload[],
  figures: readonly Figures[],
): string[] {
  const rows: Row[] = [];
  for (const { name, repeats } of workloads) {
    const kinds: readonly Kind[] = repeats.length > 1 ? ['net', 'gross'] : ['gross'];
    for (const kind of kinds) {
      const columns = contenders.map((contender) => valuesOf(figures, name, contender, kind));
      rows.push([name, kind, ...columns.map((values, i) => cell(values, i === 0 ? undefined : columns[0]))]);
    }
  }
  return [...formatTable(['workload', '', ...contenders], rows), '', ...NOTES];
}

function valuesOf(figures: readonly Figures[], workload: string, contender: string, kind: Kind): number[] {
  return figures
    .filter((each) => each.workload === workload && each.contender === contender)
    .map((each) => each[kind] ?? Number.NaN);
}

function cell(values: readonly number[], reference: readonly number[] | undefined): string {
  const own = nanoseconds(spreadOf(values).median);
  if (reference === undefined) return own;
  return `${own} (${range(spreadOf(values.map((value, round) => value / (reference[round] ?? Number.NaN))))})`;
}

function range({ median, least, most }: Spread): string {
  return `${ratio(median)}, ${ratio(least)}-${ratio(most)}`;
}
