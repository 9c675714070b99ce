import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Btf, BtfBuilder, parseBtf } from '../../src/btf/index.js';
import { elfSection } from '../../src/loader/index.js';
import {
  eventDecoder,
  eventType,
  inferEventType,
  RingBufferReader,
  type TypedRecord,
  typedReader,
  type RingRecord,
} from '../../src/runtime/index.js';
import { ringFixture, settled } from './ring-fixture.js';

/** BTF of `unsigned int` and structs of that many of it. */
function structs(sizes: Readonly<Record<string, number>>): Btf {
  const text = ['', 'unsigned int', 'f', ...Object.keys(sizes)];
  const offsets = new Map<string, number>();
  let strings = '';
  for (const entry of text) {
    offsets.set(entry, strings.length);
    strings += `${entry}\0`;
  }
  const at = (name: string): number => offsets.get(name) ?? 0;
  const types = [at('unsigned int'), 1 << 24, 4, 32];
  for (const [name, count] of Object.entries(sizes)) {
    types.push(at(name), (4 << 24) | count, 4 * count);
    for (let i = 0; i < count; i++) types.push(at('f'), 1, 32 * i);
  }
  const body = new Uint8Array(Uint32Array.from(types).buffer);
  const header = Uint32Array.from([0x0001_eb9f, 24, 0, body.length, body.length, strings.length]);
  return parseBtf(Uint8Array.from([...new Uint8Array(header.buffer), ...body, ...new TextEncoder().encode(strings)]));
}

describe('inferEventType', () => {
  it.each([
    ['the one struct of that size', { sample: 3, other: 4 }, 12, false, 'sample'],
    ['none of that size', { sample: 3 }, 16, false, undefined],
    ['two of that size', { sample: 3, other: 3 }, 12, false, undefined],
    ['two of that size, one named like an event', { open_event: 3, other: 3 }, 12, false, 'open_event'],
    ['data_t', { data_t: 3, other: 3 }, 12, false, 'data_t'],
    ['two named like events', { open_event: 3, event: 3, other: 3 }, 12, false, undefined],
    ['eventful is no event', { eventful: 3, other: 3 }, 12, false, undefined],
    ['raw data of perf with padding', { event: 4 }, 20, true, 'event'],
    ['raw data of perf without', { event: 3 }, 12, true, 'event'],
    ['padding of 8 bytes is too much', { event: 3 }, 20, true, undefined],
    ['a struct larger than the record', { event: 4 }, 12, true, undefined],
  ] as const)('%s', (_, sizes, size, padded, expected) => {
    expect(inferEventType(structs(sizes as Readonly<Record<string, number>>), size, padded)).toBe(expected);
  });
});

describe('inferEventType of an object that knows structs of the kernel', () => {
  const build = (): { btf: Btf; task: number } => {
    const builder = new BtfBuilder();
    const int = builder.add({
      kind: 'int',
      name: 'int',
      size: 4,
      bits: 32,
      bitOffset: 0,
      signed: true,
      char: false,
      bool: false,
    });
    const struct = (name: string, types: readonly number[], size: number): number =>
      builder.add({
        kind: 'struct',
        name,
        size,
        members: types.map((type, i) => ({ name: `m${i}`, type, bitOffset: 64 * i, bitSize: 0 })),
      });
    const entity = struct('entity', [int], 8);
    const pointer = builder.add({ kind: 'ptr', type: struct('parent_event', [int], 24) });
    const task = struct(
      'task',
      [builder.add({ kind: 'array', elementType: entity, indexType: int, count: 2 }), pointer],
      24,
    );
    struct('sample', [int], 16);
    return { btf: builder.build(), task };
  };

  it.each([
    [8, 'entity', undefined],
    [16, 'sample', 'sample'],
    [24, 'parent_event', undefined],
  ])('of %d bytes: not one that a struct of the kernel has in it or points to', (size, without, expected) => {
    const { btf, task } = build();
    expect(inferEventType(btf, size)).toBe(without);
    expect(inferEventType(btf, size, false, [task])).toBe(expected);
  });
});

describe('eventDecoder', () => {
  it('knows a struct by its name, with or without the keyword', () => {
    const data = Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0);
    for (const name of ['event', 'struct event'])
      expect(eventDecoder(structs({ event: 2 }), name)(data)).toEqual({ f: 2 });
  });

  it('names what there is where there is no such type', () => {
    expect(() => eventDecoder(structs({ open_event: 2, other: 1 }), 'event')).toThrow(
      'no type event in the BTF: ENOENT; structs named like events: open_event',
    );
  });
});

describe('typedReader', () => {
  const object = readFileSync(new URL('../../examples/opensnoop.bpf.o', import.meta.url));
  const btf = parseBtf(elfSection(object, '.BTF'));
  const type = eventType(btf, 'event');
  const event = (pid: number, comm: string): Uint8Array => {
    const bytes = new Uint8Array(btf.sizeOf(btf.findByName('event', 'struct')?.id ?? 0));
    new DataView(bytes.buffer).setUint32(8, pid, true);
    bytes.set(new TextEncoder().encode(comm), 28);
    return bytes;
  };

  it('decodes what an object emits', async () => {
    const ring = ringFixture(65536);
    const reader = new RingBufferReader(ring.memory, ring.map);
    const typed = typedReader(reader, type);
    ring.produce(event(7, 'cat'));
    const polled: TypedRecord<RingRecord>[] = [];
    expect(typed.poll((record) => polled.push(record))).toBe(1);
    expect(polled[0]?.value).toMatchObject({ pid: 7, comm: 'cat', ts: 0n });
    const values: unknown[] = [];
    const loop = (async () => {
      for await (const { value } of typed) values.push(value);
    })();
    await settled();
    ring.produce(event(8, 'rm'));
    await settled();
    reader.close();
    await loop;
    expect(values).toMatchObject([{ pid: 8, comm: 'rm' }]);
  });

  it('a record too short for its type is EINVAL where it is read, and the next one follows', () => {
    const ring = ringFixture(65536);
    const typed = typedReader(new RingBufferReader(ring.memory, ring.map), type);
    ring.produce(new Uint8Array(4));
    ring.produce(event(9, 'ls'));
    expect(() => typed.poll(() => {})).toThrow('EINVAL');
    const values: unknown[] = [];
    typed.poll(({ value }) => values.push(value));
    expect(values).toMatchObject([{ pid: 9 }]);
  });
});
