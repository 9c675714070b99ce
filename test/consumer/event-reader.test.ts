import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBtf } from '../../src/btf/index.js';
import { elfSection } from '../../src/loader/index.js';
import { plainEventClass } from '../../src/runtime/consumer/event-class.js';
import { type EventClass, EventReader, type EventType, eventType } from '../../src/runtime/index.js';
import { type RingFixture, ringFixture, settled } from './ring-fixture.js';

interface Opened {
  readonly ts: bigint;
  readonly pid: number;
  readonly comm: string;
}

const btf = parseBtf(elfSection(readFileSync(new URL('../../examples/opensnoop.bpf.o', import.meta.url)), '.BTF'));
const compiled = eventType<Opened>(btf, 'event');

function record(pid: number, comm: string, ts = 0n): Uint8Array {
  const bytes = new Uint8Array(compiled.size);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, ts, true);
  view.setUint32(8, pid, true);
  bytes.set(new TextEncoder().encode(comm), 28);
  return bytes;
}

function emit(ring: RingFixture, pids: readonly number[]): void {
  for (const pid of pids) ring.produce(record(pid, `task ${pid}`));
}

/** The same type without `new Function`. */
const plainType: EventType<Opened> = { name: 'event', size: compiled.size, ...plainClass() };

function plainClass(): EventClass<Opened> {
  const type = btf.findByName('event', 'struct');
  if (type?.kind !== 'struct') throw new Error('opensnoop has a struct event');
  return plainEventClass(btf, type) as EventClass<Opened>;
}

describe.each([
  ['compiled', compiled],
  ['where code must not be made', plainType],
])('events, %s', (_, type) => {
  it('have the members of their type', () => {
    const event = type.decode(record(7, 'cat', 0xfedc_ba98_7654_3210n));
    expect(event).toMatchObject({ pid: 7, comm: 'cat', ts: 0xfedc_ba98_7654_3210n });
    expect(Object.keys(event)).toEqual([]);
  });

  it('are equal where their records are', () => {
    expect(type.decode(record(7, 'cat'))).toEqual(type.decode(record(7, 'cat')));
    expect(type.decode(record(7, 'cat'))).not.toEqual(type.decode(record(8, 'cat')));
    expect(type.decode(record(7, 'cat'))).not.toEqual(type.decode(record(7, 'rm')));
  });

  it('become plain objects for JSON', () => {
    const text = JSON.stringify(type.decode(record(7, 'cat')), (_key, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
    expect(JSON.parse(text)).toMatchObject({ pid: 7, comm: 'cat', ts: '0n' });
  });

  it('stay what they are when their room in the ring is used again', () => {
    const ring = ringFixture(4096);
    const reader = new EventReader(ring.map, type);
    ring.produce(record(7, 'cat'));
    const kept: Opened[] = [];
    reader.poll((event) => kept.push(event));
    for (let pid = 100; pid < 130; pid++) {
      emit(ring, [pid]);
      reader.poll(() => {});
    }
    expect(kept[0]).toMatchObject({ pid: 7, comm: 'cat' });
  });

  it('a record too short is EINVAL where it is read, and the next one follows', () => {
    const ring = ringFixture(65536);
    const reader = new EventReader(ring.map, type);
    ring.produce(new Uint8Array(4));
    emit(ring, [9]);
    expect(() => reader.poll(() => {})).toThrow('value of struct event is cut short [section .BTF, value 4]: EINVAL');
    const pids: number[] = [];
    expect(reader.poll(({ pid }) => pids.push(pid))).toBe(1);
    expect(pids).toEqual([9]);
    expect(reader.delivered).toBe(2);
  });

  it('memory that grows inside a handler does not disturb', () => {
    const ring = ringFixture(65536);
    const reader = new EventReader(ring.map, type);
    emit(ring, [1, 2, 3]);
    const pids: number[] = [];
    reader.poll(({ pid }) => {
      pids.push(pid);
      if (pid === 1) ring.memory.alloc(4 << 20);
    });
    expect(pids).toEqual([1, 2, 3]);
  });
});

describe('eventType', () => {
  it('is of structs and unions', () => {
    expect(() => eventType(btf, 'int')).toThrow('records of type int: it is no struct');
    expect(() => eventType(btf, 'no_such')).toThrow('no type no_such in the BTF: ENOENT');
  });
});

describe('EventReader', () => {
  it('emits events after the producer is done', async () => {
    const ring = ringFixture(65536);
    const pids: number[] = [];
    new EventReader(ring.map, compiled).on('data', ({ pid }) => pids.push(pid));
    emit(ring, [1, 2]);
    expect(pids).toEqual([]);
    await settled();
    expect(pids).toEqual([1, 2]);
  });

  it('pausing inside a handler leaves the rest in the ring', () => {
    const ring = ringFixture(65536);
    const reader = new EventReader(ring.map, compiled);
    emit(ring, [1, 2, 3]);
    const pids: number[] = [];
    const handler = ({ pid }: Opened): void => {
      pids.push(pid);
      if (pid === 2) reader.pause();
    };
    expect(reader.poll(handler)).toBe(2);
    expect(reader.poll(handler)).toBe(0);
    reader.resume();
    expect(reader.poll(handler)).toBe(1);
    expect(pids).toEqual([1, 2, 3]);
  });

  it('tells of losses once all is read', () => {
    const ring = ringFixture(4096);
    const losses: number[] = [];
    const reader = new EventReader(ring.map, compiled).on('lost', ({ lost }) => losses.push(lost));
    const fits = Math.floor(4095 / (compiled.size + 8));
    emit(
      ring,
      Array.from({ length: fits + 3 }, (_, pid) => pid),
    );
    expect(reader.poll(() => {})).toBe(fits);
    expect(losses).toEqual([3]);
  });
});

describe('batches', () => {
  it('hold all that is there, and wait where there is nothing', async () => {
    const ring = ringFixture(65536);
    const reader = new EventReader(ring.map, compiled);
    const batches: number[][] = [];
    const loop = (async () => {
      for await (const batch of reader.batches()) batches.push(batch.map(({ pid }) => pid));
    })();
    emit(ring, [1, 2, 3]);
    await settled();
    emit(ring, [4]);
    await settled();
    reader.close();
    await loop;
    expect(batches).toEqual([[1, 2, 3], [4]]);
  });

  it('hold no more than asked for', async () => {
    const ring = ringFixture(65536);
    const reader = new EventReader(ring.map, compiled);
    emit(ring, [1, 2, 3]);
    const sizes: number[] = [];
    for await (const batch of reader.batches(2)) {
      sizes.push(batch.length);
      if (sizes.length === 2) break;
    }
    expect(sizes).toEqual([2, 1]);
    expect(reader.closed).toBe(false);
  });

  it('a record that cannot be read does not cost those before it', async () => {
    const ring = ringFixture(65536);
    const reader = new EventReader(ring.map, compiled);
    emit(ring, [1]);
    ring.produce(new Uint8Array(4));
    emit(ring, [2]);
    const pids: number[] = [];
    const read = async (): Promise<void> => {
      for await (const batch of reader.batches()) {
        pids.push(...batch.map(({ pid }) => pid));
        if (pids.includes(2)) break;
      }
    };
    await expect(read()).rejects.toThrow('cut short');
    expect(pids).toEqual([1]);
    await read();
    expect(pids).toEqual([1, 2]);
  });
});
