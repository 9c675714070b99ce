import { describe, expect, it } from 'vitest';
import {
  type Btf,
  BtfBuilder,
  deduplicateBtf,
  encodeBtf,
  mergeBtf,
  type NewBtfType,
  parseBtf,
} from '../../src/btf/index.js';
import { objectFiles, parseObject } from '../loader/objects.js';
import { describeWithLibbpfDedup } from '../oracle/libbpf-dedup.js';
import { buildBtf } from './btf-graph.js';
import { readBtf } from './btf-fixture.js';

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
const struct = (name: string, ...members: readonly (readonly [name: string, type: number])[]): NewBtfType => ({
  kind: 'struct',
  name,
  size: 8 * members.length,
  members: members.map(([member, type], i) => ({ name: member, type, bitOffset: 64 * i, bitSize: 0 })),
});
const fwd = (name: string, union = false): NewBtfType => ({ kind: 'fwd', name, union });
const ptr = (type: number): NewBtfType => ({ kind: 'ptr', type });
const enumeration = (name: string, ...names: readonly string[]): NewBtfType => ({
  kind: 'enum',
  name,
  size: 4,
  signed: false,
  values: names.map((each, i) => ({ name: each, value: BigInt(i) })),
});

/** Kinds and names of the types that are left. */
const left = (btf: Btf): string[] => [...btf].map(({ kind, name }) => `${kind} ${name}`.trim());

const rows: readonly (readonly [what: string, types: readonly NewBtfType[], left: readonly string[]])[] = [
  ['equal integers', [int, int], ['int int']],
  ['integers of one name but two sizes stay', [int, { ...int, size: 8 }], ['int int', 'int int']],
  ['an enum stands for its declaration, before it', [enumeration('e'), enumeration('e', 'A')], ['enum e']],
  ['and after it', [enumeration('e', 'A'), enumeration('e')], ['enum e']],
  [
    'pointers to equal types, and what refers to those',
    [int, int, ptr(1), ptr(2), { kind: 'const', type: 3 }, { kind: 'const', type: 4 }],
    ['int int', 'ptr', 'const'],
  ],
  [
    'structs that contain pointers to themselves',
    [ptr(2), struct('node', ['next', 1]), ptr(4), struct('node', ['next', 3])],
    ['ptr', 'struct node'],
  ],
  [
    'structs of one name that point to different things stay',
    [int, ptr(1), struct('box', ['it', 2]), struct('node', ['it', 1]), ptr(4), struct('box', ['it', 5])],
    ['int int', 'ptr', 'struct box', 'struct node', 'ptr', 'struct box'],
  ],
  [
    'a forward declaration that stands where the other has the struct',
    [
      fwd('inner'),
      ptr(1),
      struct('outer', ['in', 2]),
      int,
      struct('inner', ['x', 4]),
      ptr(5),
      struct('outer', ['in', 6]),
    ],
    ['ptr', 'struct outer', 'int int', 'struct inner'],
  ],
  [
    'a forward declaration of the only struct of its name',
    [fwd('inner'), ptr(1), int, struct('inner', ['x', 3])],
    ['ptr', 'int int', 'struct inner'],
  ],
  [
    'but not of a union',
    [fwd('inner', true), ptr(1), int, struct('inner', ['x', 3])],
    ['fwd inner', 'ptr', 'int int', 'struct inner'],
  ],
  [
    'nor where two structs have the name',
    [fwd('inner'), int, struct('inner', ['x', 2]), struct('inner', ['y', 2])],
    ['fwd inner', 'int int', 'struct inner', 'struct inner'],
  ],
  [
    'variables and sections are never merged',
    [
      int,
      { kind: 'var', name: 'v', type: 1, linkage: 'global' },
      { kind: 'var', name: 'v', type: 1, linkage: 'global' },
      { kind: 'datasec', name: '.data', size: 4, vars: [{ type: 2, offset: 0, size: 4 }] },
    ],
    ['int int', 'var v', 'var v', 'datasec .data'],
  ],
  [
    'prototypes, functions and tags',
    [
      int,
      { kind: 'func_proto', returnType: 1, params: [{ name: 'a', type: 1 }] },
      { kind: 'func', name: 'f', type: 2, linkage: 'static' },
      { kind: 'decl_tag', name: 't', type: 3, componentIndex: 0 },
      { kind: 'func_proto', returnType: 1, params: [{ name: 'a', type: 1 }] },
      { kind: 'func', name: 'f', type: 5, linkage: 'static' },
      { kind: 'decl_tag', name: 't', type: 6, componentIndex: 0 },
      { kind: 'decl_tag', name: 't', type: 6, componentIndex: 1 },
    ],
    ['int int', 'func_proto', 'func f', 'decl_tag t', 'decl_tag t'],
  ],
];

