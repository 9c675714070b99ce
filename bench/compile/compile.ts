import { BpfRuntime, checkProgram, createBareHost, DEFAULT_BUDGET } from 'kscope/runtime';
import { type EngineRow, PLAIN_ENGINES } from '../engines.js';
import type { BenchOptions } from '../options.js';
import type { Report } from '../report.js';
import { exponent, median, type Point, spreadOf } from '../statistics.js';
import type { Effort } from '../stopwatch.js';
import { formatTable } from '../table.js';
import { programMaker } from './program-of-size.js';

const SIZES = [10, 100, 1000, 10_000] as const;

/** Microseconds of the steps from a program's instructions to the end of its first run. */
interface Steps {
  readonly check: number;
  readonly compile: number;
  readonly firstRun: number;
}

interface Figures {
  readonly engine: string;
  readonly size: number;
  /** Medians of each round. */
  readonly rounds: readonly Steps[];
}

/** How long an engine takes from a checked program to one that has run, by the number of its instructions. */
export async function compile({ effort }: BenchOptions): Promise<Report> {
  const engines = PLAIN_ENGINES.map((engine) => new CompileBench(engine));
  const cold = engines.map((bench) => ({ engine: bench.name, steps: bench.once(100) }));
  const figures = new Map<string, Figures & { rounds: Steps[] }>();
  for (const size of SIZES) for (const bench of engines) bench.warmUp(size, effort);
  for (let round = 0; round < effort.rounds; round++) {
    for (const size of SIZES) {
      for (const bench of engines) {
        const key = `${bench.name} ${size}`;
        const row = figures.get(key) ?? { engine: bench.name, size, rounds: [] };
        figures.set(key, row);
        row.rounds.push(medianSteps(Array.from({ length: effort.samples }, () => bench.once(size))));
      }
    }
  }
  const rows = [...figures.values()];
  return { lines: compileLines(rows, cold), data: { cold, figures: rows }, failures: [] };
}

class CompileBench {
  readonly name: string;
  readonly #runtime: BpfRuntime;
  readonly #make: ReturnType<typeof programMaker>;
  readonly #ctx: number;

  constructor(engine: EngineRow) {
    const memory = engine.memory?.();
    this.name = engine.name;
    this.#runtime = new BpfRuntime(createBareHost(), {
      engine: engine.create(),
      ...(memory === undefined ? {} : { memory }),
    });
    this.#make = programMaker(this.#runtime);
    this.#ctx = this.#runtime.memory.alloc(256);
  }

  /** A program never seen before, loaded, run once and given back. */
  once(size: number): Steps {
    const runtime = this.#runtime;
    const input = this.#make(size);
    const start = performance.now();
    const executable = checkProgram(input);
    const checked = performance.now();
    const program = runtime.engine.instantiate(executable, runtime);
    const compiled = performance.now();
    const run = runtime.enter(0);
    if (run === null) throw new Error('no run is under way here');
    run.ctx = this.#ctx;
    run.ctxSize = 256;
    run.budget = DEFAULT_BUDGET;
    program.run(run, this.#ctx);
    const end = performance.now();
    const { fault } = run;
    runtime.leave(run);
    program.dispose();
    if (fault !== null) throw new Error(`a generated program stopped at ${fault.pc}: ${fault.reason}`);
    return { check: (checked - start) * 1e3, compile: (compiled - checked) * 1e3, firstRun: (end - compiled) * 1e3 };
  }

  warmUp(size: number, { warmUpMs }: Effort): void {
    const end = performance.now() + warmUpMs;
    do this.once(size);
    while (performance.now() < end);
  }
}

function medianSteps(steps: readonly Steps[]): Steps {
  const of = (key: keyof Steps): number => median(steps.map((each) => each[key]));
  return { check: of('check'), compile: of('compile'), firstRun: of('firstRun') };
}

function compileLines(rows: readonly Figures[], cold: readonly { engine: string; steps: Steps }[]): string[] {
  const table = rows
    .toSorted((a, b) => a.engine.localeCompare(b.engine) || a.size - b.size)
    .map(({ engine, size, rounds }) => {
      const total = spreadOf(rounds.map(runnable));
      const steps = medianSteps(rounds);
      const cells = [steps.check, steps.compile, steps.firstRun, total.median, total.least, total.most];
      return [engine, String(size), ...cells.map((us) => us.toFixed(1)), (total.median / size).toFixed(3)];
    });
  const fits = [...new Set(rows.map(({ engine }) => engine))].map((engine) => {
    const points = rows
      .filter((row) => row.engine === engine)
      .map((row): Point => [row.size, median(row.rounds.map(runnable))]);
    const large = points.filter(([size]) => size >= 100);
    const first = cold.find((each) => each.engine === engine)?.steps;
    const coldText =
      first === undefined
        ? ''
        : `; the first program of the process, 100 instructions: ${runnable(first).toFixed(0)} us`;
    return `${engine}: time ~ size^${exponent(points).toFixed(2)}, from 100 on size^${exponent(large).toFixed(2)}${coldText}`;
  });
  return [
    ...formatTable(
      ['engine', 'insns', 'check us', 'compile', 'first run', 'runnable', 'least', 'most', 'us/insn'],
      table,
    ),
    '',
    ...fits,
    '',
    'Runnable is compile and first run, of a process that is warm; parsing and checking come before it.',
  ];
}

function runnable({ compile: us, firstRun }: Steps): number {
  return us + firstRun;
}
