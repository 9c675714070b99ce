import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { type Btf, parseBtf } from '../../src/btf/index.js';
import { blob, btfBytes, info, readBtf } from './btf-fixture.js';

describe.each(['target', 'target-big-endian'])('BTF of %s', (name) => {
  const btf = readBtf(name);

  it('has the byte order of its target', () => {
    expect(btf.littleEndian).toBe(name === 'target');
  });

  it('decodes structs with members, bit-fields and anonymous parts', () => {
    const shape = btf.findByName('shape', 'struct');
    expect(shape?.members.slice(0, 2)).toMatchObject([
      { name: 'flags', bitSize: 3 },
      { name: 'packed_bits', bitSize: 11 },
    ]);
    expect(shape?.members.at(-1)).toMatchObject({ name: 'tail', bitSize: 0 });
  });

  it('decodes enums of either width with their signs', () => {
    expect(btf.findByName('signed_enum')).toMatchObject({
      kind: 'enum',
      size: 4,
      signed: true,
      values: [
        { name: 'MINUS_ONE', value: -1n },
        { name: 'PLUS_ONE', value: 1n },
      ],
    });
    expect(btf.findByName('huge')).toMatchObject({
      kind: 'enum64',
      size: 8,
      signed: false,
      values: [{ value: 0x1234567800000001n }, { value: 0xfedcba9876543210n }],
    });
    expect(btf.findByName('huge_signed')).toMatchObject({
      kind: 'enum64',
      signed: true,
      values: [{ value: -0x7654321000000000n }],
    });
  });

  it('decodes integers with their encoding', () => {
    expect(btf.findByName('unsigned short', 'int')).toMatchObject({ size: 2, bits: 16, signed: false });
    expect(btf.findByName('int', 'int')).toMatchObject({ size: 4, bits: 32, signed: true, char: false, bool: false });
    expect(btf.findByName('double', 'float')).toMatchObject({ size: 8 });
  });

  it('decodes variables and their section', () => {
    expect(btf.findByName('everything', 'var')).toMatchObject({ linkage: 'global' });
    expect(btf.findByName('.bss', 'datasec')?.vars.map(({ type }) => btf.nameOf(type))).toEqual([
      'everything',
      'shape',
    ]);
  });
});

describe('the same types in both byte orders', () => {
  it('decode to the same', () => {
    const order = (btf: Btf): string[] =>
      [...btf].map((type) =>
        JSON.stringify(type, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)),
      );
    const [little, big] = [order(readBtf('target')), order(readBtf('target-big-endian'))];
    expect(little.length).toBe(big.length);
    // Bit-fields are counted from the other end; all else is equal.
    expect(little.filter((type) => !big.includes(type)).every((type) => type.includes('"bitSize"'))).toBe(true);
  });
});

describe('kinds that this compiler leaves out', () => {
  const strings = ['thing', 'tag', 'callback', 'first'];
  const at = { thing: 1, tag: 7, callback: 11, first: 20 };
  const btf = parseBtf(
    blob(
      [
        [at.thing, info(7, 0, 1), 0],
        [at.tag, info(18), 1],
        [0, info(2), 2],
        [0, info(13, 2), 3, at.first, 3, 0, 0],
        [at.callback, info(12, 2), 4],
        [at.tag, info(17), 5, 0],
        [0, info(11), 3],
        [0, info(9), 7],
      ],
      strings,
    ),
  );

  it.each([
    [1, { kind: 'fwd', name: 'thing', union: true }],
    [2, { kind: 'type_tag', name: 'tag', type: 1 }],
    [3, { kind: 'ptr', type: 2 }],
    [
      4,
      {
        kind: 'func_proto',
        returnType: 3,
        params: [
          { name: 'first', type: 3 },
          { name: '', type: 0 },
        ],
      },
    ],
    [5, { kind: 'func', name: 'callback', type: 4, linkage: 'extern' }],
    [6, { kind: 'decl_tag', name: 'tag', type: 5, componentIndex: 0 }],
    [7, { kind: 'restrict', type: 3 }],
    [8, { kind: 'volatile', type: 7 }],
  ])('type %i', (id, expected) => {
    expect(btf.byId(id)).toMatchObject(expected);
  });

  it('gives a function its prototype', () => {
    expect(btf.prototypeOf('callback')).toMatchObject({ kind: 'func_proto', id: 4 });
    expect(btf.prototypeOf('nothing')).toBeUndefined();
  });
});

