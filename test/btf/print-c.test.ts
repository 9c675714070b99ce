import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { type Btf, encodeBtf, type NewBtfType, parseBtf, printBtfAsC } from '../../src/btf/index.js';
import { objectFiles, objectFolder, readObject } from '../loader/objects.js';
import { describeWithBpftool } from '../oracle/bpftool.js';
import { clangVersion } from '../oracle/clang.js';
import { describeWith } from '../oracle/describe-with.js';
import { golden } from '../support/golden.js';
import { ElfFile } from '../../src/loader/elf/elf-file.js';
import { buildBtf } from './btf-graph.js';
import { btfBytes, readBtf } from './btf-fixture.js';

const VMLINUX = '/sys/kernel/btf/vmlinux';
const INT = 1;
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
type Member = readonly [name: string, type: number, bitOffset: number, bitSize?: number];
const composite = (
  kind: 'struct' | 'union',
  name: string,
  size: number,
  ...members: readonly Member[]
): NewBtfType => ({
  kind,
  name,
  size,
  members: members.map(([member, type, bitOffset, bitSize = 0]) => ({ name: member, type, bitOffset, bitSize })),
});
const struct = (name: string, size: number, ...members: readonly Member[]): NewBtfType =>
  composite('struct', name, size, ...members);
const typedef = (name: string, type: number): NewBtfType => ({ kind: 'typedef', name, type });
const ptr = (type: number): NewBtfType => ({ kind: 'ptr', type });
const array = (elementType: number, count: number): NewBtfType => ({
  kind: 'array',
  elementType,
  indexType: INT,
  count,
});

/** Without the lines that every header begins and ends with. */
const definitions = (text: string): string => text.split('\n').slice(6, -6).join('\n').trim();

const rows: readonly (readonly [what: string, types: readonly NewBtfType[], text: string])[] = [
  [
    'an array of pointers to functions',
    [
      int,
      {
        kind: 'func_proto',
        returnType: INT,
        params: [
          { name: 'x', type: INT },
          { name: '', type: 0 },
        ],
      },
      ptr(2),
      array(3, 4),
      typedef('table', 4),
    ],
    'typedef int (*table[4])(int x, ...);',
  ],
  [
    'a pointer to an array of arrays',
    [int, array(INT, 3), array(2, 2), ptr(3), typedef('grid', 4)],
    'typedef int (*grid)[2][3];',
  ],
  [
    'qualifiers where C has them',
    [int, { kind: 'const', type: INT }, ptr(2), { kind: 'volatile', type: 3 }, typedef('t', 4)],
    'typedef const int * volatile t;',
  ],
  [
    'a tag of a pointer',
    [int, { kind: 'type_tag', name: 'user', type: INT }, ptr(2), typedef('t', 3)],
    'typedef int __attribute__((btf_type_tag("user"))) *t;',
  ],
  [
    'a whole attribute',
    [int, { kind: 'type_tag', name: 'address_space(1)', type: INT, attribute: true }, ptr(2), typedef('t', 3)],
    'typedef int __attribute__((address_space(1))) *t;',
  ],
  ['an empty struct', [struct('nothing', 0)], 'struct nothing {};'],
  [
    'a struct that its own typedef points to',
    [int, struct('node', 8, ['next', 4, 0]), typedef('node_t', 2), ptr(3)],
    'struct node;\n\ntypedef struct node node_t;\n\nstruct node {\n\tnode_t *next;\n};',
  ],
  [
    'a declaration of what is defined later',
    [int, struct('a', 8, ['b', 4, 0]), struct('b', 8, ['a', 5, 0]), ptr(3), ptr(2)],
    'struct b;\n\nstruct a {\n\tstruct b *b;\n};\n\nstruct b {\n\tstruct a *a;\n};',
  ],
  [
    'anonymous parts inside',
    [int, composite('union', '', 4, ['x', INT, 0], ['y', INT, 0]), struct('s', 4, ['', 2, 0])],
    'struct s {\n\tunion {\n\t\tint x;\n\t\tint y;\n\t};\n};',
  ],
  [
    'bit-fields and the holes between them',
    [int, struct('s', 8, ['a', INT, 0, 3], ['b', INT, 5, 7], ['c', INT, 40, 2])],
    'struct s {\n\tint a: 3;\n\tchar: 2;\n\tint b: 7;\n\tint: 20;\n\tchar: 8;\n\tint c: 2;\n};',
  ],
  [
    'a hole that alignment does not leave',
    [int, struct('s', 16, ['a', INT, 0], ['b', INT, 64])],
    'struct s {\n\tint a;\n\tlong: 0;\n\tint b;\n\tlong: 0;\n};',
  ],
  [
    'a packed struct',
    [int, struct('s', 5, ['a', INT, 8])],
    'struct s {\n\tchar: 8;\n\tint a;\n} __attribute__((packed));',
  ],
  [
    'types of one name',
    [int, struct('s', 4, ['a', INT, 0]), struct('s', 4, ['b', INT, 0]), typedef('s', INT), typedef('s', 2)],
    'struct s {\n\tint a;\n};\n\nstruct s___2 {\n\tint b;\n};\n\ntypedef int s;\n\ntypedef struct s s___2;',
  ],
  [
    'enumerators of one name',
    [
      { kind: 'enum', name: 'a', size: 4, signed: true, values: [{ name: 'X', value: -1n }] },
      { kind: 'enum64', name: 'b', size: 8, signed: false, values: [{ name: 'X', value: 1n << 40n }] },
    ],
    'enum a {\n\tX = -1,\n};\n\nenum b {\n\tX___2 = 1099511627776ULL,\n};',
  ],
  [
    'a function without parameters',
    [int, { kind: 'func_proto', returnType: 0, params: [] }, ptr(2), typedef('f', 3)],
    'typedef void (*f)(void);',
  ],
  [
    'an anonymous struct by typedef',
    [int, struct('', 4, ['x', INT, 0]), typedef('point', 2)],
    'typedef struct {\n\tint x;\n} point;',
  ],
];

