import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Btf, type BtfComposite, decodeValue, parseBtf } from '../../src/btf/index.js';
import { compiledEventClass, plainEventClass } from '../../src/runtime/consumer/event-class.js';
import { RingBufferArea, shareRing, SharedRingCursor } from '../../src/runtime/ring/index.js';
import { BpfMemory } from '../../src/runtime/index.js';
import { blob, info } from '../../test/btf/btf-fixture.js';

const Kind = { int: 1, ptr: 2, array: 3, struct: 4, union: 5, enum: 6, typedef: 8, float: 16, enum64: 19 } as const;
const NAMES = ['char', 'int', 'a', 'b', 'c', 'd', 'constructor', '__proto__', "quote'", '"; x', 'inner', 'event'];
/** Offset of a name in the string section. */
const at = (name: string): number => {
  const index = NAMES.indexOf(name);
  return index < 0 ? 0 : 1 + NAMES.slice(0, index).reduce((sum, text) => sum + text.length + 1, 0);
};
const int = (name: string, size: number, encoding = 0): number[] => [
  at(name),
  info(Kind.int),
  size,
  (encoding << 24) | (8 * size),
];
const array = (type: number, count: number): number[] => [0, info(Kind.array), 0, type, 1, count];
const SIGNED = 1;
const BOOL = 4;

/** Types that members may have, with their sizes in bytes; numbered from 1. */
const BASE: readonly (readonly [size: number, record: number[]])[] = [
  [1, int('char', 1, SIGNED)],
  [1, int('int', 1)],
  [2, int('int', 2, SIGNED)],
  [2, int('int', 2)],
  [4, int('int', 4, SIGNED)],
  [4, int('int', 4)],
  [8, int('int', 8, SIGNED)],
  [8, int('int', 8)],
  [16, int('int', 16)],
  [1, int('int', 1, BOOL)],
  [4, int('int', 4, BOOL)],
  [8, int('int', 8, BOOL)],
  [8, [0, info(Kind.ptr), 1]],
  [4, [0, info(Kind.float), 4]],
  [8, [0, info(Kind.float), 8]],
  [4, [at('a'), info(Kind.enum, 3), 4, at('a'), 0, at('b'), 1, at('c'), 1]],
  [4, [at('b'), info(Kind.enum, 2, 1), 4, at('a'), -1 >>> 0, at('b'), 3]],
  [1, [at('c'), info(Kind.enum, 1, 1), 1, at('a'), -1 >>> 0]],
  [8, [at('d'), info(Kind.enum64, 2), 8, at('a'), 1, 0, at('b'), 0, 1]],
  [8, [at('d'), info(Kind.enum64, 1, 1), 8, at('a'), -1 >>> 0, -1 >>> 0]],
  [5, array(1, 5)],
  [16, array(1, 16)],
  [33, array(1, 33)],
  [12, array(5, 3)],
  [6, array(21, 0)],
  [8, [at('inner'), info(Kind.struct, 2, 1), 8, at('a'), 5, (3 << 24) | 0, at('b'), 6, 32]],
  [8, [at('inner'), info(Kind.union, 2), 8, at('c'), 8, 0, at('d'), 4, 0]],
  [4, [at('d'), info(Kind.typedef), 6]],
];
/** Of those, what bit-fields can be of: integers and enums of up to eight bytes. */
const BITFIELDS = BASE.flatMap(([size, record], i) =>
  (record[1] >>> 24 === Kind.int || record[1] >>> 24 === Kind.enum || record[1] >>> 24 === Kind.enum64) && size <= 8
    ? [i + 1]
    : [],
);

interface Member {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  readonly bitSize: number;
}

const member: fc.Arbitrary<Member> = fc
  .record({
    name: fc.constantFrom('', ...NAMES),
    offset: fc.nat(60),
    bit: fc.nat(7),
    bits: fc.integer({ min: 1, max: 64 }),
  })
  .chain(({ name, offset, bit, bits }) =>
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc
          .integer({ min: 1, max: BASE.length })
          .map((type) => ({ name, type, bitOffset: 8 * offset, bitSize: 0 })),
      },
      fc.constantFrom(...BITFIELDS).map((type) => ({
        name,
        type,
        bitOffset: 8 * offset + bit,
        bitSize: Math.min(bits, 8 * BASE[type - 1][0]),
      })),
    ),
  );

function structOf(members: readonly Member[], spare: number, isUnion: boolean): { btf: Btf; type: BtfComposite } {
  const end = Math.max(
    0,
    ...members.map(({ type, bitOffset, bitSize }) => bitOffset + (bitSize || 8 * BASE[type - 1][0])),
  );
  const record = [
    at('event'),
    info(isUnion ? Kind.union : Kind.struct, members.length, 1),
    Math.ceil(end / 8) + spare,
    ...members.flatMap(({ name, type, bitOffset, bitSize }) => [at(name), type, ((bitSize << 24) | bitOffset) >>> 0]),
  ];
  const btf = parseBtf(blob([...BASE.map(([, words]) => words), record], NAMES));
  return { btf, type: btf.byId(BASE.length + 1) as BtfComposite };
}

const struct = fc
  .tuple(fc.array(member, { minLength: 1, maxLength: 12 }), fc.nat(9), fc.boolean())
  .map(([members, spare, isUnion]) => structOf(members, spare, isUnion));
const typeAndRecords = struct.chain(({ btf, type }) =>
  fc.tuple(
    fc.constant(btf),
    fc.constant(type),
    fc.array(fc.uint8Array({ minLength: type.size, maxLength: type.size + 20 }), { minLength: 1, maxLength: 4 }),
  ),
);

const plain = (event: object): unknown => (event as { toJSON(): unknown }).toJSON();

/** A ring in shared memory with these records, every other one preceded by one that is discarded. */
function filledRing(records: readonly Uint8Array[]): { memory: BpfMemory; area: RingBufferArea } {
  const memory = new BpfMemory({ shared: true, maxBytes: 1 << 20 });
  const area = new RingBufferArea(memory, memory.alloc(RingBufferArea.bytes(4096), 4096), 4096);
  records.forEach((record, i) => {
    if (i % 2 === 1) area.discard(area.reserve(9), 0);
    const offset = area.reserve(record.length);
    memory.u8.set(record, offset);
    area.submit(offset, 0);
  });
  return { memory, area };
}

describe('events of random types', () => {
  it.each([
    ['compiled', compiledEventClass],
    ['where code must not be made', plainEventClass],
  ])('%s, have the values that decodeValue gives', (_, make) => {
    fc.assert(
      fc.property(typeAndRecords, ([btf, type, records]) => {
        const events = make(btf, type);
        const expected = records.map((record) => decodeValue(btf, type.id, record));
        expect(records.map((record) => plain(events.decode(record)))).toEqual(expected);

        const flow = { halted: false, delivered: 0 };
        const { memory, area } = filledRing(records);
        const shared: unknown[] = [];
        const cursor = new SharedRingCursor(shareRing(memory, area).ring);
        expect(events.drainShared(cursor, flow, (event) => shared.push(plain(event)), 1)).toBe(1);
        expect(events.drainShared(cursor, flow, (event) => shared.push(plain(event)), 9)).toBe(records.length - 1);
        expect(shared).toEqual(expected);

        area.consumer = 0n;
        const own: unknown[] = [];
        expect(events.drainOf(area.place)(flow, (event) => own.push(plain(event)), 9)).toBe(records.length);
        expect(own).toEqual(expected);
        expect([flow.delivered, area.consumer]).toEqual([2 * records.length, area.producer]);
      }),
      { numRuns: 2000 },
    );
  });
});
