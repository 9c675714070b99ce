import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { type Btf, type BtfPointer, type NewBtfType, parseBtf, printBtfAsDts, TypedBtf } from '../../src/btf/index.js';
import { ElfFile } from '../../src/loader/elf/elf-file.js';
import { golden } from '../support/golden.js';
import type { BtfLayouts, BtfTypes, list } from '../testdata/btf/shapes.js';
import { buildBtf } from './btf-graph.js';

const VMLINUX = '/sys/kernel/btf/vmlinux';

/** An object of test/testdata/btf/src/shapes.c and the bytes of its variables. */
function readShapes(order: 'el' | 'eb'): { btf: Btf; bytesOf: (variable: string, size?: number) => Uint8Array } {
  const elf = ElfFile.parse(readFileSync(new URL(`../testdata/btf/shapes-${order}.o`, import.meta.url)));
  const [btf, data] = ['.BTF', '.data'].map((name) => {
    const section = elf.section(name);
    if (section === undefined) throw new Error(`the object has no ${name}`);
    return elf.bytesOf(section);
  }) as [Uint8Array, Uint8Array];
  const bytesOf = (variable: string): Uint8Array => {
    const symbol = elf.symbols.find(({ name }) => name === variable);
    const at = symbol?.value ?? 0;
    return data.subarray(at, at + (symbol?.size ?? 0));
  };
  return { btf: parseBtf(btf), bytesOf };
}

/** A view as a plain object. */
const spread = (view: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(view))).flatMap((name) =>
      name === 'constructor' ? [] : [[name, (view as Record<string, unknown>)[name]]],
    ),
  );

it('declarations of every shape', () => {
  golden('btf/shapes.d.ts', printBtfAsDts(readShapes('el').btf, { from: '../../../src/btf/index.js' }));
});

describe.each(['el', 'eb'] as const)('a real struct of every shape, %s', (order) => {
  const { btf, bytesOf } = readShapes(order);
  const types = new TypedBtf<BtfTypes>(btf);
  const everything = types.view('struct everything', bytesOf('everything'));

  it('integers of all widths, truth values and floats', () => {
    const { numbers } = everything;
    expect(spread(numbers)).toEqual({
      letter: 107,
      s8: -3,
      b: 250,
      s16: -30_000,
      h: 60_000,
      s32: -2_000_000_000,
      w: 4_000_000_000,
      s64: -9_000_000_000_000_000_000n,
      d: 18_000_000_000_000_000_000n,
      yes: true,
      no: false,
      f: 1.5,
      g: -2.25,
    });
    expect(everything.huge).toBe(-5n);
    expectTypeOf(numbers.d).toEqualTypeOf<bigint>();
    expectTypeOf(numbers.w).toEqualTypeOf<number>();
    expectTypeOf(numbers.yes).toEqualTypeOf<boolean>();
  });

  it('bit-fields', () => {
    const { bits } = everything;
    expect([bits.low, bits.mid, bits.minus, bits.wide, bits.flag, bits.colour, bits.after]).toEqual([
      5,
      1999,
      -7,
      0xab_cdef_0123n,
      true,
      'GREEN',
      3,
    ]);
    expectTypeOf(bits.wide).toEqualTypeOf<bigint>();
  });

  it('structs in structs, anonymous parts, unions and arrays of structs', () => {
    const { nested } = everything;
    expect(nested.packed.third).toBe(0x1112_1314_1516_1718n);
    expect(nested.raw).toBe(0x8899_aabb_ccdd_eeffn);
    const halves = [nested.lower, nested.upper];
    expect(order === 'el' ? halves.toReversed() : halves).toEqual([0x8899_aabb, 0xccdd_eeff]);
    expect(nested.points.map(({ x, y }) => [x, y])).toEqual([
      [1, -1],
      [2, -2],
    ]);
    expect(nested.number.whole).toBe(0xcafe_f00d);
    const { bytes } = nested.number;
    expect(order === 'el' ? bytes.toReversed() : bytes).toEqual([0xca, 0xfe, 0xf0, 0x0d]);
    expectTypeOf(nested.points.length).toEqualTypeOf<2>();
  });

  it('pointers, which are not any bigint', () => {
    const { pointers } = everything;
    expect(pointers.nothing).toBe(0xffff_8880_0000_1000n);
    expectTypeOf(pointers.list).toEqualTypeOf<BtfPointer<list>>();
    expectTypeOf<bigint>().not.toExtend<typeof pointers.list>();
    expectTypeOf(pointers.self).not.toEqualTypeOf(pointers.list);
  });

  it('enums of every width, by name', () => {
    expect([everything.colour, everything.wide]).toEqual(['BLUE', 'LARGE']);
    expectTypeOf<'RED'>().toExtend<typeof everything.colour>();
    expectTypeOf<'PINK'>().not.toExtend<typeof everything.colour>();
  });

  it('arrays: text, bytes, matrices, enums, records, what is left at the end', () => {
    const arrays = types.view('struct arrays', bytesOf('arrays'));
    expect([arrays.name, arrays.tail]).toEqual(['kscope', 'end']);
    expect(arrays.mac).toEqual([1, 2, 3, 4, 5, 255]);
    expect(arrays.matrix).toEqual([
      [1, 2, 3],
      [-1, -2, -3],
    ]);
    expect(arrays.tiny).toEqual(['TINY_B', 'TINY_A']);
    expect(arrays.records.map(({ first, second, third }) => [first, second, third])).toEqual([
      [1, 2, 3n],
      [4, 5, 6n],
    ]);
    expectTypeOf(arrays.matrix[0]).not.toBeAny();
  });

  it('an anonymous struct by its typedef, with words of TypeScript as names', () => {
    const { class: first, function: second } = types.view('typedef anonymous_t', bytesOf('anonymous'));
    expect([first, second]).toEqual([7, 9]);
  });

  it('read() gives the same as a copy', () => {
    const copy = types.read('struct everything', bytesOf('everything'));
    expect(copy.numbers).toEqual(spread(everything.numbers));
    expect(copy.nested.points[1]).toEqual({ x: 2, y: -2 });
  });

  it('a view follows its bytes', () => {
    const bytes = bytesOf('anonymous').slice();
    const view = types.view('typedef anonymous_t', bytes);
    bytes.fill(0);
    expect(view.class).toBe(0);
  });

  it('layouts are those of the declarations', () => {
    const layout: BtfLayouts['struct packed'] = { size: 13, align: 1, offsets: { first: 0, second: 1, third: 5 } };
    expect(types.layout('struct packed')).toEqual(layout);
  });

  it('too few bytes, and types of other BTFs, are refused', () => {
    expect(() => types.view('struct packed', new Uint8Array(12))).toThrow(/cut short.*value 12.*takes 13 bytes/);
    const other = new TypedBtf<{ 'struct elsewhere': object }>(btf);
    expect(() => other.view('struct elsewhere', new Uint8Array(8))).toThrow(/no such type.*struct elsewhere/);
  });
});

