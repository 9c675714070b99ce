import { describe, expect, it } from 'vitest';
import { RingBufferReader, type RingRecord } from '../../src/runtime/index.js';
import { ringFixture, settled } from './ring-fixture.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const first = (record: RingRecord): number => record.data[0];

describe('RingBufferReader as events', () => {
  it('delivers after the producer is done, not during its run', async () => {
    const ring = ringFixture();
    const seen: number[] = [];
    new RingBufferReader(ring.memory, ring.map).on('data', (record) => seen.push(first(record)));
    ring.produce(bytes(1));
    ring.produce(bytes(2));
    expect(seen).toEqual([]);
    await settled();
    expect(seen).toEqual([1, 2]);
  });

  it('delivers what was there before the first listener came', async () => {
    const ring = ringFixture();
    ring.produce(bytes(1));
    const reader = new RingBufferReader(ring.memory, ring.map);
    await settled();
    expect(reader.delivered).toBe(0);
    const seen: number[] = [];
    reader.once('data', (record) => seen.push(first(record)));
    await settled();
    ring.produce(bytes(2));
    await settled();
    expect(seen).toEqual([1]);
    expect(ring.map.area.consumer).toBe(16n);
  });

  it('a listener that throws neither loses nor repeats a record, and its error is an event', async () => {
    const ring = ringFixture();
    const seen: number[] = [];
    const errors: unknown[] = [];
    const reader = new RingBufferReader(ring.memory, ring.map);
    reader.on('error', (error) => errors.push(String(error)));
    reader.on('data', (record) => {
      seen.push(first(record));
      if (first(record) === 2) throw new Error('two');
    });
    for (const value of [1, 2, 3, 4]) ring.produce(bytes(value));
    await settled();
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(errors).toEqual(['Error: two']);
  });

  it('tells of reservations that failed', async () => {
    const ring = ringFixture(4096);
    const losses: number[] = [];
    const reader = new RingBufferReader(ring.memory, ring.map);
    reader.on('lost', ({ lost, map }) => losses.push(lost, map.id));
    reader.on('data', () => {});
    const results = Array.from({ length: 5 }, () => ring.produce(new Uint8Array(1000)));
    expect(results).toEqual([true, true, true, true, false]);
    await settled();
    expect(losses).toEqual([1, ring.map.id]);
  });

  it('emits end once', () => {
    const ring = ringFixture();
    let ends = 0;
    const reader = new RingBufferReader(ring.memory, ring.map).on('end', () => ends++);
    reader.close();
    reader.close();
    expect(ends).toBe(1);
    expect(reader.closed).toBe(true);
  });
});

describe('RingBufferReader as an async iterator', () => {
  it('waits for records and ends when the reader is closed', async () => {
    const ring = ringFixture();
    const reader = new RingBufferReader(ring.memory, ring.map);
    const seen: number[] = [];
    const loop = (async () => {
      for await (const record of reader) seen.push(first(record));
    })();
    ring.produce(bytes(1));
    await settled();
    ring.produce(bytes(2));
    await settled();
    expect(seen).toEqual([1, 2]);
    reader.close();
    await loop;
  });

  it('a blocked iterator is woken by close in the same microtask turn', async () => {
    const ring = ringFixture();
    const reader = new RingBufferReader(ring.memory, ring.map);
    const blocked = reader[Symbol.asyncIterator]().next();
    reader.close();
    expect(await Promise.race([blocked, Promise.resolve().then(() => Promise.resolve('late'))])).toEqual({
      value: undefined,
      done: true,
    });
  });

  it('aborting the signal ends the loop', async () => {
    const ring = ringFixture();
    const controller = new AbortController();
    const reader = new RingBufferReader(ring.memory, ring.map, { signal: controller.signal });
    const blocked = reader[Symbol.asyncIterator]().next();
    controller.abort();
    expect(await blocked).toEqual({ value: undefined, done: true });
    expect(reader.closed).toBe(true);
    expect(new RingBufferReader(ring.memory, ring.map, { signal: controller.signal }).closed).toBe(true);
  });

  it('two loops share the records', async () => {
    const ring = ringFixture();
    const reader = new RingBufferReader(ring.memory, ring.map);
    const [a, b] = [reader[Symbol.asyncIterator](), reader[Symbol.asyncIterator]()];
    const both = Promise.all([a.next(), b.next()]);
    ring.produce(bytes(1));
    ring.produce(bytes(2));
    expect((await both).map(({ value }) => value && first(value))).toEqual([1, 2]);
  });

  it('takes from several rings in turn', async () => {
    const one = ringFixture();
    const two = ringFixture(4096, one.memory, 'more');
    for (const value of [1, 2, 3]) one.produce(bytes(value));
    for (const value of [11, 12]) two.produce(bytes(value));
    const reader = new RingBufferReader(one.memory, [one.map, two.map]);
    const iterator = reader[Symbol.asyncIterator]();
    const seen: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { value } = await iterator.next();
      if (value !== undefined) seen.push(first(value));
    }
    expect(seen).toEqual([1, 11, 2, 12, 3]);
  });
});

