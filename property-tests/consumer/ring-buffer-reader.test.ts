import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBalanced, RingBufferReader, type RingRecord, ringLedger } from '../../src/runtime/index.js';
import { type RingFixture, ringFixture, settled } from '../../test/consumer/ring-fixture.js';

type Step =
  | { readonly do: 'produce'; readonly ring: number; readonly size: number; readonly wakeup: number }
  | { readonly do: 'reserve'; readonly ring: number; readonly size: number }
  | { readonly do: 'commit'; readonly ring: number; readonly discard: boolean }
  | { readonly do: 'poll'; readonly limit: number; readonly throwAt: number }
  | { readonly do: 'next' | 'pause' | 'resume' | 'listen' | 'unlisten' | 'settle' };

const size = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 4100 }));
const ring = fc.integer({ min: 0, max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('produce' as const), ring, size, wakeup: fc.constantFrom(0, 1, 2) }),
  },
  fc.record({ do: fc.constant('reserve' as const), ring, size }),
  fc.record({ do: fc.constant('commit' as const), ring, discard: fc.boolean() }),
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('poll' as const),
      limit: fc.integer({ min: 1, max: 6 }),
      throwAt: fc.integer({ min: 0, max: 8 }),
    }),
  },
  fc.record({
    do: fc.constantFrom(
      'next' as const,
      'pause' as const,
      'resume' as const,
      'listen' as const,
      'unlisten' as const,
      'settle' as const,
    ),
  }),
);

/** Records as the model knows them: one queue per ring, in the order of reservation. */
interface Expected {
  readonly id: number;
  readonly size: number;
  state: 'open' | 'submitted' | 'discarded';
  readonly offset: number;
}

type Taker = 'poll' | 'listener' | 'iterator';

/** Who got which records. A promise is settled later than a listener is called: order holds for each taker only. */
class Takers {
  readonly #ids: Record<Taker, number[]> = { poll: [], listener: [], iterator: [] };

  add(taker: Taker, id: number): void {
    this.#ids[taker].push(id);
  }

  all(): number[] {
    return Object.values(this.#ids)
      .flat()
      .toSorted((a, b) => a - b);
  }

  expectOrder(): void {
    for (const ids of Object.values(this.#ids)) expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  }
}

class Model {
  readonly rings: RingFixture[];
  readonly reader: RingBufferReader;
  readonly queues: Expected[][] = [[], []];
  /** Ids by ring and by who took them. */
  readonly got = [new Takers(), new Takers()];
  readonly failed = [0, 0];
  lost = 0;
  #id = 0;
  readonly #listener = (record: RingRecord): void => this.receive('listener', record);
  #waiting = 0;

  constructor() {
    const one = ringFixture();
    this.rings = [one, ringFixture(8192, one.memory, 'second')];
    this.reader = new RingBufferReader(
      one.memory,
      this.rings.map(({ map }) => map),
    );
    this.reader.on('lost', ({ lost }) => (this.lost += lost));
  }

  receive(taker: Taker, { map, data }: RingRecord): void {
    const index = this.rings.findIndex((candidate) => candidate.map === map);
    const id = new DataView(data.buffer).getUint32(0, true);
    expect(data.subarray(4).every((byte) => byte === (id & 0xff))).toBe(true);
    this.got[index].add(taker, id);
  }

  reserve(index: number, length: number): Expected | undefined {
    const target = this.rings[index];
    const bytes = length + 4;
    const offset = target.reserve(bytes);
    if (offset === 0) {
      this.failed[index] = this.failed[index] + 1;
      return undefined;
    }
    const record: Expected = { id: ++this.#id, size: bytes, state: 'open', offset };
    target.memory.u8.fill(record.id & 0xff, offset, offset + bytes);
    target.memory.view.setUint32(offset, record.id, true);
    this.queues[index].push(record);
    return record;
  }

  commit(index: number, record: Expected, discard: boolean, flags = 0): void {
    const { area } = this.rings[index].map;
    if (discard) area.discard(record.offset, flags);
    else area.submit(record.offset, flags);
    record.state = discard ? 'discarded' : 'submitted';
  }

  async step(action: Step): Promise<void> {
    switch (action.do) {
      case 'produce': {
        const record = this.reserve(action.ring, action.size);
        if (record !== undefined) this.commit(action.ring, record, false, action.wakeup);
        break;
      }
      case 'reserve':
        this.reserve(action.ring, action.size);
        break;
      case 'commit': {
        const record = this.queues[action.ring].find(({ state }) => state === 'open');
        if (record !== undefined) this.commit(action.ring, record, action.discard);
        break;
      }
      case 'poll':
        this.poll(action.limit, action.throwAt);
        break;
      case 'next':
        this.#waiting++;
        void this.reader[Symbol.asyncIterator]()
          .next()
          .then((result) => {
            this.#waiting--;
            if (result.done !== true) this.receive('iterator', result.value);
          });
        break;
      case 'pause':
        this.reader.pause();
        break;
      case 'resume':
        this.reader.resume();
        break;
      case 'listen':
        this.reader.off('data', this.#listener).on('data', this.#listener);
        break;
      case 'unlisten':
        this.reader.off('data', this.#listener);
        break;
      case 'settle':
        await settled();
        break;
    }
  }

  poll(limit: number, throwAt: number): void {
    let count = 0;
    try {
      this.reader.poll((record) => {
        this.receive('poll', record);
        if (++count === throwAt) throw new Error('handler');
      }, limit);
    } catch (error) {
      expect(String(error)).toBe('Error: handler');
    }
  }

  /** Everything that was submitted came out once and in order; what is left is drained first. */
  async finish(): Promise<void> {
    await settled();
    this.queues.forEach((queue, index) => {
      for (const record of queue) if (record.state === 'open') this.commit(index, record, false);
    });
    this.reader.resume();
    await settled();
    this.reader.poll((record) => this.receive('poll', record));
    await settled();
    this.queues.forEach((queue, index) => {
      this.got[index].expectOrder();
      expect(this.got[index].all()).toEqual(queue.filter(({ state }) => state === 'submitted').map(({ id }) => id));
      const row = ringLedger(this.rings[index].memory, this.rings[index].map).ledgerRow();
      expect(row).toMatchObject({
        pending: 0,
        delivered: this.got[index].all().length,
        dropped: { 'ring full': this.failed[index] },
      });
      expect(isBalanced(row)).toBe(true);
    });
    expect(this.reader.delivered).toBe(this.got.flatMap((takers) => takers.all()).length);
    expect(this.lost).toBe(this.failed[0] + this.failed[1]);
    this.reader.close();
    await settled();
    expect(this.#waiting).toBe(0);
  }
}

describe('RingBufferReader', () => {
  it('delivers each submitted record exactly once and in order, whoever takes them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const model = new Model();
        for (const action of steps) await model.step(action);
        await model.finish();
      }),
      { numRuns: 1000 },
    );
  });
});