describe('declarations', () => {
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
  const member = (name: string, type: number) => ({ name, type, bitOffset: 0, bitSize: 0 });

  it('of chosen types have what these contain, and nothing else', () => {
    const text = printBtfAsDts(readShapes('el').btf, { ids: readShapes('el').btf.idsByName('nested') });
    expect([...text.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name]) => name)).toEqual(
      ['nested', 'packed', 'u8', 'u32', 'u64', 'number_', 'u16', 'list', 'BtfTypes', 'BtfLayouts'].toSorted(
        (a, b) => placeIn(text, a) - placeIn(text, b),
      ),
    );
  });

  it('of names that are taken or are none', () => {
    const text = printBtfAsDts(
      buildBtf([
        int,
        { kind: 'struct', name: 'string', size: 4, members: [member('a-b', 1), member('constructor', 1)] },
        { kind: 'struct', name: 'x', size: 4, members: [] },
        { kind: 'struct', name: 'x', size: 4, members: [] },
        { kind: 'typedef', name: 'x', type: 1 },
        { kind: 'typedef', name: 'core::Option<u8>', type: 2 },
      ]),
    );
    expect(text).toContain("interface string_ {\n  /** At 0. */\n  readonly 'a-b': number;");
    expect(text).toContain('export interface x___2 {}');
    expect(text).toContain('export type x___3 = number;');
    expect(text).toContain('export type core__Option_u8_ = string_;');
  });

  it.each<readonly [what: string, types: readonly NewBtfType[]]>([
    [
      'typedefs',
      [
        { kind: 'typedef', name: 'a', type: 2 },
        { kind: 'typedef', name: 'b', type: 1 },
      ],
    ],
    [
      'qualifiers',
      [
        { kind: 'const', type: 2 },
        { kind: 'const', type: 1 },
        { kind: 'typedef', name: 'a', type: 1 },
      ],
    ],
    [
      'pointers',
      [
        { kind: 'ptr', type: 1 },
        { kind: 'typedef', name: 'a', type: 1 },
      ],
    ],
    ['a struct in itself', [{ kind: 'struct', name: 's', size: 4, members: [member('', 1)] }]],
    [
      'an array in itself',
      [int, { kind: 'array', elementType: 2, indexType: 1, count: 2 }, { kind: 'typedef', name: 'a', type: 2 }],
    ],
  ])('of a cycle of %s are refused', (_what, types) => {
    expect(() => printBtfAsDts(buildBtf(types))).toThrow(/EINVAL|ELOOP|E2BIG/);
  });

  it.skipIf(!existsSync(VMLINUX))("of the running kernel's types compile strictly", { timeout: 120_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'kscope-dts-'));
    try {
      const values = new URL('../../src/btf/dts/value-types.ts', import.meta.url).pathname.replace(/\.ts$/, '.js');
      const btf = parseBtf(readFileSync(VMLINUX));
      writeFileSync(join(folder, 'vmlinux.d.ts'), printBtfAsDts(btf, { from: values }));
      writeFileSync(
        join(folder, 'use.ts'),
        "import type { BtfTypes } from './vmlinux.js';\nexport const pid = (task: BtfTypes['struct task_struct']): number => task.pid;\n",
      );
      const args = [
        '--strict',
        '--noEmit',
        '--module',
        'nodenext',
        '--target',
        'es2023',
        '--types',
        '',
        'use.ts',
        'vmlinux.d.ts',
      ];
      const tsc = new URL('../../node_modules/typescript/bin/tsc', import.meta.url).pathname;
      const { status, stdout } = spawnSync(process.execPath, [tsc, ...args], { cwd: folder, encoding: 'utf8' });
      expect({ status, errors: stdout.split('\n').slice(0, 10).join('\n') }).toEqual({ status: 0, errors: '' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const placeIn = (text: string, name: string): number =>
  text.search(new RegExp(`^export (?:interface|type) ${name}\\b`, 'm'));