describe('deduplication leaves', () => {
  it.each(rows)('%s', (_what, types, expected) => {
    const { btf, ids } = deduplicateBtf(buildBtf(types));
    expect(left(btf)).toEqual(expected);
    expect(ids).toHaveLength(types.length + 1);
    expect(Math.max(...ids)).toBeLessThan(btf.typeCount);
  });

  it('only strings that are in use, and those that are to be kept', () => {
    const builder = new BtfBuilder();
    const unused = builder.addString('unused');
    const kept = builder.addString('kept');
    builder.add(int);
    const { btf, stringOffset } = deduplicateBtf(builder.build(), { keepStrings: [kept] });
    expect(new TextDecoder().decode(btf.strings.bytes)).toBe('\0int\0kept\0');
    expect(btf.string(stringOffset(kept))).toBe('kept');
    expect(() => stringOffset(unused)).toThrow(/no type uses the string "unused"/);
  });

  it('what a base has to the base', () => {
    const base = buildBtf([int, ptr(1), struct('box', ['it', 2])]);
    const builder = new BtfBuilder({ base });
    builder.append(base);
    builder.add(struct('module_box', ['it', 5], ['box', 6]));
    const { btf, ids } = deduplicateBtf(builder.build());
    expect(left(btf)).toEqual(['int int', 'ptr', 'struct box', 'struct module_box']);
    expect([...ids]).toEqual([0, 1, 2, 3, 1, 2, 3, 4]);
    expect(btf.byId(4)).toMatchObject({ members: [{ type: 2 }, { type: 3 }] });
    expect(parseBtf(encodeBtf(btf), base).member(4, 'it')).toMatchObject({ type: 2 });
  });

  it('no cycle of references undetected', () => {
    const loop = buildBtf([
      { kind: 'const', type: 2 },
      { kind: 'const', type: 1 },
    ]);
    expect(() => deduplicateBtf(loop)).toThrow(/refer to each other in a cycle.*ELOOP/);
    expect(() => deduplicateBtf(buildBtf([{ kind: 'typedef', name: 't', type: 1 }]))).toThrow(/ELOOP/);
  });

  it('a chain of 100,000 pointers as it is, in no time', () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => ptr(i + 2));
    expect(deduplicateBtf(buildBtf([...chain, int])).btf.typeCount).toBe(100_002);
  });
});

describe('merging', () => {
  it('gives the types of several objects once', () => {
    const target = readBtf('target');
    const { btf, ids } = mergeBtf([target, target, readBtf('linux-min')]);
    const composites = [...target].filter(({ kind, name }) => kind === 'struct' && name !== '');
    for (const { id, name } of composites) {
      expect(ids[0]?.[id]).toBe(ids[1]?.[id]);
      expect(btf.byId(ids[0]?.[id] ?? 0)).toMatchObject({ kind: 'struct', name });
    }
  });

  it('refuses inputs of different byte orders', () => {
    expect(() => mergeBtf([readBtf('target'), readBtf('target-big-endian')])).toThrow(/byte orders/);
  });
});

/** All little-endian objects behind each other, nothing merged. */
function concatenated(filter: RegExp): Btf {
  const builder = new BtfBuilder();
  for (const file of objectFiles.filter((each) => filter.test(each))) {
    const { btf } = parseObject(file);
    if (btf !== null) builder.append(btf);
  }
  return builder.build();
}

describeWithLibbpfDedup('deduplication is btf__dedup, byte for byte', (libbpf) => {
  it.each([
    ['objects of clang 14', /clang-14/],
    ['objects of clang 19', /clang-19/],
    ['objects of all compilers', /./],
  ])('%s behind each other', (_what, filter) => {
    const input = concatenated(filter);
    const [theirs] = libbpf.deduplicate([input]);
    const ours = deduplicateBtf(input).btf;
    expect({ types: ours.typeCount, bytes: encodeBtf(ours) }).toEqual(theirs);
    expect(ours.typeCount).toBeLessThan(input.typeCount / 2);
  });

  it('objects against the first ones as base', () => {
    const base = deduplicateBtf(concatenated(/clang-14/)).btf;
    const builder = new BtfBuilder({ base });
    builder.append(concatenated(/clang-(16|19)/));
    const [theirs] = libbpf.deduplicate([builder.build()]);
    const ours = deduplicateBtf(builder.build()).btf;
    expect({ types: ours.typeCount, bytes: encodeBtf(ours) }).toEqual(theirs);
  });

  it.each(rows)('%s', (_what, types) => {
    const input = buildBtf(types);
    const { btf } = deduplicateBtf(input);
    expect(libbpf.deduplicate([input])).toEqual([{ types: btf.typeCount, bytes: encodeBtf(btf) }]);
  });
});
