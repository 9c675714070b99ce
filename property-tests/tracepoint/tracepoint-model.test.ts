import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { TracepointRegistry } from '../../src/tracepoint/index.js';
import { TestHost } from '../../test/support/test-host.js';
import { TestRuntime } from '../../test/support/test-runtime.js';
import { SCHED_SWITCH, SYS_ENTER } from '../../test/support/tracepoints.js';
import { LISTENERS, MAX_DEPTH, PLACES, priorityOf, TracepointModel, type Behaviour } from './model.js';

const RUNS = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 1000);

/** The registry under the same operations as the model. */
class RealSide {
  readonly log: string[] = [];
  readonly host = new TestHost({ tracepoints: [SCHED_SWITCH, SYS_ENTER], cpus: 2 });
  readonly registry = new TracepointRegistry(new TestRuntime(this.host).runtime);
  readonly #behaviours: readonly Behaviour[];
  /** One function per place, called with the listener as its data. */
  readonly #functions = Array.from(
    { length: PLACES },
    (_, place) => (data: unknown, _hit: unknown, cpu: number) => this.#called(place, data as number, cpu),
  );
  #depth = 0;

  constructor(behaviours: readonly Behaviour[]) {
    this.#behaviours = behaviours;
  }

  add(place: number, listener: number): void {
    const call = this.#functions[place] as never;
    this.#attempt(() => this.#at(place).register(call, listener, priorityOf(listener)));
  }

  remove(place: number, listener: number): void {
    const call = this.#functions[place] as never;
    this.#attempt(() => this.#at(place).unregister(call, listener));
  }

  fire(tracepoint: number, number: number, cpu: number): void {
    if (this.#depth === MAX_DEPTH) return;
    this.#depth++;
    this.host.fire(tracepoint === 0 ? 'sched_switch' : 'sys_enter', [0n, BigInt(number), 0n, 0n], cpu);
    this.#depth--;
  }

  #at(place: number): TracepointRegistry['tracepoints'][number] {
    return (place < 2 ? this.registry.tracepoints[place] : this.registry.events[place - 2]) as never;
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      this.log.push(error.code);
    }
  }

  #called(place: number, listener: number, cpu: number): void {
    this.log.push(`${place}:${listener}`);
    const { kind, place: where, listener: who } = this.#behaviours[listener];
    if (kind === 'add') this.add(where, who);
    if (kind === 'remove') this.remove(where, who);
    if (kind === 'fire') this.fire(where % 2, who % 2, cpu);
  }
}

type Op = {
  readonly kind: 'add' | 'remove' | 'fire';
  readonly place: number;
  readonly listener: number;
  readonly cpu: number;
};

const place = fc.nat({ max: PLACES - 1 });
const listener = fc.nat({ max: LISTENERS - 1 });
const behaviour = fc.record({ kind: fc.constantFrom('nothing', 'nothing', 'add', 'remove', 'fire'), place, listener });
const operation: fc.Arbitrary<Op> = fc.record({
  kind: fc.constantFrom('add', 'add', 'remove', 'fire', 'fire'),
  place,
  listener,
  cpu: fc.nat({ max: 1 }),
});

describe('listeners that come, go and cause hits, also while they are called', () => {
  it('are called when and only when the model says, and turn flags on and off by their number', () => {
    fc.assert(
      fc.property(
        fc.array(behaviour, { minLength: LISTENERS, maxLength: LISTENERS }),
        fc.array(operation, { minLength: 1, maxLength: 40 }),
        (behaviours, operations) => {
          const model = new TracepointModel(behaviours);
          const real = new RealSide(behaviours);
          for (const { kind, place: where, listener: who, cpu } of operations) {
            for (const side of [model, real]) {
              if (kind === 'fire') side.fire(where % 2, who % 2, cpu);
              else side[kind](where, who);
            }
            expect(real.log).toEqual(model.log);
            expect([...real.host.tracepoints.enabled]).toEqual(model.flags);
          }
          for (const [i, event] of real.registry.events.entries()) {
            expect([event.users, event.hits, event.missed]).toEqual([
              model.users(i + 2),
              model.hits[i + 2],
              model.missed[i + 2],
            ]);
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});
