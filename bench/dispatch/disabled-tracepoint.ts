import type { EngineRow } from '../engines.js';
import type { Loop } from '../stopwatch.js';
import { emptyFunction, keep } from './empty-call.js';
import { HookFixture } from './hook-fixture.js';

/**
 * Work that cannot be left out, and a call after which nothing is known of any flag: without it, one test before the
 * loop could stand for all.
 */
function step(state: number, opaque: (argument: number) => number): number {
  return Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + opaque(state);
}

export function loopWithout(): Loop {
  const opaque = emptyFunction();
  return (count) => {
    let state = 1;
    for (let i = 0; i < count; i++) state = step(state, opaque);
    keep(state);
  };
}

/** The same loop with a tracepoint in it that nobody listens to: the difference is what the tracepoint costs. */
export function loopWithTracepoint(engine: EngineRow): Loop {
  const opaque = emptyFunction();
  const { tracepoint } = new HookFixture(engine);
  return (count) => {
    let state = 1;
    for (let i = 0; i < count; i++) {
      if (tracepoint.enabled) tracepoint.emit(0, { value: 1n, kind: state });
      state = step(state, opaque);
    }
    keep(state);
  };
}

/**
 * Runs a loop that is compiled for a tracepoint that is off and attaches a program in the middle of it. Answers how
 * many of the `count / 2` hits after that the program saw.
 */
export function hitsSeenAfterEnabling(engine: EngineRow, count: number): number {
  const opaque = emptyFunction();
  const fixture = new HookFixture(engine);
  const { tracepoint, machine } = fixture;
  const loop = (repeats: number, enableAt: number): void => {
    let state = 1;
    for (let i = 0; i < repeats; i++) {
      if (i === enableAt) fixture.attach('event', 1);
      if (tracepoint.enabled) tracepoint.emit(0, { value: 1n, kind: state });
      state = step(state, opaque);
    }
    keep(state);
  };
  loop(count, -1);
  loop(count, count / 2);
  return machine.ledgerRows()[0]?.delivered ?? 0;
}
