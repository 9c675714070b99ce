import { describe, expect, it } from 'vitest';
import { type Btf, type BtfValue, decodeValue, encodeValue, parseBtf } from '../../src/btf/index.js';
import { blob, info, readBtf } from './btf-fixture.js';

const names = [
  'int',
  'char',
  'u64',
  'bool',
  'mode',
  'OFF',
  'ON',
  'event',
  'id',
  'name',
  'flags',
  'when',
  'pair',
  'low',
  'high',
  'next',
  'float',
  'list',
  'item',
  'head',
  'items',
  's8',
];
const nameAt = (name: string): number =>
  1 + names.slice(0, names.indexOf(name)).reduce((sum, each) => sum + each.length + 1, 0);

const INT = 1;
const CHAR = 2;
const U64 = 3;
const BOOL = 4;
const MODE = 5;
const EVENT = 9;
const LIST = 12;
const FLOAT = 14;
const S8 = 15;

/** struct event { int id; char name[4]; u64 when; struct { mode low : 4; int high : 12; }; struct event *next; bool flags; } */
const btf = parseBtf(
  blob(
    [
      [nameAt('int'), info(1), 4, 0x0100_0020],
      [nameAt('char'), info(1), 1, 0x0000_0008],
      [nameAt('u64'), info(1), 8, 0x40],
      [nameAt('bool'), info(1), 1, 0x0400_0008],
      [nameAt('mode'), info(6, 2), 4, nameAt('OFF'), 0, nameAt('ON'), 5],
      [0, info(3), 0, CHAR, INT, 4],
      [0, info(4, 2, 1), 4, nameAt('low'), MODE, 4 << 24, nameAt('high'), INT, (12 << 24) | 4],
      [0, info(2), EVENT],
      [
        nameAt('event'),
        info(4, 6),
        40,
        nameAt('id'),
        INT,
        0,
        nameAt('name'),
        6,
        32,
        nameAt('when'),
        U64,
        64,
        0,
        7,
        128,
        nameAt('next'),
        8,
        192,
        nameAt('flags'),
        BOOL,
        256,
      ],
      [0, info(3), 0, INT, INT, 0],
      [0, info(3), 0, INT, INT, 2],
      [nameAt('list'), info(4, 2), 4, nameAt('head'), INT, 0, nameAt('items'), 10, 32],
      [nameAt('pair'), info(8), 11],
      [nameAt('float'), info(16), 4],
      [nameAt('s8'), info(1), 1, 0x0100_0008],
    ],
    names,
  ),
);

const event: BtfValue = {
  id: -7,
  name: 'abc',
  when: 0xffff_ffff_ffff_fffen,
  low: 'ON',
  high: -3,
  next: 0xffff_8880_0000_0000n,
  flags: true,
};

const roundTrip = (typeId: number, size: number, value: BtfValue): BtfValue => {
  const bytes = new Uint8Array(size);
  encodeValue(btf, typeId, value, bytes);
  return decodeValue(btf, typeId, bytes);
};

describe('values of every kind survive encoding and decoding', () => {
  it.each<readonly [what: string, typeId: number, size: number, value: BtfValue]>([
    ['a signed integer', INT, 4, -5],
    ['a 64-bit integer', U64, 8, 5n],
    ['a byte', S8, 1, -1],
    ['a truth value', BOOL, 1, true],
    ['an enumerator by name', MODE, 4, 'ON'],
    ['an enumerator without a name', MODE, 4, 77],
    ['a struct with everything', EVENT, 40, event],
    ['an array behind a typedef', 13, 8, [3, -4]],
    ['a float', FLOAT, 4, 1.5],
  ])('%s', (_what, typeId, size, value) => {
    expect(roundTrip(typeId, size, value)).toEqual(value);
  });

  it('64-bit integers are bigint even if they are small, 32-bit ones number', () => {
    expect(typeof decodeValue(btf, U64, new Uint8Array(8))).toBe('bigint');
    expect(typeof decodeValue(btf, INT, new Uint8Array(4))).toBe('number');
  });

  it('a flexible array takes what is left', () => {
    const bytes = new Uint8Array(16);
    encodeValue(btf, INT, 9, bytes.subarray(12));
    expect(decodeValue(btf, LIST, bytes)).toEqual({ head: 0, items: [0, 0, 9] });
  });

  it('text ends at the first NUL, or with the array', () => {
    expect(decodeValue(btf, 6, new TextEncoder().encode('ab\0x'))).toBe('ab');
    expect(decodeValue(btf, 6, new TextEncoder().encode('abcd'))).toBe('abcd');
  });

  it('void is null', () => {
    expect(decodeValue(btf, 0, new Uint8Array(4))).toBeNull();
  });
});

describe('bit-fields', () => {
  it('leave the bits around them alone', () => {
    const bytes = new Uint8Array(4).fill(0xff);
    encodeValue(btf, 7, { high: 0 }, bytes);
    expect([...bytes]).toEqual([0x0f, 0x00, 0xff, 0xff]);
  });

  it('refuse what does not fit them', () => {
    expect(() => roundTrip(7, 4, { high: 2048 })).toThrow(RangeError);
    expect(roundTrip(7, 4, { high: -2048 })).toMatchObject({ high: -2048 });
  });

  it('are counted from the other end in big-endian BTF', () => {
    const big = readBtf('target-big-endian');
    const shape = big.findByName('shape', 'struct');
    const bytes = new Uint8Array(shape?.size ?? 0);
    encodeValue(big, shape?.id ?? 0, { flags: 5, packed_bits: 1 }, bytes);
    expect([...bytes.subarray(0, 4)]).toEqual([0b1010_0000, 0b0000_0100, 0, 0]);
    expect(decodeValue(big, shape?.id ?? 0, bytes)).toMatchObject({ flags: 5, packed_bits: 1 });
  });
});

describe('what does not fit is refused', () => {
  const refused: readonly (readonly [
    what: string,
    typeId: number,
    value: BtfValue,
    error: typeof TypeError | typeof RangeError,
  ])[] = [
    ['an integer out of range', INT, 2 ** 31, RangeError],
    ['a negative value of an unsigned type', U64, -1n, RangeError],
    ['a fraction', INT, 1.5, TypeError],
    ['text for a number', INT, '1', TypeError],
    ['an unknown enumerator', MODE, 'MAYBE', RangeError],
    ['text that is too long', 6, 'abcde', RangeError],
    ['too many elements', 11, [1, 2, 3], RangeError],
    ['no object for a struct', EVENT, 5, TypeError],
    ['an unknown member', EVENT, { nobody: 1 }, TypeError],
  ];
  it.each(refused)('%s', (_what, typeId, value, error) => {
    expect(() => roundTrip(typeId, 64, value)).toThrow(error);
  });

  it('too few bytes', () => {
    expect(() => decodeValue(btf, EVENT, new Uint8Array(39))).toThrow(/cut short.*it takes 40 bytes/);
    expect(() => encodeValue(btf, U64, 1n, new Uint8Array(7))).toThrow(/takes 8 bytes, there are 7/);
  });

  it('types that have no values', () => {
    const funcs: Btf = parseBtf(blob([[0, info(13), 0]]));
    expect(() => decodeValue(funcs, 1, new Uint8Array(8))).toThrow(/it has no values/);
  });
});
