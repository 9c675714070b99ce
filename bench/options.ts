import { parseArgs } from 'node:util';
import { type Effort, FULL, QUICK } from './stopwatch.js';

export interface BenchOptions {
  /** Which benchmark. */
  readonly suite: string;
  readonly effort: Effort;
  /** Only rows whose name is among these; empty: all. */
  readonly only: readonly string[];
  /** Folder of the JSON file. */
  readonly out: string;
  /** Measure nothing: print what stands in `out`. */
  readonly markdown: boolean;
}

export const USAGE = `npm run bench [-- SUITE] [NAME...] [--rounds N] [--quick] [--out FOLDER] [--markdown]

SUITE is compute (default), events, compile, dispatch, guests, btf, load or sim; NAMEs choose rows of compute.
--quick makes every figure meaningless and the run short. Results go to FOLDER/SUITE.json (bench/results).
--markdown measures nothing: it prints the results that stand in FOLDER as Markdown.`;

/** Throws what parseArgs throws. */
export function benchOptions(args: readonly string[], suites: readonly string[], defaultOut: string): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean' },
      out: { type: 'string' },
      markdown: { type: 'boolean' },
    },
    allowPositionals: true,
  });
  const [first = 'compute', ...rest] = positionals;
  const named = suites.includes(first);
  const effort = values.quick === true ? QUICK : FULL;
  const suite = named ? first : 'compute';
  const rounds = values.rounds === undefined ? defaultRounds(suite, effort) : Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds > 0))
    throw new RangeError(`--rounds ${values.rounds}: not a number of rounds`);
  return {
    suite,
    effort: { ...effort, rounds },
    only: named ? rest : positionals,
    out: values.out ?? defaultOut,
    markdown: values.markdown === true,
  };
}

/** Two threads disturb each other and are disturbed: their ratios need more rounds. */
function defaultRounds(suite: string, effort: Effort): number {
  return suite === 'events' && effort === FULL ? 9 : effort.rounds;
}
