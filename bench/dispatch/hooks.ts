import { DEFAULT_BUDGET } from 'kscope/runtime';
import type { EngineRow } from '../engines.js';
import { type Effort, type Loop, Stopwatch } from '../stopwatch.js';
import { freshLoop } from './fresh-loop.js';
import { HitFixture } from './hit-fixture.js';
import { HookFixture, type HookKind } from './hook-fixture.js';

/** Something to measure in turns with others. */
export interface DispatchRow {
  readonly name: string;
  /** Programs that one repetition runs; the table divides by it. */
  readonly programs: number;
  readonly stopwatch: Stopwatch;
}

const BATCH = 64;

/** Programs that do next to nothing, from the engine's own entry to whole hits of a tracepoint. */
export function hookRows(engine: EngineRow, effort: Effort): DispatchRow[] {
  const row = (name: string, programs: number, loop: Loop): DispatchRow => ({
    name: `${engine.name}: ${name}`,
    programs,
    stopwatch: new Stopwatch(loop, effort),
  });
  return [
    row('engine.run, 1 program', 1, engineLoop(engine)),
    row('hit, 1 program', 1, hitLoop(engine, 1)),
    row('hit, 16 mixed programs', 16, hitLoop(engine, 16)),
    row('batch of 64 hits', BATCH, batchLoop(engine)),
    row('raw tracepoint, 1 program', 1, tracepointLoop(engine, 'raw', 1)),
    row('raw tracepoint, 16 programs', 16, tracepointLoop(engine, 'raw', 16)),
    row('trace event, 1 program', 1, tracepointLoop(engine, 'event', 1)),
    row('trace event, 16 programs', 16, tracepointLoop(engine, 'event', 16)),
    row('trace event emitted by the host, 1 program', 1, emitLoop(engine)),
  ];
}

/** Nothing but entering a program: no guard, no accounts. */
function engineLoop(engine: EngineRow): Loop {
  const fixture = new HookFixture(engine);
  const { runtime } = fixture.machine;
  const program = fixture.program('raw', 1).engine;
  const ctx = runtime.memory.alloc(16);
  const run = runtime.enter(0);
  if (run === null) throw new Error('a new runtime has no run under way');
  run.ctx = ctx;
  run.ctxSize = 16;
  run.budget = DEFAULT_BUDGET;
  return freshLoop('program.run(run, ctx)', { program, run, ctx });
}

/** The attach point's own function, on a context that stands in memory: guard and accounts included. */
function hitLoop(engine: EngineRow, count: number): Loop {
  const { point, ctx } = new HitFixture(engine, count);
  return freshLoop('(hit(null, ctx, 0), 1)', { hit: point.hit, ctx });
}

function batchLoop(engine: EngineRow): Loop {
  const { attachments, ctx } = new HitFixture(engine, 1);
  const [attachment] = attachments;
  return freshLoop('(attachment.batch(ctx, 0, size, 0), 1)', { attachment, ctx, size: BATCH });
}

/** A hit as the host sends it: the arguments are in place, and copied if a program looks at them. */
function tracepointLoop(engine: EngineRow, kind: HookKind, count: number): Loop {
  const fixture = new HookFixture(engine);
  fixture.attach(kind, count);
  return freshLoop('(tracepoint.deliver(args, 0), 1)', {
    tracepoint: fixture.tracepoint,
    args: Int32Array.of(1, 0, 2, 0),
  });
}

function emitLoop(engine: EngineRow): Loop {
  const fixture = new HookFixture(engine);
  fixture.attach('event', 1);
  const call = '(tracepoint.enabled && tracepoint.emit(0, { value: 1n, kind: 2 }), 1)';
  return freshLoop(call, { tracepoint: fixture.tracepoint });
}
