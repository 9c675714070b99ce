import { describe, expect, it } from 'vitest';
import { BtfBuilder, encodeBtf, type NewBtfType, parseBtf } from '../../src/btf/index.js';
import { objectFiles, parseObject } from '../loader/objects.js';
import { blob, btfBytes, info, readBtf } from './btf-fixture.js';

const int: NewBtfType = {
  kind: 'int',
  name: 'int',
  size: 4,
  bits: 32,
  bitOffset: 0,
  signed: true,
  char: false,
  bool: false,
};

describe('encoded again, byte for byte', () => {
  it.each(['target', 'target-big-endian', 'linux-min'])('%s', (name) => {
    expect(encodeBtf(readBtf(name))).toEqual(new Uint8Array(btfBytes(name)));
  });

  it('a string table in which names share their ends', () => {
    const bytes = blob(
      [
        [1, info(1), 4, 0x0100_0020],
        [10, info(8), 1],
      ],
      ['unsigned_int'],
    );
    const btf = parseBtf(bytes);
    expect([btf.nameOf(1), btf.nameOf(2)]).toEqual(['unsigned_int', 'int']);
    expect(encodeBtf(btf)).toEqual(bytes);
  });

  it('after it was written in the other byte order', () => {
    const bytes = new Uint8Array(btfBytes('target'));
    const swapped = encodeBtf(parseBtf(bytes), false);
    expect(swapped.subarray(0, 2)).toEqual(Uint8Array.of(0xeb, 0x9f));
    expect(encodeBtf(parseBtf(swapped), true)).toEqual(bytes);
  });

  it('the placed variables of every object, as the loader sees them', () => {
    for (const file of objectFiles) {
      const { btf } = parseObject(file);
      if (btf === null) continue;
      const again = parseBtf(encodeBtf(btf));
      for (const type of btf) if (type.kind === 'datasec') expect(again.byId(type.id)).toEqual(type);
    }
  });
});

describe('a builder', () => {
  it('keeps each string once', () => {
    const builder = new BtfBuilder();
    const id = builder.add(int);
    builder.add({ kind: 'typedef', name: 'number', type: id });
    builder.add({ kind: 'typedef', name: 'int', type: id });
    expect(builder.addString('number')).toBe(5);
    expect(new TextDecoder().decode(builder.build().strings.bytes)).toBe('\0int\0number\0');
  });

  it('takes references to types that come later', () => {
    const builder = new BtfBuilder();
    const pointer = builder.add({ kind: 'ptr', type: builder.nextId + 1 });
    builder.add({
      kind: 'struct',
      name: 'node',
      size: 8,
      members: [{ name: 'next', type: pointer, bitOffset: 0, bitSize: 0 }],
    });
    const btf = builder.build();
    expect(btf.resolve(2)).toMatchObject({ kind: 'struct', members: [{ name: 'next', type: 1 }] });
  });

  it('uses types and strings of a base, and adds only what is new', () => {
    const base = new BtfBuilder();
    base.add(int);
    const builder = new BtfBuilder({ base: base.build() });
    expect(builder.add({ kind: 'typedef', name: 'int', type: 1 })).toBe(2);
    builder.add({ kind: 'typedef', name: 'module_int', type: 2 });
    const split = builder.build();
    expect(new TextDecoder().decode(split.strings.bytes)).toBe('module_int\0');
    expect([...split].map(({ id, kind, name }) => [id, kind, name])).toEqual([
      [1, 'int', 'int'],
      [2, 'typedef', 'int'],
      [3, 'typedef', 'module_int'],
    ]);
    expect(split.idsByName('int')).toEqual([1, 2]);
    expect(split.resolve(3)).toBe(split.byId(1));
  });

  it('appends whole BTFs, whose ids move', () => {
    const target = readBtf('target');
    const builder = new BtfBuilder();
    builder.append(target);
    const delta = builder.append(target);
    const both = builder.build();
    expect(both.typeCount - 1).toBe(2 * (target.typeCount - 1));
    const [first, second] = both.idsByName('shape').filter((id) => both.kindOf(id) === 'struct');
    expect(second).toBe((first ?? 0) + delta);
    const moved = target.member(first ?? 0, 'corners[2].x');
    expect(both.member(second ?? 0, 'corners[2].x')).toEqual({ ...moved, type: (moved?.type ?? 0) + delta });
  });

  it.each<readonly [what: string, type: NewBtfType, message: RegExp]>([
    ['a NUL in a name', { ...int, name: 'i\0t' }, /cannot hold NUL/],
    [
      'too many enumerators',
      {
        kind: 'enum',
        size: 4,
        signed: false,
        values: Array.from({ length: 65_536 }, (_, i) => ({ name: `E${i}`, value: BigInt(i) })),
      },
      /at most 65535 elements, not 65536/,
    ],
    [
      'a bit-field beyond 2 MiB',
      { kind: 'struct', size: 4 << 20, members: [{ name: 'far', type: 1, bitOffset: 1 << 24, bitSize: 3 }] },
      /member far at bit 16777216 lies too far in/,
    ],
  ])('refuses %s', (_what, type, message) => {
    expect(() => new BtfBuilder().add(type)).toThrow(message);
  });

  it('refuses a type that was never added', () => {
    const builder = new BtfBuilder();
    builder.add({ kind: 'ptr', type: 7 });
    expect(() => builder.build()).toThrow(/type that does not exist.*value 7/);
  });

  it('refuses another byte order than its base has, and BTF split from another base', () => {
    const [base, other] = [readBtf('target'), readBtf('linux-min')];
    expect(() => new BtfBuilder({ base, littleEndian: false })).toThrow(TypeError);
    const split = new BtfBuilder({ base }).build();
    expect(() => new BtfBuilder({ base: other }).append(split)).toThrow(/same base/);
  });
});

describe('malformed split BTF', () => {
  const base = readBtf('target');

  it('in the other byte order than its base is refused', () => {
    const split = encodeBtf(new BtfBuilder({ base }).build());
    expect(() => parseBtf(split, readBtf('target-big-endian'))).toThrow(/differ in byte order/);
  });

  it('with an id past both is refused', () => {
    const bytes = blob([[0, info(2), base.typeCount + 1]]);
    expect(() => parseBtf(bytes, base)).toThrow(new RegExp(`does not exist.*there are ${base.typeCount + 1} types`));
  });
});
