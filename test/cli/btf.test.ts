import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { BtfBuilder, encodeBtf, type NewBtfType } from '../../src/btf/index.js';
import { objectFiles, objectFolder } from '../loader/objects.js';
import { describeWithBpftool } from '../oracle/bpftool.js';
import { golden } from '../support/golden.js';
import { kscope } from './capture-io.js';

const VMLINUX = '/sys/kernel/btf/vmlinux';
const folder = mkdtempSync(join(tmpdir(), 'kscope-btf-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Raw BTF with a type of every kind, in each of the shapes that dumps tell apart. */
function everyKind(): string {
  const builder = new BtfBuilder();
  const int = { kind: 'int', size: 4, bits: 32, bitOffset: 0, signed: false, char: false, bool: false } as const;
  const prototype = 8;
  const types: readonly NewBtfType[] = [
    { ...int, name: 'int', signed: true },
    { ...int, name: 'char', size: 1, bits: 8, char: true },
    { ...int, name: 'bool', size: 1, bits: 8, bitOffset: 2, bool: true },
    { ...int, name: 'odd', signed: true, char: true },
    { ...int, name: 'unsigned' },
    { kind: 'ptr', type: 0 },
    { kind: 'array', elementType: 1, indexType: 1, count: 4 },
    {
      kind: 'func_proto',
      returnType: 1,
      params: [
        { name: 'x', type: 1 },
        { name: '', type: 0 },
      ],
    },
    { kind: 'func_proto', returnType: 0, params: [] },
    {
      kind: 'struct',
      name: 's',
      size: 8,
      members: [
        { name: 'a', type: 1, bitOffset: 0, bitSize: 3 },
        { name: '', type: 1, bitOffset: 32, bitSize: 0 },
      ],
    },
    { kind: 'union', size: 0, members: [] },
    { kind: 'enum', name: 'e', size: 4, signed: true, values: [{ name: 'A', value: -1n }] },
    { kind: 'enum', name: 'f', size: 4, signed: false, values: [{ name: 'B', value: 0xffff_ffffn }] },
    { kind: 'enum64', name: 'g', size: 8, signed: true, values: [{ name: 'C', value: -1n }] },
    { kind: 'enum64', name: 'h', size: 8, signed: false, values: [{ name: 'D', value: (1n << 64n) - 1n }] },
    { kind: 'fwd', name: 'there', union: false },
    { kind: 'fwd', name: 'here', union: true },
    { kind: 'volatile', type: 1 },
    { kind: 'const', type: 1 },
    { kind: 'restrict', type: 6 },
    { kind: 'typedef', name: 't', type: 1 },
    { kind: 'func', name: 'one', type: prototype, linkage: 'static' },
    { kind: 'func', name: 'two', type: prototype, linkage: 'global' },
    { kind: 'func', name: 'three', type: prototype, linkage: 'extern' },
    { kind: 'var', name: 'v', type: 1, linkage: 'static' },
    { kind: 'var', name: 'w', type: 1, linkage: 'global' },
    {
      kind: 'datasec',
      name: '.data',
      size: 8,
      vars: [
        { type: 25, offset: 0, size: 4 },
        { type: 26, offset: 4, size: 4 },
      ],
    },
    { kind: 'datasec', name: '.ksyms', size: 0, vars: [{ type: 24, offset: 0, size: 0 }] },
    { kind: 'float', name: 'double', size: 8 },
    { kind: 'decl_tag', name: 'tag', type: 21, componentIndex: -1 },
    { kind: 'decl_tag', name: 'tag', type: 10, componentIndex: 1 },
    { kind: 'type_tag', name: 'user', type: 1 },
  ];
  for (const type of types) builder.add(type);
  const path = join(folder, 'every-kind.btf');
  writeFileSync(path, encodeBtf(builder.build()));
  return path;
}

const everyKindPath = everyKind();
const shapes = fileURLToPath(new URL('../testdata/btf/shapes-el.o', import.meta.url));
const text = async (...args: readonly string[]): Promise<string> => `${(await kscope(args)).out.join('\n')}\n`;

describe('btf dump', () => {
  it('lists every kind of type', async () => {
    golden('btf/every-kind.txt', await text('btf', 'dump', 'file', everyKindPath));
    golden('btf/every-kind.json', await text('btf', 'dump', everyKindPath, '-j'));
  });

  it("shows the simulator's kernel as id 1", async () => {
    expect(await text('btf', 'dump', 'id', '1', 'format', 'c')).toContain('struct task_struct {');
  });

  it('shows what a module adds to its kernel', async () => {
    const base = new BtfBuilder();
    base.add({ kind: 'float', name: 'double', size: 8 });
    const module = new BtfBuilder({ base: base.build() });
    module.add({ kind: 'typedef', name: 'real', type: 1 });
    const [basePath, modulePath] = [join(folder, 'base.btf'), join(folder, 'module.btf')];
    writeFileSync(basePath, encodeBtf(base.build()));
    writeFileSync(modulePath, encodeBtf(module.build()));
    expect(await text('btf', 'dump', modulePath, '-B', basePath)).toBe("[2] TYPEDEF 'real' type_id=1\n");
  });

  it.each([
    [['btf', 'dump'], 2, /takes FILE, file FILE or id 1/],
    [['btf', 'dump', 'x', 'format', 'rust'], 2, /raw or c, not "rust"/],
    [['btf', 'dump', 'x', 'y'], 2, /unexpected argument "y"/],
    [['btf', 'dump', 'x', 'format', 'c', '-j'], 2, /JSON output for C-syntax dump is not supported/],
    [['btf', 'dump', 'id', 'x'], 2, /takes a number/],
    [['btf', 'dump', 'id', '7'], 1, /no BTF of that id.*value 7/],
    [['btf', 'dump', '/nonexistent'], 1, /no such file/],
    [['btf', 'dump', fileURLToPath(import.meta.url)], 1, /not BTF: the magic number is missing/],
    [['btf', 'gen', 'rust', 'x'], 2, /takes dts or c/],
    [['btf', 'gen', 'dts', shapes, 'nonsense'], 1, /has no such type.*nonsense/],
  ])('%j exits with %i', async (args, code, message) => {
    const result = await kscope(args);
    expect(result.code).toBe(code);
    expect(result.err.join('\n')).toMatch(message);
  });
});

describe('btf gen', () => {
  it('writes TypeScript declarations', async () => {
    const declarations = await text('btf', 'gen', 'dts', shapes, 'packed');
    expect(declarations).toContain("import type { BtfFixedArray, BtfPointer } from 'kscope/btf';");
    expect(declarations).toContain('/** struct packed: 13 bytes. */\nexport interface packed {');
    expect(declarations).not.toContain('interface nested');
  });

  it('writes C, with the sizes of enums', async () => {
    const c = await text('btf', 'gen', 'c', shapes, 'arrays');
    expect(c).toContain('enum tiny {\n\tTINY_A = 1,\n\tTINY_B = 100,\n} __attribute__((mode(byte)));');
    expect(c).not.toContain('struct nested');
  });
});

describeWithBpftool('btf dump is what bpftool gives', (bpftool) => {
  const dump = (path: string, ...args: readonly string[]): string => bpftool.run(...args, 'btf', 'dump', 'file', path);
  const objects = objectFiles.filter((name) => name.includes('clang-19-v3')).map((name) => objectFolder + name);

  it.each([[], ['-j'], ['-p']])('for every kind %s', async (...args) => {
    expect((await text('btf', 'dump', 'file', everyKindPath, ...args)).trimEnd()).toBe(
      dump(everyKindPath, ...args).trimEnd(),
    );
  });

  it.each([[], ['-j'], ['-p']])('for objects %s', async (...args) => {
    for (const path of objects)
      expect((await text('btf', 'dump', 'file', path, ...args)).trimEnd()).toBe(dump(path, ...args).trimEnd());
  });

  it.skipIf(!existsSync(VMLINUX))('for the running kernel', async () => {
    expect((await text('btf', 'dump', 'file', VMLINUX)) === dump(VMLINUX)).toBe(true);
    expect((await text('btf', 'dump', 'file', VMLINUX, '-j')).trimEnd() === dump(VMLINUX, '-j').trimEnd()).toBe(true);
  });
});