describe('RingBufferReader.poll', () => {
  it('drains all rings to its handler, at most so many records', () => {
    const one = ringFixture();
    const two = ringFixture(4096, one.memory);
    one.produce(bytes(1));
    one.produce(bytes(2));
    two.produce(bytes(3));
    const reader = new RingBufferReader(one.memory, [one.map, two.map]);
    const seen: number[] = [];
    expect(reader.poll((record) => seen.push(first(record)), 1)).toBe(1);
    expect(reader.poll((record) => seen.push(first(record)))).toBe(2);
    expect(reader.poll((record) => seen.push(first(record)))).toBe(0);
    expect(seen).toEqual([1, 2, 3]);
    expect(reader.delivered).toBe(3);
  });

  it('without handler and listeners takes nothing', () => {
    const ring = ringFixture();
    ring.produce(bytes(1));
    expect(new RingBufferReader(ring.memory, ring.map).poll()).toBe(0);
    expect(ring.map.area.consumer).toBe(0n);
  });

  it('throws what its handler throws and goes on behind that record', () => {
    const ring = ringFixture();
    for (const value of [1, 2, 3]) ring.produce(bytes(value));
    const reader = new RingBufferReader(ring.memory, ring.map);
    const seen: number[] = [];
    const handler = (record: RingRecord): void => {
      seen.push(first(record));
      if (first(record) === 1) throw new Error('one');
    };
    expect(() => reader.poll(handler)).toThrow('one');
    expect(reader.poll(handler)).toBe(2);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('stops at a record that is still being written, skips discarded ones', () => {
    const ring = ringFixture();
    const open = ring.reserve(8);
    ring.produce(bytes(2));
    const reader = new RingBufferReader(ring.memory, ring.map);
    const seen: number[] = [];
    expect(reader.poll((record) => seen.push(first(record)))).toBe(0);
    ring.map.area.discard(open, 0);
    expect(reader.poll((record) => seen.push(first(record)))).toBe(1);
    expect(seen).toEqual([2]);
  });

  it('paused, leaves everything where it is', async () => {
    const ring = ringFixture();
    const seen: number[] = [];
    const reader = new RingBufferReader(ring.memory, ring.map).on('data', (record) => seen.push(first(record)));
    reader.pause();
    ring.produce(bytes(1));
    await settled();
    expect(reader.poll(() => {})).toBe(0);
    expect(seen).toEqual([]);
    reader.resume();
    await settled();
    expect(seen).toEqual([1]);
  });

  it('called from inside a handler goes on behind the record being handled', () => {
    const ring = ringFixture();
    for (const value of [1, 2, 3]) ring.produce(bytes(value));
    const reader = new RingBufferReader(ring.memory, ring.map);
    const seen: number[] = [];
    const handler = (record: RingRecord): void => {
      seen.push(first(record));
      reader.poll(handler);
    };
    reader.poll(handler);
    expect(seen).toEqual([1, 2, 3]);
  });
});
