import { DEFAULT_BUDGET } from 'kscope/runtime';
import type { EngineRow } from '../engines.js';
import { type Effort, type Loop, Stopwatch } from '../stopwatch.js';
import { keep } from './empty-call.js';
import { HookFixture, type HookKind } from './hook-fixture.js';

/** Something to measure in turns with others. */
export interface DispatchRow {
  readonly name: string;
  /** Programs that one repetition runs; the table divides by it. */
  readonly programs: number;
  readonly stopwatch: Stopwatch;
}

/** Programs that do nothing, from the engine's own entry to whole hits of a tracepoint. */
export function hookRows(engine: EngineRow, effort: Effort): DispatchRow[] {
  const row = (name: string, programs: number, loop: Loop): DispatchRow => ({
    name: `${engine.name}: ${name}`,
    programs,
    stopwatch: new Stopwatch(loop, effort),
  });
  return [
    row('engine.run, 1 program', 1, enginesLoop(engine, 1)),
    row('engine.run, 16 programs in turn', 16, enginesLoop(engine, 16)),
    row('raw tracepoint, 1 program', 1, hitsLoop(engine, 'raw', 1)),
    row('raw tracepoint, 16 programs', 16, hitsLoop(engine, 'raw', 16)),
    row('trace event, 1 program', 1, hitsLoop(engine, 'event', 1)),
    row('trace event, 16 programs', 16, hitsLoop(engine, 'event', 16)),
    row('trace event emitted by the host, 1 program', 1, emitLoop(engine)),
  ];
}

/** Nothing but entering the programs: no guard, no accounts. */
function enginesLoop(engine: EngineRow, count: number): Loop {
  const fixture = new HookFixture(engine);
  const { runtime } = fixture.machine;
  const programs = Array.from({ length: count }, (_, i) => fixture.program('raw', i).engine);
  const ctx = runtime.memory.alloc(16);
  const run = runtime.enter(0);
  if (run === null) throw new Error('a new runtime has no run under way');
  run.ctx = ctx;
  run.ctxSize = 16;
  return (repeats) => {
    let sum = 0;
    for (let i = 0; i < repeats; i++) {
      for (const program of programs) {
        run.budget = DEFAULT_BUDGET;
        sum += program.run(run, ctx);
      }
    }
    keep(sum);
  };
}

function hitsLoop(engine: EngineRow, kind: HookKind, count: number): Loop {
  const fixture = new HookFixture(engine);
  fixture.attach(kind, count);
  const args = Int32Array.of(1, 0, 2, 0);
  return (repeats) => {
    for (let i = 0; i < repeats; i++) fixture.hit(args);
  };
}

function emitLoop(engine: EngineRow): Loop {
  const fixture = new HookFixture(engine);
  fixture.attach('event', 1);
  const { tracepoint } = fixture;
  return (repeats) => {
    for (let i = 0; i < repeats; i++) {
      if (tracepoint.enabled) tracepoint.emit(0, { value: 1n, kind: 2 });
    }
  };
}
