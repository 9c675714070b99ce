import { BpfRuntime, checkProgram, createBareHost, DEFAULT_BUDGET, type EngineProgram } from 'kscope/runtime';
import { type EngineRow, PLAIN_ENGINES } from '../engines.js';
import type { BenchOptions } from '../options.js';
import type { Report } from '../report.js';
import { median } from '../statistics.js';
import type { Effort } from '../stopwatch.js';
import { LinuxLoad } from './linux-load.js';
import { memoryOfPrograms } from './memory.js';
import { programMaker } from './program-of-size.js';
import { type ColdStart, type CompileRow, compileLines, type Steps } from './report-compile.js';

/** Objects: how many programs of how many instructions. The largest is one program: ten of them are no object. */
const OBJECTS = [10, 100, 1000, 10_000].flatMap((size) =>
  size === 10_000 ? [{ size, programs: 1 }] : [1, 10].map((programs) => ({ size, programs })),
);

/** From an object's instructions to programs that have run, and what loaded programs take in memory. */
export async function compile({ effort }: BenchOptions): Promise<Report> {
  const engines = PLAIN_ENGINES.map((engine) => new CompileBench(engine));
  const cold = engines.map((bench): ColdStart => ({ engine: bench.name, steps: bench.once(100, 1) }));
  const linux = await LinuxLoad.open();
  const rows = new Map<string, CompileRow>();
  const note = (engine: string, size: number, programs: number, steps: Steps): void => {
    const key = `${engine} ${size} ${programs}`;
    const row = rows.get(key) ?? { engine, size, programs, rounds: [] };
    rows.set(key, { ...row, rounds: [...row.rounds, steps] });
  };
  for (const { size, programs } of OBJECTS) for (const bench of engines) bench.warmUp(size, programs, effort);
  for (let round = 0; round < effort.rounds; round++) {
    for (const { size, programs } of OBJECTS) {
      for (const bench of engines) note(bench.name, size, programs, bench.round(size, programs, effort));
      if (programs > 1 || 'unavailable' in linux) continue;
      note('linux', size, programs, await loadedByLinux(linux, size, effort));
    }
  }
  if (!('unavailable' in linux)) linux.close();
  const memory = engines.map(({ name }) => memoryOfPrograms(name));
  const unavailable = 'unavailable' in linux ? linux.unavailable : undefined;
  const found = [...rows.values()];
  return {
    lines: compileLines({ rows: found, cold, memory, unavailable }),
    data: { cold, figures: found, memory, linux: unavailable ?? 'measured' },
    failures: [],
  };
}

async function loadedByLinux(linux: LinuxLoad, size: number, { samples }: Effort): Promise<Steps> {
  const us: number[] = [];
  for (let i = 0; i < samples; i++) us.push(await linux.once(size));
  return { check: 0, compile: median(us), firstRun: 0 };
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

  /** Medians of a round, after one load that fetches code and data back into the caches. */
  round(size: number, programs: number, { samples, sampleMs }: Effort): Steps {
    this.once(size, programs);
    const steps: Steps[] = [];
    const end = performance.now() + samples * sampleMs;
    do steps.push(this.once(size, programs));
    while (steps.length < samples || performance.now() < end);
    const of = (key: keyof Steps): number => median(steps.map((each) => each[key]));
    return { check: of('check'), compile: of('compile'), firstRun: of('firstRun') };
  }

  /** An object never seen before is loaded, each of its programs run once and given back: the price of one program. */
  once(size: number, programs: number): Steps {
    const runtime = this.#runtime;
    const inputs = Array.from({ length: programs }, () => this.#make(size));
    const start = performance.now();
    const executables = inputs.map((input) => checkProgram(input));
    const checked = performance.now();
    const loaded = runtime.engine.instantiateAll(executables, runtime);
    const compiled = performance.now();
    for (const program of loaded) this.#run(program);
    const end = performance.now();
    for (const program of loaded) program.dispose();
    const each = (ms: number): number => (ms * 1e3) / programs;
    return { check: each(checked - start), compile: each(compiled - checked), firstRun: each(end - compiled) };
  }

  warmUp(size: number, programs: number, { warmUpMs }: Effort): void {
    const end = performance.now() + warmUpMs;
    do this.once(size, programs);
    while (performance.now() < end);
  }

  #run(program: EngineProgram): void {
    const run = this.#runtime.enter(0);
    if (run === null) throw new Error('no run is under way here');
    run.ctx = this.#ctx;
    run.ctxSize = 256;
    run.budget = DEFAULT_BUDGET;
    program.run(run, this.#ctx);
    const { fault } = run;
    this.#runtime.leave(run);
    if (fault !== null) throw new Error(`a generated program stopped at ${fault.pc}: ${fault.reason}`);
  }
}
