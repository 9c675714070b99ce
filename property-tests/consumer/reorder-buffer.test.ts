import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OrderOptions, type RecordFlow, type RecordSource, ReorderBuffer } from '../../src/runtime/index.js';

interface Stamped {
  readonly ring: number;
  readonly time: bigint;
}

/** A ring of the test: what was put into it and not taken yet. */
class Ring implements RecordSource<Stamped> {
  readonly records: Stamped[] = [];

  drain(flow: RecordFlow, deliver: (record: Stamped) => void, limit: number): number {
    let taken = 0;
    while (taken < limit && this.records.length > 0) {
      taken++;
      flow.delivered++;
      deliver(this.records.shift() as Stamped);
    }
    return taken;
  }

  onWakeup(): () => void {
    return () => undefined;
  }
}

/** Steps of a run: a ring gets a record so many ns after its last one, or somebody polls for so many records. */
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ ring: fc.nat(3), after: fc.nat(50) }) },
    { weight: 1, arbitrary: fc.record({ poll: fc.nat(20) }) },
  ),
  { maxLength: 200 },
);

function run(
  plan: Iterable<{ ring: number; after: number } | { poll: number }>,
  options: Partial<OrderOptions<Stamped>>,
) {
  const rings = [0, 1, 2, 3].map(() => new Ring());
  const buffer = new ReorderBuffer(rings, { timeOf: ({ time }) => time, withinNs: 0n, ...options });
  const flow: RecordFlow = { halted: false, delivered: 0 };
  const out: Stamped[] = [];
  const made: Stamped[] = [];
  const times = rings.map(() => 0n);
  const poll = (limit: number): number => buffer.drain(flow, (record) => out.push(record), limit);
  for (const step of plan) {
    if ('poll' in step) {
      expect(poll(step.poll)).toBeLessThanOrEqual(step.poll);
      continue;
    }
    times[step.ring] += BigInt(step.after);
    const record = { ring: step.ring, time: times[step.ring] };
    rings[step.ring].records.push(record);
    made.push(record);
  }
  buffer.flushing = true;
  poll(Infinity);
  return { buffer, flow, out, made, times };
}

const inversions = (records: readonly Stamped[]): number => {
  let newest = -1n;
  let count = 0;
  for (const { time } of records) {
    if (time < newest) count++;
    else newest = time;
  }
  return count;
};

describe('records of several rings in the order of their times', () => {
  it('what has no room is taken once there is some', () => {
    const record = { ring: 0, after: 0 };
    const { out, made } = run([record, record, { poll: 0 }, record], { most: 1 });
    expect(out).toHaveLength(made.length);
  });

  it('each comes out once, whatever the bounds, and those that break the order are counted', () => {
    fc.assert(
      fc.property(steps, fc.bigInt(0n, 500n), fc.integer({ min: 1, max: 40 }), (plan, withinNs, most) => {
        const { buffer, flow, out, made } = run(plan, { withinNs, most });
        expect(new Set(out)).toEqual(new Set(made));
        expect(out).toHaveLength(made.length);
        expect(flow.delivered).toBe(made.length);
        expect(buffer.counts.held).toBe(0);
        expect(inversions(out)).toBe(buffer.counts.late);
      }),
    );
  });

  it('those of one ring keep their order', () => {
    fc.assert(
      fc.property(steps, fc.bigInt(0n, 500n), fc.integer({ min: 1, max: 40 }), (plan, withinNs, most) => {
        const { out, made } = run(plan, { withinNs, most });
        for (let ring = 0; ring < 4; ring++) {
          expect(out.filter((record) => record.ring === ring)).toEqual(made.filter((record) => record.ring === ring));
        }
      }),
    );
  });

  it('the order is exact where no ring is further behind than the bound', () => {
    fc.assert(
      fc.property(steps, (plan) => {
        const { buffer, out } = run(plan, { withinNs: 1_000_000n });
        expect(inversions(out)).toBe(0);
        expect(buffer.counts).toEqual({ held: 0, late: 0, early: 0 });
      }),
    );
  });
});
