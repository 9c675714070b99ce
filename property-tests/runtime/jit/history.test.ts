import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createInterpreter, createJit } from '../../../src/runtime/index.js';
import { KscopeWorld } from '../../../test/runtime/interp/generator/kscope-world.js';
import { type World, worldOf } from '../../../test/runtime/interp/generator/world.js';
import { comparable, type WorldOutcome } from '../../../test/runtime/interp/generator/world-outcome.js';
import { worldSeeds } from '../../../test/runtime/interp/generator/world-seeds.js';

const WORLDS = 240;
const SEED = 3;

/** With keys as Linux promises them: the id of a map seeds its hash, and so decides about the order that is not promised. */
function outcome(side: KscopeWorld, world: World): WorldOutcome {
  return comparable(side.run(world), world.subjects);
}

describe('what a runtime has run before', () => {
  it.each([
    ['interp', () => new KscopeWorld(createInterpreter())],
    ['jit', () => new KscopeWorld(createJit())],
    ['jit, everything proved', () => new KscopeWorld(createJit({ assumeProved: true }))],
    ['jit on shared memory', () => new KscopeWorld(createJit(), { shared: true })],
  ])('%s: does not show in what later programs leave', (_name, create) => {
    const [busy, idle] = [new KscopeWorld(createInterpreter()), create()];
    const worlds = fc.sample(worldSeeds, { numRuns: WORLDS, seed: SEED }).map(worldOf);
    for (const [position, world] of worlds.entries()) {
      const expected = outcome(busy, world);
      // Ids and addresses of maps have come apart, and freed memory holds other bytes.
      if (position % 3 === 2) expect(outcome(idle, world)).toEqual(expected);
    }
  });
});