describe('C text of', () => {
  it.each(rows)('%s', (_what, types, text) => {
    expect(definitions(printBtfAsC(buildBtf(types)))).toBe(text);
  });

  it('a whole object', () => {
    golden('btf/target.h', printBtfAsC(readBtf('target')));
  });

  it('chosen types has what they need', () => {
    const btf = buildBtf([
      int,
      struct('a', 4, ['x', INT, 0]),
      struct('b', 4, ['x', INT, 0]),
      struct('c', 4, ['a', 2, 0]),
    ]);
    const text = definitions(printBtfAsC(btf, { ids: [4] }));
    expect(text).toBe('struct a {\n\tint x;\n};\n\nstruct c {\n\tstruct a a;\n};');
  });

  it('enums that compilers would make larger or smaller', () => {
    const sized = (size: number): NewBtfType => ({
      kind: 'enum',
      name: `e${size}`,
      size,
      signed: false,
      values: [{ name: `E${size}`, value: 0n }],
    });
    const text = definitions(printBtfAsC(buildBtf([sized(1), sized(4), sized(8)]), { enumModes: true }));
    expect(text.split('\n').filter((line) => line.startsWith('}'))).toEqual([
      '} __attribute__((mode(byte)));',
      '};',
      '} __attribute__((mode(word)));',
    ]);
  });
});

describe('what C cannot express is refused', () => {
  it.each<readonly [what: string, types: readonly NewBtfType[]]>([
    ['a struct that contains itself', [int, struct('s', 8, ['a', INT, 0], ['self', 2, 32])]],
    ['two structs that contain each other', [struct('a', 4, ['b', 2, 0]), struct('b', 4, ['a', 1, 0])]],
    [
      'a cycle of qualifiers',
      [
        { kind: 'const', type: 2 },
        { kind: 'const', type: 1 },
      ],
    ],
    ['a cycle of typedefs', [typedef('a', 2), typedef('b', 1)]],
    ['an array of itself', [int, array(2, 3)]],
    ['an anonymous struct that points to itself', [struct('', 8, ['self', 2, 0]), ptr(1)]],
    ['a pointer to itself', [ptr(1)]],
  ])('%s', (_what, types) => {
    const btf = buildBtf(types);
    expect(() => printBtfAsC(btf)).toThrow(BpfError);
    expect(() => printBtfAsC(btf)).toThrow(/ELOOP/);
  });
});

/** The .BTF of an object as a file holds it. */
function btfOfObject(bytes: Uint8Array): Btf | undefined {
  const elf = ElfFile.parse(bytes);
  const section = elf.section('.BTF');
  return section === undefined ? undefined : parseBtf(elf.bytesOf(section));
}

describeWithBpftool('C text is what bpftool prints', (bpftool) => {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-print-c-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const dump = (path: string): string => bpftool.run('btf', 'dump', 'file', path, 'format', 'c');

  it.skipIf(!existsSync(VMLINUX))('for the running kernel, byte for byte', () => {
    const [ours, theirs] = [printBtfAsC(parseBtf(readFileSync(VMLINUX))), dump(VMLINUX)];
    expect(ours.length).toBeGreaterThan(1_000_000);
    expect(ours === theirs).toBe(true);
  });

  it.each(['target', 'target-big-endian', 'linux-min'])('for %s', (name) => {
    const path = join(folder, `${name}.btf`);
    writeFileSync(path, btfBytes(name));
    expect(printBtfAsC(readBtf(name))).toBe(dump(path));
  });

  it('for every object', () => {
    for (const file of objectFiles.filter((name) => name.includes('-v3'))) {
      const btf = btfOfObject(readObject(file));
      if (btf !== undefined) expect(printBtfAsC(btf), file).toBe(dump(objectFolder + file));
    }
  });

  it.each(rows.filter(([what]) => what !== 'a whole attribute'))('for %s', (_what, types) => {
    const btf = buildBtf(types);
    const path = join(folder, 'row.btf');
    writeFileSync(path, encodeBtf(btf));
    expect(printBtfAsC(btf)).toBe(dump(path));
  });
});

const clang = clangVersion();
describeWith('C text compiles', clang === undefined ? { unavailable: 'clang-19 is not there' } : { clang }, () => {
  it.skipIf(!existsSync(VMLINUX))('and gives every type of the running kernel its size', () => {
    const btf = parseBtf(readFileSync(VMLINUX));
    const checks = [...btf].flatMap((type) => {
      if (type.kind !== 'struct' && type.kind !== 'union' && type.kind !== 'enum') return [];
      const isOnly = btf.idsByName(type.name).filter((id) => 'size' in btf.byId(id)).length === 1;
      return isOnly ? [`_Static_assert(sizeof(${type.kind} ${type.name}) == ${type.size}, "");`] : [];
    });
    const input = `${printBtfAsC(btf, { enumModes: true })}\n${checks.join('\n')}\n`;
    const target = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
    const args = ['-target', target, '-fsyntax-only', '-Wno-everything', '-x', 'c', '-'];
    const { status, stderr } = spawnSync('clang-19', args, { input, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(checks.length).toBeGreaterThan(5_000);
  });
});
