import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { Collection, type CollectionSpec, type LoadOptions } from '../../src/loader/index.js';
import { BpfRuntime } from '../../src/runtime/index.js';
import { TestHost } from '../support/test-host.js';
import { parseObject, readBtf } from './objects.js';

const linux = readBtf('linux-min');

function load(
  file: string,
  options: LoadOptions = {},
  change: (spec: CollectionSpec) => void = () => undefined,
): { runtime: BpfRuntime; collection: Collection } {
  const runtime = new BpfRuntime(new TestHost());
  const spec = parseObject(file);
  change(spec);
  return { runtime, collection: Collection.load(spec, runtime, { btf: linux, ...options }) };
}

function run(runtime: BpfRuntime, collection: Collection, name: string): number {
  const program = collection.programs.get(name)?.program;
  if (program === undefined) throw new Error(`no program ${name}`);
  return runtime.testRun(program, { ctxIn: new Uint8Array(64) }).retval;
}

const VARIANTS = ['clang-14-v1', 'clang-16-v3', 'clang-19-v4'];

describe.each(VARIANTS)('an object with global data, from %s', (variant) => {
  const file = `data-${variant}.o`;

  it('runs with the initial values of the source', () => {
    const { collection } = load(file);
    const { variables } = collection;
    expect(variables.get('counter')?.get()).toBe(-5n);
    expect(variables.get('table')?.get()).toEqual([1, 2, 3, 4]);
    expect(variables.get('mode')?.get()).toBe('MODE_ON');
    expect(variables.get('wanted')?.get()).toEqual({ pid: 7, kind: 2, comm: 'init', times: [1n, 2n] });
    expect(variables.get('prefix')?.get()).toBe('pre');
    expect(variables.get('verbose')?.get()).toBe(true);
    expect(variables.get('extra')?.get()).toBe(9);
    expect(variables.get('hidden_start')?.get()).toBe(100);
  });

  it('sees what was set before load, and shows what it wrote', () => {
    const { runtime, collection } = load(file, {}, (spec) => {
      spec.variables.get('target_pid')?.set(1234);
      spec.variables.get('counter')?.set(10n);
    });
    run(runtime, collection, 'writes');
    expect(collection.variables.get('last')?.get()).toMatchObject({ pid: 1234, times: [0n, 1_000_000_000n] });
    expect(collection.variables.get('counter')?.get()).toBe(9n);
    expect(collection.variables.get('extra')?.get()).toBe(4);
    expect(collection.variables.get('more')?.get()).toBe(1n);
  });

  it('takes new values of variables between runs, part by part', () => {
    const { runtime, collection } = load(file);
    collection.variables.get('last')?.set({ comm: 'shell', kind: 3 });
    run(runtime, collection, 'writes');
    expect(collection.variables.get('last')?.get()).toMatchObject({ comm: 'shell', kind: 3, pid: 0 });
  });

  it('refuses to change a constant once loaded', () => {
    const { collection } = load(file);
    expect(() => collection.variables.get('target_pid')?.set(1)).toThrow(/EPERM.*set them in the CollectionSpec/);
    expect(collection.variables.get('target_pid')?.constant).toBe(true);
  });

  it('refuses values that do not fit', () => {
    const spec = parseObject(file);
    expect(() => spec.variables.get('target_pid')?.set(2 ** 31)).toThrow(RangeError);
    expect(() => spec.variables.get('target_pid')?.set('one')).toThrow(TypeError);
    expect(() => spec.variables.get('mode')?.set('MODE_NONE')).toThrow(/no enumerator MODE_NONE/);
    expect(() => spec.variables.get('prefix')?.set('longer than it is')).toThrow(/does not fit char\[8\]/);
    expect(() => spec.variables.get('last')?.set({ comm: 'x', nothing: 1 })).toThrow(/no member nothing/);
  });
});

