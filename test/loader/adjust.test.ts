import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { Collection, type CollectionSpec, type LoadOptions, type MapChanges, pinPath } from '../../src/loader/index.js';
import { Machine } from '../../src/machine/index.js';
import { BpfRuntime, MapAccess } from '../../src/runtime/index.js';
import { TestHost } from '../support/test-host.js';
import { parseObject } from './objects.js';

const parse = (): CollectionSpec => parseObject('adjusted-clang-19-v3.o');

function run(runtime: BpfRuntime, collection: Collection): bigint {
  const program = collection.programs.get('adds')?.program;
  if (program === undefined) throw new Error('no program');
  runtime.testRun(program, { ctxIn: new Uint8Array(64) });
  return collection.variables.get('sink')?.get() as bigint;
}

/** What the program adds up besides its arrays. */
const BASE = 5n + 7n + BigInt('s'.charCodeAt(0)) + 1n;

describe('resizing before load', () => {
  it('gives maps other parameters', () => {
    const spec = parse();
    spec.changeMap('table', { maxEntries: 100 });
    expect(spec.map('table')).toMatchObject({ maxEntries: 100, keySize: 4, valueSize: 8 });
    const collection = Collection.load(spec, new BpfRuntime(new TestHost()));
    expect(collection.maps.get('table')?.maxEntries).toBe(100);
  });

  it('rounds rings up, and forgets types that do not fit', () => {
    const spec = parseObject('maps-clang-19-v3.o');
    spec.changeMap('ring', { maxEntries: 5000 });
    expect(spec.map('ring')?.maxEntries).toBe(8192);
    spec.changeMap('by_key', { keySize: 24 });
    expect(spec.map('by_key')).toMatchObject({ keySize: 24, keyTypeId: 0, valueSize: 120 });
    expect(spec.map('by_key')?.valueTypeId).not.toBe(0);
  });

  it('makes the last array of a data section longer, its values kept', () => {
    const spec = parse();
    spec.changeMap('.data.numbers', { valueSize: 4 + 4 * 3 });
    spec.changeMap('.bss.pairs', { valueSize: 8 * 3 });
    expect(spec.variables.get('numbers')?.get()).toEqual([10, 0, 0]);
    spec.variables.get('numbers')?.set([10, 20, 30]);
    spec.variables.get('pairs')?.set([{ b: 100 }, { b: 200 }, { b: 300 }]);
    spec.variables.get('count')?.set(3);
    const runtime = new BpfRuntime(new TestHost());
    const collection = Collection.load(spec, runtime);
    expect(run(runtime, collection)).toBe(BASE + 60n + 600n);
    expect(collection.variables.get('numbers')?.get()).toEqual([10, 20, 30]);
    expect(collection.maps.get('.data.numbers')?.valueSize).toBe(16);
  });

  it('and shorter', () => {
    const spec = parse();
    spec.changeMap('.bss.pairs', { valueSize: 8 });
    expect(spec.variables.get('pairs')?.get()).toEqual([{ a: 0, b: 0 }]);
  });

  it('again, as often as one likes', () => {
    const spec = parse();
    spec.changeMap('.data.numbers', { valueSize: 4 + 4 * 3 });
    spec.variables.get('numbers')?.set([10, 20, 30]);
    spec.changeMap('.data.numbers', { valueSize: 4 + 4 * 2 });
    spec.changeMap('.data.numbers', { valueSize: 4 + 4 * 4 });
    expect(spec.variables.get('numbers')?.get()).toEqual([10, 20, 0, 0]);
  });

  it.each([-1, 1.5, 2 ** 32, NaN])('to %d entries is a mistake of the caller', (maxEntries) => {
    expect(() => parse().changeMap('table', { maxEntries })).toThrow(
      new RangeError(`map "table": maxEntries is a 32-bit unsigned integer, not ${maxEntries}`),
    );
  });

  it.each<[map: string, changes: MapChanges, message: RegExp]>([
    ['.data.numbers', { valueSize: 5 }, /numbers begins at 4 and has elements of 4 bytes/],
    ['.data.numbers', { valueSize: 4 }, /numbers begins at 4/],
    ['.data.scalar', { valueSize: 16 }, /its last variable is no array/],
    ['.data.numbers', { maxEntries: 2 }, /a data section has a size/],
    ['nothing', { maxEntries: 2 }, /no such map.*ENOENT/],
  ])('of %s to %j is refused', (map, changes, message) => {
    const spec = parse();
    expect(() => spec.changeMap(map, changes)).toThrow(message);
    expect(() => spec.changeMap(map, changes)).toThrow(BpfError);
  });
});

describe('maps that are pinned by name', () => {
  const pinned = (changes: MapChanges = {}): CollectionSpec => {
    const spec = parse();
    spec.changeMap('table', { pinning: 'by_name', ...changes });
    return spec;
  };
  const load = (machine: Machine, spec = pinned(), options: LoadOptions = {}): Collection =>
    Collection.load(spec, machine.runtime, options);

  it('outlive the object, and the next one finds what is in them', () => {
    const machine = new Machine(new TestHost());
    const first = load(machine);
    run(machine.runtime, first);
    const before = [...new MapAccess(first.maps.get('table') as never).keys()];
    first.close();
    expect(machine.bpffs.list()).toEqual(['table']);
    const second = load(machine);
    expect(second.maps.get('table')).toBe(machine.bpffs.get('/sys/fs/bpf/table'));
    expect([...new MapAccess(second.maps.get('table') as never).keys()]).toEqual(before);
    expect(before).toHaveLength(1);
    second.close();
    machine.bpffs.unlink('/sys/fs/bpf/table');
    expect([...machine.runtime.maps]).toEqual([]);
  });

  it('are refused to an object that wants other parameters, and stay', () => {
    const machine = new Machine(new TestHost());
    load(machine).close();
    expect(() => load(machine, pinned({ maxEntries: 3 }))).toThrow(
      /map table cannot use what is pinned at \/sys\/fs\/bpf\/table.*EINVAL; its maxEntries is 2, not 3/,
    );
    expect(machine.bpffs.list()).toEqual(['table']);
  });

  it('lie in the directory that is asked for', () => {
    const machine = new Machine(new TestHost());
    load(machine, pinned(), { pinRoot: '/sys/fs/bpf/mine/' });
    expect(machine.bpffs.list('/sys/fs/bpf/mine')).toEqual(['table']);
    expect(() => load(machine, pinned(), { pinRoot: '/tmp' })).toThrow(/the bpffs is at \/sys\/fs\/bpf/);
  });

  it('are not left behind by an object that fails to load', () => {
    const machine = new Machine(new TestHost());
    expect(() => load(machine, pinned(), { programs: ['nobody'] })).toThrow(/ENOENT/);
    expect(machine.bpffs.list()).toEqual([]);
    expect([...machine.runtime.maps]).toEqual([]);
  });

  it('go with the machine', () => {
    const machine = new Machine(new TestHost());
    load(machine).close();
    machine.close();
    expect([...machine.runtime.maps]).toEqual([]);
  });

  it('have no dots in their names', () => {
    const map = parse().map('table');
    expect(pinPath({ ...(map as NonNullable<typeof map>), name: 'a.b' }, '/sys/fs/bpf/')).toBe('/sys/fs/bpf/a_b');
  });
});
