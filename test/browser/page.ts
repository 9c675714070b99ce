import { chooseEngine, createInterpreter, createJit, type Engine } from '../../src/runtime/index.js';
import { KscopeWorld } from '../runtime/interp/generator/kscope-world.js';
import { parseRecordedWorld } from '../runtime/interp/generator/recorded-world.js';
import { worldOf, type WorldSeed } from '../runtime/interp/generator/world.js';
import { comparable, type WorldOutcome } from '../runtime/interp/generator/world-outcome.js';

/** What runs in the browser; the tests call it by name. */

const engines: Readonly<Record<string, () => Engine>> = {
  interp: createInterpreter,
  jit: createJit,
  'jit, everything proved': () => createJit({ assumeProved: true }),
  chosen: () => chooseEngine().engine,
};

/** Which of the recorded worlds an engine leaves otherwise than the kernel did: their positions. */
export function replay(lines: readonly string[], engine: string, cpus: number, shared: boolean): number[] {
  const side = new KscopeWorld(engines[engine](), { cpus, shared });
  return lines.flatMap((line, position) => {
    const { world, outcome } = parseRecordedWorld(line);
    const { subjects } = world;
    return isSame(comparable(side.run(world), subjects), comparable(outcome, subjects)) ? [] : [position];
  });
}

/** Which of the worlds an engine leaves otherwise than the interpreter does: the positions of their seeds. */
export function compare(seeds: readonly WorldSeed[], engine: string, shared: boolean): number[] {
  const interpreter = new KscopeWorld(createInterpreter());
  const side = new KscopeWorld(engines[engine](), { shared });
  return seeds.flatMap((seed, position) => {
    const world = worldOf(seed);
    return isSame(side.run(world), interpreter.run(world)) ? [] : [position];
  });
}

/** Which engine serves here, and why no faster one. */
export function choice(): { readonly name: string; readonly reason: string | undefined } {
  const { engine, reason } = chooseEngine();
  return { name: engine.name, reason };
}

function isSame(a: WorldOutcome, b: WorldOutcome): boolean {
  return text(a) === text(b);
}

function text({ retval, fault, value, packet, ring, maps }: WorldOutcome): string {
  const elements = maps.map(({ keys, values }) => keys.map((key) => `${key}=${values[key]}`));
  return JSON.stringify([
    retval,
    fault,
    value,
    packet,
    String(ring.consumer),
    String(ring.producer),
    ring.data,
    elements,
  ]);
}
