import { type EngineRow, PLAIN_ENGINES } from '../engines.js';
import type { BenchOptions } from '../options.js';
import type { Report } from '../report.js';
import { median, type Spread, spreadOf } from '../statistics.js';
import { type Effort, Stopwatch } from '../stopwatch.js';
import { atMost } from '../target.js';
import { formatTable, nanoseconds, ratio } from '../table.js';
import { hitsSeenAfterEnabling, loopWithout, loopWithTracepoint } from './disabled-tracepoint.js';
import { emptyCall } from './empty-call.js';
import { type DispatchRow, hookRows } from './hooks.js';
import { type KprobeFigures, measureKprobe } from './kprobe.js';

const EMPTY_CALL = 'empty WebAssembly call';
const WITHOUT = 'loop without a tracepoint';
const WITH = 'the loop with a disabled tracepoint';
/** Ratios to the empty call that a program of a hit shall take at most. */
const TO_EMPTY_CALL: Readonly<Record<string, number>> = {
  'jit: hit, 1 program': 1.2,
  'jit: hit, 16 mixed programs': 2.5,
};
const MOST_DISABLED_NS = 1;
const MOST_KPROBE_NS = 250;
/** Iterations of the loop in which a tracepoint is switched on. */
const ENABLING_LOOP = 2_000_000;

/** What it costs to get from a hook to programs and back, hooks on and off. */
export async function dispatch({ effort }: BenchOptions): Promise<Report> {
  const rows = allRows(effort);
  const samples = new Map<string, number[]>(rows.map(({ name }) => [name, []]));
  for (let round = 0; round < effort.rounds; round++) {
    for (const { name, ns } of measureRound(rows, effort)) samples.get(name)?.push(ns);
  }
  const kprobes = PLAIN_ENGINES.map((engine) => ({ engine: engine.name, rounds: kprobeRounds(engine, effort) }));
  const failures = PLAIN_ENGINES.flatMap((engine) => {
    const seen = hitsSeenAfterEnabling(engine, ENABLING_LOOP);
    return seen === ENABLING_LOOP / 2
      ? []
      : [`${engine.name}: ${seen} of ${ENABLING_LOOP / 2} hits seen after enabling in mid-loop`];
  });
  const lines = [...tableLines(samples), '', ...disabledLines(samples), ...kprobeLines(kprobes)];
  return { lines, data: { nsPerProgram: Object.fromEntries(samples), kprobes }, failures };
}

function allRows(effort: Effort): DispatchRow[] {
  const [first] = PLAIN_ENGINES;
  if (first === undefined) throw new Error('there are no engines');
  return [
    { name: EMPTY_CALL, programs: 1, stopwatch: new Stopwatch(emptyCall(), effort) },
    ...PLAIN_ENGINES.flatMap((engine) => hookRows(engine, effort)),
    { name: WITHOUT, programs: 1, stopwatch: new Stopwatch(loopWithout(), effort) },
    { name: WITH, programs: 1, stopwatch: new Stopwatch(loopWithTracepoint(first), effort) },
  ];
}

function measureRound(rows: readonly DispatchRow[], { samples }: Effort): { name: string; ns: number }[] {
  const taken = rows.map((): number[] => []);
  for (let i = 0; i < samples; i++) rows.forEach(({ stopwatch }, at) => taken[at]?.push(stopwatch.sample()));
  return rows.map(({ name, programs }, at) => ({ name, ns: median(taken[at] ?? []) / programs }));
}

function kprobeRounds(engine: EngineRow, { rounds, sampleMs }: Effort): KprobeFigures[] {
  const virtualNs = sampleMs < 1 ? 5_000_000 : 100_000_000;
  return Array.from({ length: rounds }, () => measureKprobe(engine, virtualNs));
}

function tableLines(samples: ReadonlyMap<string, readonly number[]>): string[] {
  const reference = samples.get(EMPTY_CALL) ?? [];
  const rows = [...samples].map(([name, values]) => {
    const { median: ns, least, most } = spreadOf(values);
    const ratios = spreadOf(values.map((value, round) => value / (reference[round] ?? Number.NaN)));
    const limit = TO_EMPTY_CALL[name];
    const target = limit === undefined ? '' : atMost(limit, ratios.median);
    return [name, nanoseconds(ns), `${nanoseconds(least)}-${nanoseconds(most)}`, ratioText(ratios), target];
  });
  return [
    ...formatTable(['ns per program and hit', 'median', 'range', 'to the empty call', 'target'], rows),
    '',
    'Medians of the rounds; ratios are made within each round: median and range.',
    'A hit is the function of an attach point, called with a context that stands in memory: guard and accounts included.',
    'Raw tracepoints add the way from the host; trace events build a record before their programs run.',
  ];
}

function ratioText({ median: middle, least, most }: Spread): string {
  return `${ratio(middle)}, ${ratio(least)}-${ratio(most)}`;
}

function disabledLines(samples: ReadonlyMap<string, readonly number[]>): string[] {
  const without = samples.get(WITHOUT) ?? [];
  const differences = (samples.get(WITH) ?? []).map((ns, round) => ns - (without[round] ?? Number.NaN));
  const { median: ns, least, most } = spreadOf(differences);
  return [
    `disabled tracepoint: ${nanoseconds(ns)} ns (${nanoseconds(least)} to ${nanoseconds(most)}), the difference of the two loops; target ${atMost(MOST_DISABLED_NS, Math.max(ns, 0.01))}`,
  ];
}

function kprobeLines(kprobes: readonly { engine: string; rounds: readonly KprobeFigures[] }[]): string[] {
  return kprobes.map(({ engine, rounds }) => {
    const handler = spreadOf(rounds.map(({ inHandler }) => inHandler));
    const difference = spreadOf(rounds.map(({ byDifference }) => byDifference));
    const own = `${nanoseconds(handler.median)} ns (${nanoseconds(handler.least)} to ${nanoseconds(handler.most)})`;
    return `kprobe on the simulator, ${engine}: ${own} from trap to resume; ${nanoseconds(difference.median)} ns as the difference of runs; ${rounds[0]?.hits ?? 0} hits; target ${atMost(MOST_KPROBE_NS, handler.median)}`;
  });
}