describe.each(VARIANTS)('functions of an object from %s', (variant) => {
  it('call each other', () => {
    const { runtime, collection } = load(`subprograms-${variant}.o`);
    expect([...(collection.programs.get('second')?.linked.functionNames.values() ?? [])]).toEqual([
      'second',
      'global_leaf',
      'middle',
      'leaf',
    ]);
    run(runtime, collection, 'second');
    // middle(6) hands 6 + tgid to leaf(), which adds it to sink.
    expect(collection.variables.get('sink')?.get()).toBe(6n);
  });

  it('are refused where they call themselves', () => {
    expect(() => load(`subprograms-${variant}.o`, { programs: ['mutual'] })).toThrow(
      /call stack of 9 frames is too deep/,
    );
  });

  it('are called back for every element of a map and every turn of a loop', () => {
    const { runtime, collection } = load(`subprograms-${variant}.o`);
    const counts = collection.maps.get('counts');
    counts?.sysUpdate(Uint8Array.of(1, 0, 0, 0), Uint8Array.of(100, 0, 0, 0, 0, 0, 0, 0));
    expect(run(runtime, collection, 'callbacks')).toBe(0);
    // Both loops ran to their ends: global_callback alone adds 0 + 1 + ... + 59.
    expect(collection.variables.get('sink')?.get()).toBeGreaterThan(1770n + 100n);
  });
});

describe('maps and programs of an object', () => {
  it('have the sizes that the object gives, data sections last', () => {
    const { collection } = load('maps-clang-19-v3.o');
    const names = [...collection.maps.keys()];
    expect(names.toSorted()).toEqual([
      '.bss',
      'by_key',
      'events',
      'jumps',
      'per_cpu',
      'per_cpu_hash',
      'plain',
      'recent',
      'ring',
      'stacks',
    ]);
    expect(names.at(-1)).toBe('.bss');
    expect(collection.maps.get('events')?.maxEntries).toBe(2);
    expect(collection.maps.get('ring')?.maxEntries).toBe(131072);
    expect(collection.maps.get('by_key')).toMatchObject({ keySize: 20, valueSize: 120, maxEntries: 1024 });
  });

  it('find the program that the object put into a program array', () => {
    const { runtime, collection } = load('maps-clang-19-v3.o');
    expect(collection.spec.programSlots).toEqual([{ map: 'jumps', index: 1, program: 'jumped_to' }]);
    expect(run(runtime, collection, 'uses_all')).toBe(1);
  });

  it('that are loaded on request only are loaded on request', () => {
    expect(load('subprograms-clang-19-v3.o').collection.programs.has('on_request')).toBe(false);
    const { collection } = load('subprograms-clang-19-v3.o', { programs: ['on_request'] });
    expect([...collection.programs.keys()]).toEqual(['on_request']);
    expect(collection.programs.get('on_request')?.attach).toEqual({ kind: 'kprobe', symbol: 'vfs_open', offset: 0 });
    expect(() => load('subprograms-clang-19-v3.o', { programs: ['nothing'] })).toThrow(
      /ENOENT.*the object has first, second/,
    );
  });

  it('give everything back when closed, twice at will', () => {
    const { runtime, collection } = load('maps-clang-19-v3.o');
    expect([...runtime.maps]).toHaveLength(10);
    collection.close();
    collection.close();
    expect([...runtime.maps]).toEqual([]);
    expect([...runtime.programs]).toEqual([]);
  });

  it('give everything back when loading fails half-way', () => {
    const runtime = new BpfRuntime(new TestHost());
    expect(() => Collection.load(parseObject('field_offset-clang-19-v3.o'), runtime, { btf: null })).toThrow(BpfError);
    expect([...runtime.maps]).toEqual([]);
    expect([...runtime.programs]).toEqual([]);
  });
});

describe('kernel configuration', () => {
  it('is answered where libbpf answers it, and 0 where it is weak', () => {
    const { runtime, collection } = load('externs-clang-19-v3.o', { programs: ['configuration'] });
    run(runtime, collection, 'configuration');
    expect(collection.variables.get('sink')?.get()).toBe(0x061200n);
  });

  it('has the version of the kernel that the host tells', () => {
    const runtime = new BpfRuntime(Object.assign(new TestHost(), { kernelVersion: 0x601b0 }));
    const collection = Collection.load(parseObject('externs-clang-19-v3.o'), runtime, {
      btf: linux,
      programs: ['configuration'],
    });
    run(runtime, collection, 'configuration');
    expect(collection.variables.get('sink')?.get()).toBe(0x0601b0n);
  });

  it('can be given', () => {
    const { runtime, collection } = load('externs-clang-19-v3.o', {
      programs: ['configuration'],
      kconfig: { LINUX_KERNEL_VERSION: 1, LINUX_HAS_BPF_COOKIE: true, LINUX_HAS_SOMETHING_ELSE: 1n << 40n },
    });
    run(runtime, collection, 'configuration');
    expect(collection.variables.get('sink')?.get()).toBe((1n << 40n) + 1n);
  });
});