const int = [1, info(1), 4, 0x0100_0020];

const malformed: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
  ['nothing', new Uint8Array(0), /magic number is missing.*offset 0/],
  ['other magic', Uint8Array.of(1, 2, 3, 4), /magic number is missing.*value 01 02/],
  ['a header cut short', btfBytes('target').subarray(0, 20), /runs past the end/],
  ['another version', change((bytes) => (bytes[2] = 9)), /unknown version.*offset 2.*value 9/],
  ['types cut short', change((_, view) => view.setUint32(12, 8, true)), /cut short|runs past/],
  [
    'strings past the end',
    change((_, view) => view.setUint32(20, 0x7fff_ffff, true)),
    /string section runs past the end.*offset 20/,
  ],
  ['strings without end', change((bytes) => (bytes[bytes.length - 1] = 65)), /does not start and end with NUL/],
  ['overlapping sections', change((_, view) => view.setUint32(16, 4, true)), /overlap.*offset 16/],
  ['an unknown kind', blob([[0, info(20), 0]]), /unknown kind 20.*offset 28/],
  ['a name outside the strings', blob([[99, info(1), 4, 0x20]]), /name lies outside.*value 99/],
  ['more members than bytes', blob([[0, info(4, 0xffff), 4]]), /runs past the type section/],
  ['a reference to no type', blob([[0, info(2), 7]]), /type that does not exist.*value 7.*there are 2 types/],
];

function change(edit: (bytes: Uint8Array, view: DataView) => void): Uint8Array {
  const bytes = Uint8Array.from(btfBytes('target'));
  edit(bytes, new DataView(bytes.buffer));
  return bytes;
}

describe('malformed BTF is refused by place and value', () => {
  it.each(malformed)('%s', (_what, bytes, message) => {
    expect(() => parseBtf(bytes)).toThrow(BpfError);
    expect(() => parseBtf(bytes)).toThrow(message);
  });
});

describe('BTF that makes no sense', () => {
  it('with a cycle of typedefs is refused when asked, not hung on', () => {
    const btf = parseBtf(
      blob(
        [
          [1, info(8), 2],
          [1, info(8), 1],
        ],
        ['loop'],
      ),
    );
    expect(() => btf.resolve(1)).toThrow(/form a cycle/);
    expect(() => btf.sizeOf(1)).toThrow(/nested too deeply/);
    expect(() => btf.alignmentOf(1)).toThrow(/nested too deeply/);
  });

  it('with an array of arrays of 4 GiB is refused when asked for its size', () => {
    const array = (of: number): number[] => [0, info(3), 0, of, 1, 0xffff_ffff];
    expect(() => parseBtf(blob([int, array(1), array(2)], ['int'])).sizeOf(3)).toThrow(/E2BIG/);
  });

  it('with a struct that contains itself has no size, and finds no member in finite time', () => {
    const btf = parseBtf(blob([[1, info(4, 2), 8, 0, 1, 0, 0, 1, 32]], ['knot']));
    expect(btf.member(1, 'x')).toBeUndefined();
    expect(() => btf.sizeOf(1)).toThrow(/contains itself.*ELOOP/);
    expect(() => btf.sizeOf(1)).toThrow(/contains itself.*ELOOP/);
    expect(() => btf.alignmentOf(1)).toThrow(BpfError);
  });

  it('asks for a type that it has', () => {
    expect(() => parseBtf(blob([int], ['int'])).byId(2)).toThrow(/no such BTF type.*value 2.*0 to 1/);
  });
});

const vmlinux = '/sys/kernel/btf/vmlinux';
it.skipIf(!existsSync(vmlinux))('reads every type of the running kernel', () => {
  const btf = parseBtf(readFileSync(vmlinux));
  const kinds = new Map<string, number>();
  for (const type of btf) kinds.set(type.kind, (kinds.get(type.kind) ?? 0) + 1);
  expect(btf.member(btf.findByName('task_struct', 'struct')?.id ?? 0, 'se.load.weight')).toBeDefined();
  expect(btf.prototypeOf('vfs_read')?.params.map(({ name }) => name)).toEqual(['file', 'buf', 'count', 'pos']);
  expect([...kinds.values()].reduce((sum, count) => sum + count)).toBe(btf.typeCount - 1);
});
