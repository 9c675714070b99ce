import { type Point, type Spread, spreadOf } from '../statistics.js';
import { formatTable, nanoseconds, ratio, type Row } from '../table.js';
import { targetsOf, targetText } from './targets.js';
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

/** Whose ratios targets are. */
const REFERENCE = 'linux';

const NOTES = [
  'Nanoseconds per run: median of the rounds. In brackets the ratio to the first column, made within each round:',
  'median and range. Net is the slope over 1, 8 and 64 repetitions inside the program; the kernel tells whole',
  'nanoseconds per run and its gross figures hold its test harness. Ours hold a full budget, the call from JavaScript with',
  'what goes before and after it at a hook, and delivered wake-ups; the run context is opened once for all repetitions,',
  "as the kernel's harness sets its packet and context up once. The interpreter is called through `EngineProgram.run`.",
  "* The kernel's maps and ring buffers are made for concurrent writers; ours have a single one. The like of theirs is `jit",
  'shared`: in memory that threads share, with atomics. `jit proved` leaves all checks of loads and stores out.',
  'Target: the ratio that is wanted of a column; + it is met, - it is not, within 10 %.',
];

/** The one table: a row per workload and kind of figure, a column per contender. */
export function computeLines(
  contenders: readonly string[],
  workloads: readonly Workload[],
  figures: readonly Figures[],
): string[] {
  const rows: Row[] = [];
  for (const { name, repeats, usesMaps } of workloads) {
    const kinds: readonly Kind[] = repeats.length > 1 ? ['net', 'gross'] : ['gross'];
    for (const kind of kinds) {
      const columns = contenders.map((contender) => valuesOf(figures, name, contender, kind));
      const cells = columns.map((values, i) => cell(values, i === 0 ? undefined : columns[0]));
      const targets = targetsOf(name, kind).flatMap((target) => {
        const measured = columns[contenders.indexOf(target.contender)];
        return measured === undefined || contenders[0] !== REFERENCE
          ? []
          : [targetText(target, ratios(measured, columns[0] ?? []).median)];
      });
      rows.push([usesMaps === true ? `${name} *` : name, kind, ...cells, targets.join(', ')]);
    }
  }
  return [...formatTable(['workload', '', ...contenders, 'target'], rows), '', ...NOTES];
}

function valuesOf(figures: readonly Figures[], workload: string, contender: string, kind: Kind): number[] {
  return figures
    .filter((each) => each.workload === workload && each.contender === contender)
    .map((each) => each[kind] ?? Number.NaN);
}

function cell(values: readonly number[], reference: readonly number[] | undefined): string {
  const own = nanoseconds(spreadOf(values).median);
  if (reference === undefined) return own;
  return `${own} (${range(ratios(values, reference))})`;
}

/** Made within each round. */
function ratios(values: readonly number[], reference: readonly number[]): Spread {
  return spreadOf(values.map((value, round) => value / (reference[round] ?? Number.NaN)));
}

function range({ median, least, most }: Spread): string {
  return `${ratio(median)}, ${ratio(least)}-${ratio(most)}`;
}
