import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Behaviour } from './model.js';
import { CPUS, FUNCTION_NAMES, PLACES, TASKS, World } from './world.js';

type Op = (world: World) => void;

const RUNS = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 400);

const index = fc.nat({ max: 15 });
const straight = fc.constantFrom('frame', 'leaf');
const moment = fc.constantFrom('entry', 'return', 'session');
const symbol = fc.constantFrom(...FUNCTION_NAMES);

/** Often the same few places, so that probes share points. */
const place = fc.oneof(fc.nat({ max: PLACES.length - 1 }), fc.constantFrom(0, 3, 6));

const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Behaviour>({ kind: 'nothing' }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('unregister', 'disable', 'enable'), victim: index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('call' as const), symbol: straight }) },
  { weight: 1, arbitrary: fc.constant<Behaviour>({ kind: 'return' }) },
);

/** An operation whose text says what it does, so that a counterexample reads as a script. */
function op<T extends readonly unknown[]>(
  name: string,
  args: { [K in keyof T]: fc.Arbitrary<T[K]> },
  act: (world: World, ...args: T) => void,
): fc.Arbitrary<Op> {
  return fc.tuple(...(args as unknown as [])).map((values) =>
    Object.assign((world: World) => act(world, ...(values as unknown as T)), {
      toString: () => `${name}(${values.map((value) => JSON.stringify(value)).join(', ')})`,
    }),
  );
}

const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: op('register', [place, behaviour, fc.boolean()], (w, where, does, off) => w.register(where, does, off)),
  },
  {
    weight: 3,
    arbitrary: op('registerReturn', [symbol, fc.integer({ min: 1, max: 3 }), fc.boolean()], (w, name, max, skips) =>
      w.registerReturn(name, max, skips),
    ),
  },
  {
    weight: 2,
    arbitrary: op(
      'registerMulti',
      [fc.subarray([...FUNCTION_NAMES], { minLength: 1 }), moment, fc.integer({ min: 1, max: 3 })],
      (w, names, when, max) => w.registerMulti(names, when, max),
    ),
  },
  { weight: 1, arbitrary: op('detachMulti', [index], (w, i) => w.detachMulti(i)) },
  {
    weight: 1,
    arbitrary: op('setMultiEnabled', [index, fc.boolean()], (w, i, enabled) => w.setMultiEnabled(i, enabled)),
  },
  { weight: 2, arbitrary: op('unregister', [index], (w, i) => w.unregister(i)) },
  { weight: 2, arbitrary: op('setEnabled', [index, fc.boolean()], (w, i, on) => w.setEnabled(i, on)) },
  {
    weight: 10,
    arbitrary: op(
      'run',
      [fc.nat({ max: TASKS - 1 }), fc.nat({ max: CPUS - 1 }), fc.integer({ min: 1, max: 20 }), symbol],
      (w, task, cpu, n, name) => w.run(task, cpu, n, name),
    ),
  },
  { weight: 1, arbitrary: op('fault', [fc.nat({ max: TASKS - 1 })], (w, task) => w.fault(task)) },
  { weight: 1, arbitrary: op('exit', [fc.nat({ max: TASKS - 1 })], (w, task) => w.exit(task)) },
  {
    weight: 3,
    arbitrary: op(
      'callAndUnwind',
      [fc.nat({ max: TASKS - 1 }), fc.nat({ max: CPUS - 1 }), fc.integer({ min: 3, max: 9 })],
      (w, task, cpu, n) => (w.run(task, cpu, n, 'caller'), w.unwind(task)),
    ),
  },
  { weight: 1, arbitrary: op('unwind', [fc.nat({ max: TASKS - 1 })], (w, task) => w.unwind(task)) },
);

describe('probes under any sequence of events', () => {
  it('count every hit as handled or missed by cause, restore the text, leave nothing dangling', () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 5, maxLength: 60 }), (operations) => {
        const world = new World();
        for (const operate of operations) {
          operate(world);
          expect(world.check()).toEqual([]);
        }
        world.finish();
        expect([...world.check(), ...world.checkEnd()]).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
