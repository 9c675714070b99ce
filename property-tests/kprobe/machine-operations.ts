import fc from 'fast-check';
import type { MachineWorld, ProbeKind } from './machine-model.js';

/** One step of a run on a machine; its text says what it does, so that a counterexample reads as a script. */
export type MachineOperation = (world: MachineWorld) => void;

const index = fc.nat({ max: 15 });
const kind = fc.constantFrom<ProbeKind[]>('entry', 'second', 'return', 'skipping');

function named(name: string, args: readonly unknown[], act: MachineOperation): MachineOperation {
  return Object.assign((world: MachineWorld) => act(world), {
    toString: () => `${name}(${args.map(String).join(', ')})`,
  });
}

const operation: fc.Arbitrary<MachineOperation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(index, kind, fc.boolean())
      .map(([i, what, on]) => named('register', [i, what, on], (world) => world.register(i, what, on))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.uniqueArray(index, { minLength: 2, maxLength: 4 }), kind)
      .map(([many, what]) => named('registerMany', [many, what], (world) => world.registerMany(many, what))),
  },
  { weight: 2, arbitrary: index.map((i) => named('unregister', [i], (world) => world.unregister(i))) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(index, fc.boolean())
      .map(([i, on]) => named('setEnabled', [i, on], (world) => world.setEnabled(i, on))),
  },
  { weight: 3, arbitrary: fc.constant(named('goOn', [], (world) => world.goOn())) },
  { weight: 2, arbitrary: fc.constant(named('rest', [], (world) => world.rest())) },
);

/** Sequences of `max` operations at most. */
export function machineOperations(max: number): fc.Arbitrary<MachineOperation[]> {
  return fc.array(operation, { minLength: Math.min(6, max), maxLength: max });
}
