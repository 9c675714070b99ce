import { describe, expect, it } from 'vitest';
import { BtfBuilder, encodeBtf, essentialName, parseBtf } from '../../src/btf/index.js';
import { blob, info, readBtf } from './btf-fixture.js';

const btf = readBtf('target');
const idOf = (name: string): number => btf.findByName(name)?.id ?? -1;

describe('sizes and alignments', () => {
  it.each([
    ['point', 16, 8],
    ['shape', 232, 8],
    ['handle', 40, 8],
    ['vector_t', 24, 4],
    ['huge', 8, 8],
    ['unsigned char', 1, 1],
  ])('%s takes %i bytes, aligned to %i', (name, size, alignment) => {
    expect([btf.sizeOf(idOf(name)), btf.alignmentOf(idOf(name))]).toEqual([size, alignment]);
  });

  it('types without values have neither', () => {
    expect(() => btf.sizeOf(0)).toThrow(/has no size/);
    expect(() => btf.alignmentOf(0)).toThrow(/has no alignment/);
  });
});

describe('members by path', () => {
  it.each([
    ['shape', 'flags', 0, 3],
    ['shape', 'packed_bits', 3, 11],
    ['shape', 'corners[2].x', 8 * (40 + 2 * 16 + 12), 0],
    ['shape', 'near', 8 * (32 + 3), 0],
    ['shape', 'grid[1][3]', 8 * (168 + 14), 0],
    ['handle', 'deep', 8 * 16, 30],
    ['vector_t', '[5]', 8 * 20, 0],
  ])('%s.%s', (name, path, bitOffset, bitSize) => {
    expect(btf.member(idOf(name), path)).toMatchObject({ bitOffset, bitSize });
  });

  it('a flexible array has any element', () => {
    expect(btf.member(idOf('shape'), 'tail[1000].y')).toBeDefined();
  });

  it('what is not there is undefined', () => {
    expect(btf.member(idOf('shape'), 'nothing')).toBeUndefined();
    expect(btf.member(idOf('shape'), 'corners[8]')).toBeUndefined();
    expect(btf.member(idOf('shape'), 'flags.x')).toBeUndefined();
  });

  it.each(['', '.', 'a..b', 'a[', 'a[x]', '1a', 'a b'])('%j is no path', (path) => {
    expect(() => btf.member(idOf('shape'), path)).toThrow(/malformed member path/);
  });
});

describe('names', () => {
  it('finds a type by name and kind', () => {
    expect(btf.findByName('point', 'struct')?.kind).toBe('struct');
    expect(btf.findByName('point', 'union')).toBeUndefined();
    expect(btf.findByName('')).toBeUndefined();
  });

  it('finds all flavours of a name', () => {
    expect(btf.idsByEssentialName('twin').map((id) => btf.nameOf(id))).toEqual(['twin___one', 'twin___two']);
    expect(btf.idsByName('twin')).toEqual([]);
  });

  it.each([
    ['task_struct', 'task_struct'],
    ['task_struct___old', 'task_struct'],
    ['a___b___c', 'a___b'],
    ['___x', '___x'],
    ['a___', 'a___'],
    ['a____b', 'a____b'],
    ['a__b', 'a__b'],
    ['a___b____c', 'a'],
  ])('%s is essentially %s', (name, essential) => {
    expect(essentialName(name)).toBe(essential);
  });
});

describe('names are found one by one as by the index that many lookups make', () => {
  it('also where strings share their ends, in split BTF and beyond ASCII', () => {
    const typedef = (name: string) => ({ kind: 'typedef', name, type: 0 }) as const;
    const names = ['int', 'unsigned_int', 'naïve', 'x', 'x', 'unsigned_int'];
    const base = new BtfBuilder();
    for (const name of names) base.add(typedef(name));
    const split = new BtfBuilder({ base: base.build() });
    for (const name of ['x', 'module', 'int']) split.add(typedef(name));
    const encoded = [encodeBtf(base.build()), encodeBtf(split.build())] as const;
    const shared = blob(
      [
        [1, info(8), 0],
        [10, info(8), 0],
      ],
      ['unsigned_int'],
    );
    for (const make of [
      () => parseBtf(encoded[0]),
      () => parseBtf(encoded[1], parseBtf(encoded[0])),
      () => parseBtf(shared),
    ]) {
      const many = make();
      for (let i = 0; i < 100; i++) many.idsByName('x');
      for (const name of [...names, 'module', 'ned_int', 'absent'])
        expect(make().idsByName(name)).toEqual(many.idsByName(name));
      expect(many.idsByName('int').map((id) => many.nameOf(id))).not.toEqual([]);
    }
  });
});
