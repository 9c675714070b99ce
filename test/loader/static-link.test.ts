import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import type { Btf } from '../../src/btf/index.js';
import { Collection, CollectionSpec, linkObjects } from '../../src/loader/index.js';
import { BpfRuntime } from '../../src/runtime/index.js';
import { compileObjects } from '../oracle/compiled-objects.js';
import { describeWithLibbpf } from '../oracle/libbpf.js';
import { ElfBuilder } from '../support/elf-builder.js';
import { TestHost } from '../support/test-host.js';
import { objectFolder, readBtf, readObject } from './objects.js';

const named = (name: string, bytes: Uint8Array): { name: string; bytes: Uint8Array } => ({ name, bytes });
const committed = (name: string) => named(name, readFileSync(`${objectFolder}linked/${name}`));

describe('two objects linked into one', () => {
  const linked = linkObjects([committed('main.o'), committed('library.o')]);
  const spec = CollectionSpec.parse(linked);

  it('have the programs, maps and variables of both', () => {
    expect(spec.programs.map(({ name }) => name)).toEqual(['program', 'relocated', 'other']);
    expect(spec.maps.map(({ name }) => name).toSorted()).toEqual(['.bss', '.data', '.kconfig', '.rodata', 'counts']);
    expect(spec.license).toBe('GPL');
    expect(Object.fromEntries([...spec.variables].map(([name, variable]) => [name, variable.get()]))).toEqual({
      calls: 3,
      factor: 10,
      greeting: 'hello',
      pad: 1,
      step: 5,
      total: 100n,
      version_seen: 0,
    });
  });

  it('call each other, share what they declare, and the strong definition is the one that counts', () => {
    const runtime = new BpfRuntime(new TestHost());
    const collection = Collection.load(spec, runtime, {
      btf: readBtf('linux-min'),
      kconfig: { LINUX_KERNEL_VERSION: 9 },
    });
    const run = (name: string): number => {
      const program = collection.programs.get(name)?.program;
      if (program === undefined) throw new Error(`no program ${name}`);
      return runtime.testRun(program, { ctxIn: new Uint8Array(256) }).retval;
    };
    expect(run('program')).toBe(2);
    const value = (2 * 5 + 3) * 10 + 1 + 'e'.charCodeAt(0);
    expect(collection.variables.get('total')?.get()).toBe(100n + BigInt(value));
    expect(collection.variables.get('version_seen')?.get()).toBe(9);
    expect(collection.maps.get('counts')?.sysLookup(Uint8Array.of(7, 0, 0, 0))).toEqual(
      new Uint8Array(new BigUint64Array([BigInt(value)]).buffer),
    );
    expect(run('other')).toBe(13);
  });

  it('keep the lines of their sources and their relocations', () => {
    const lines = spec.code.btfExt?.lines.flatMap(({ records }) => records) ?? [];
    const files = new Set(lines.map(({ fileName }) => (spec.btf as Btf).string(fileName)));
    expect([...files].map((file) => file.replace(/^.*\//, '')).toSorted()).toEqual(['library.c', 'main.c']);
    expect(spec.code.btfExt?.relocations.flatMap(({ records }) => records)).toHaveLength(1);
  });

  it('can be linked on: one by one gives what all at once gives', () => {
    const alone = linkObjects([committed('main.o')]);
    const stepwise = CollectionSpec.parse(linkObjects([named('first', alone), committed('library.o')]));
    expect(stepwise.maps.map(({ name, valueSize }) => [name, valueSize])).toEqual(
      spec.maps.map(({ name, valueSize }) => [name, valueSize]),
    );
    expect(stepwise.btf?.typeCount).toBe(spec.btf?.typeCount);
  });
});

/** Objects of C that are in conflict, or agree though they look as if they were not. */
const pairs: readonly (readonly [what: string, a: string, b: string, refusal: RegExp | undefined])[] = [
  ['two strong functions', 'int f(void) { return 1; }', 'int f(void) { return 2; }', /f is defined twice/],
  ['two strong variables', 'int v = 1;', 'int v = 2;', /v is defined twice/],
  [
    'a weak and a strong function',
    'WEAK NOINLINE int f(void) { return 1; }',
    'NOINLINE int f(void) { return 2; }',
    undefined,
  ],
  [
    'two weak functions',
    'WEAK NOINLINE int f(void) { return 1; }',
    'WEAK NOINLINE int f(void) { return 2; }',
    undefined,
  ],
  [
    'static ones of one name',
    'static volatile int v = 1; int a(void) { return v; }',
    'static volatile int v = 2; int b(void) { return v; }',
    undefined,
  ],
  ['a variable of another type', 'extern int v; int a(void) { return v; }', 'u64 v = 2;', /v is of another type/],
  [
    'a function of another type',
    'extern int f(int); int a(void) { return f(1); }',
    'NOINLINE int f(int a, int b) { return a + b; }',
    /f is of another type/,
  ],
  [
    'a function as a variable',
    'extern int f; int a(void) { return f; }',
    'NOINLINE int f(void) { return 1; }',
    /f is of another type/,
  ],
  [
    'maps that differ',
    'extern struct { NUMBER(type, HASH); NUMBER(max_entries, 1); TYPE(key, u32); TYPE(value, u64); } m SEC(".maps"); u64 a(void) { return (u64)&m; }',
    'struct { NUMBER(type, HASH); NUMBER(max_entries, 2); TYPE(key, u32); TYPE(value, u64); } m SEC(".maps");',
    /m is of another type/,
  ],
  [
    'a struct behind a pointer',
    'struct s; extern struct s *p; u64 a(void) { return (u64)p; }',
    'struct s { int a; } real; struct s *p = (void *)0;',
    undefined,
  ],
  ['an array without a size', 'extern int v[]; int a(void) { return v[1]; }', 'int v[4] = { 1, 2, 3, 4 };', undefined],
  [
    'sections side by side',
    'int v SEC(".data.mine") = 1; const volatile u8 c = 2;',
    'int w SEC(".data.mine") = 3; const volatile u64 d = 4;',
    undefined,
  ],
  [
    'externs that stay',
    'extern int CONFIG_HZ KCONFIG WEAK; int a(void) { return CONFIG_HZ; }',
    'extern int CONFIG_HZ KCONFIG; int b(void) { return CONFIG_HZ; }',
    undefined,
  ],
  [
    'kernel functions that stay',
    'extern void k(void) KSYM WEAK; int a(void) { k(); return 0; }',
    'extern void k(void) KSYM; int b(void) { k(); return 0; }',
    undefined,
  ],
];

const HEAD = '#include "bpf.h"\nchar LICENSE[] SEC("license") = "GPL";\n';
const slug = (what: string): string => what.replaceAll(/[^a-z]+/g, '_');

describeWithLibbpf('static linking', (libbpf) => {
  let folder: string;
  let files: Map<string, string>;
  beforeAll(async () => {
    const sources = pairs.flatMap(([what, a, b]) => [
      { name: `link_${slug(what)}_a`, source: HEAD + a },
      {
        name: `link_${slug(what)}_b`,
        source: `${HEAD}${b}\nSEC("raw_tp/sys_enter") int program(void *ctx) { return 0; }\n`,
      },
    ]);
    const compiled = await compileObjects(sources);
    if (compiled === undefined) throw new Error('clang-19 is not installed');
    ({ folder } = compiled);
    files = new Map(sources.map(({ name }, i) => [name, compiled.files[i] ?? '']));
  }, 120_000);

  /** What each side makes of objects: what libbpf reads out of the result, and its types. */
  function bothSides(inputs: readonly string[]): { ours: unknown; libbpf: unknown } {
    const scratch = mkdtempSync(join(tmpdir(), 'kscope-link-'));
    try {
      const result = (output: string): unknown => ({
        open: libbpf.open(scratch, [output]).map((records) => records.slice(1)),
        linked: libbpf.dump(scratch, [output], null).map((line) => line.replaceAll(output, '')),
        types: [...(CollectionSpec.parse(readFileSync(join(scratch, output))).btf ?? [])],
      });
      const theirs = libbpf.genObject('/', join(scratch, 'theirs.o'), inputs);
      try {
        writeFileSync(join(scratch, 'ours.o'), linkObjects(inputs.map((name) => named(name, readFileSync(name)))));
      } catch (error) {
        if (!(error instanceof BpfError)) throw error;
        return { ours: 'refused', libbpf: theirs ? result('theirs.o') : 'refused' };
      }
      return { ours: result('ours.o'), libbpf: theirs ? result('theirs.o') : 'refused' };
    } finally {
      rmSync(scratch, { recursive: true });
    }
  }

  it('of the committed objects gives what bpf_linker gives: maps, contents, instructions, types', () => {
    const { ours, libbpf: theirs } = bothSides(['main.o', 'library.o'].map((name) => `${objectFolder}linked/${name}`));
    expect(ours).toEqual(theirs);
  });

  it.each(pairs)('of %s ends as with libbpf', (what) => {
    const inputs = ['a', 'b'].map((side) => join(folder, files.get(`link_${slug(what)}_${side}`) ?? ''));
    const { ours, libbpf: theirs } = bothSides(inputs);
    expect(ours).toEqual(theirs);
  });

  it.each(pairs.filter(([, , , refusal]) => refusal !== undefined))(
    'of %s is refused by name',
    (what, _a, _b, refusal) => {
      const inputs = ['a', 'b'].map((side) => join(folder, files.get(`link_${slug(what)}_${side}`) ?? ''));
      expect(() => linkObjects(inputs.map((name) => named(name, readFileSync(name))))).toThrow(refusal);
    },
  );
});

describe('what cannot be linked', () => {
  const licence = (text: string, flags = 3): Uint8Array => {
    const builder = new ElfBuilder();
    builder.section('license', new TextEncoder().encode(`${text}\0`), { flags });
    return builder.build();
  };
  const aligned = (alignment: number): Uint8Array => {
    const builder = new ElfBuilder();
    builder.section('.rodata', new Uint8Array(8), { flags: 2, alignment });
    return builder.build();
  };

  it.each<[what: string, objects: { name: string; bytes: Uint8Array }[], message: RegExp]>([
    [
      'other licences',
      [named('a', licence('GPL')), named('b', licence('MIT'))],
      /linking b: section license says something else/,
    ],
    [
      'sections of other kinds',
      [named('a', licence('GPL')), named('b', licence('GPL', 2))],
      /linking b: section license is of another kind/,
    ],
    [
      'another byte order',
      [named('a', readObject('data-clang-19-v3.o')), named('b', readObject('big-endian/data.o'))],
      /linking b: its byte order/,
    ],
    [
      'one object without BTF',
      [named('a', readObject('maps-clang-19-v3.o')), named('b', licence('GPL'))],
      /linking b: not all objects have BTF/,
    ],
    [
      'one variable in two objects',
      [named('a', readObject('maps-clang-19-v3.o')), named('b', readObject('data-clang-19-v3.o'))],
      /is defined twice.*a defines it, too/,
    ],
    [
      'an alignment that is none',
      [named('a', aligned(16)), named('b', aligned(24))],
      /linking b: the alignment of section \.rodata is no power of two \[section \.rodata, value 24\]/,
    ],
    [
      'a section of sections that ask for vast alignments',
      [named('a', aligned(2 ** 30)), named('b', aligned(2 ** 30))],
      /linking b: section \.rodata grows too large \[section \.rodata, value 1073741832\]/,
    ],
    [
      'a file of one section that asks for a vast alignment',
      [named('a', aligned(2 ** 31))],
      /linking: with section \.rodata the file grows to 2147483656 bytes/,
    ],
    [
      'what is no object',
      [named('a', new Uint8Array(10))],
      /^linking a: not an ELF file \[section ELF file, offset 0[^\]]*\]: EINVAL; [^\]]*$/,
    ],
  ])('%s: refused, and the object named', (_what, objects, message) => {
    expect(() => linkObjects(objects)).toThrow(message);
    expect(() => linkObjects(objects)).toThrow(BpfError);
  });

  it('nothing at all: a mistake of the caller', () => expect(() => linkObjects([])).toThrow(TypeError));
});
