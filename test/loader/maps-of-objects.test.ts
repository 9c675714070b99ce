import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { createInterpreter } from '../../src/runtime/interp/interpreter.js';
import { BpfRuntime, isMapOfMaps, MapAccess } from '../../src/runtime/index.js';
import { createJit } from '../../src/runtime/jit/index.js';
import { ElfBuilder } from '../support/elf-builder.js';
import { TestHost } from '../support/test-host.js';
import { objectFolder, parseObject, readBtf } from './objects.js';

const engines = { interp: createInterpreter, jit: () => createJit() };
const u32 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >>> 8, 0, 0);
const u64 = (value: bigint): Uint8Array => new Uint8Array(new BigUint64Array([value]).buffer);

function start(spec: CollectionSpec, engine: keyof typeof engines): { runtime: BpfRuntime; collection: Collection } {
  const runtime = new BpfRuntime(new TestHost(), { engine: engines[engine]() });
  return { runtime, collection: Collection.load(spec, runtime, { btf: readBtf('linux-min') }) };
}

function run({ runtime, collection }: ReturnType<typeof start>, name: string): number {
  const program = collection.programs.get(name)?.program;
  if (program === undefined) throw new Error(`no program ${name}`);
  return runtime.testRun(program, { ctxIn: new Uint8Array(256) }).retval;
}

describe.each(['interp', 'jit'] as const)('maps of maps of an object, on %s', (engine) => {
  it.each(['clang-14-v1', 'clang-16-v3', 'clang-19-v4'])('hold the maps that the source puts there (%s)', (variant) => {
    const live = start(parseObject(`inner_maps-${variant}.o`), engine);
    const { maps, variables } = live.collection;
    expect(run(live, 'counts')).toBe(0);
    expect(run(live, 'counts')).toBe(0);
    expect(new MapAccess(maps.get('second') as never).get(u32(0))).toEqual(u64(2n));
    expect(new MapAccess(maps.get('first') as never).get(u32(0))).toEqual(u64(0n));
    variables.get('slot')?.set(0);
    variables.get('key')?.set(1);
    expect(run(live, 'counts')).toBe(0);
    expect(new MapAccess(maps.get('first') as never).get(u32(1))).toEqual(u64(1n));
    variables.get('slot')?.set(5);
    expect(run(live, 'stores')).toBe(0);
    expect(variables.get('sink')?.get()).toBe(42n);
    expect(new MapAccess(maps.get('by_number') as never).get(u32(1))).toEqual(u64(42n));
  });

  it('give nothing where they have no map, or the map no such element', () => {
    const live = start(parseObject('inner_maps-clang-19-v3.o'), engine);
    live.collection.variables.get('slot')?.set(1);
    expect([run(live, 'counts'), run(live, 'stores')]).toEqual([1, 1]);
    live.collection.variables.get('slot')?.set(2);
    live.collection.variables.get('key')?.set(2);
    expect(run(live, 'counts')).toBe(2);
  });

  it('take other maps between runs, and the program sees those', () => {
    const live = start(parseObject('inner_maps-clang-19-v3.o'), engine);
    const outer = live.collection.maps.get('array_of');
    const inner = live.collection.spec.map('array_of')?.innerMap;
    if (outer === undefined || inner === undefined || !isMapOfMaps(outer)) throw new Error('no map of maps');
    for (let i = 1n; i <= 3n; i++) {
      const fresh = live.runtime.createMap(inner);
      expect(outer.setMap(u32(2), fresh)).toBe(0);
      fresh.release();
      expect(fresh.sysUpdate(u32(0), u64(i * 100n))).toBe(0);
      expect(run(live, 'counts')).toBe(0);
      expect(live.collection.variables.get('sink')?.get()).toBe(i * 100n + 1n);
    }
  });
});

describe('definitions of maps of maps', () => {
  const spec = parseObject('inner_maps-clang-19-v3.o');

  it('tell what maps are in them', () => {
    expect(spec.map('hash_of')).toMatchObject({
      keySize: 4,
      valueSize: 4,
      innerMap: { name: 'hash_of.inner', type: 1, keySize: 4, valueSize: 8, maxEntries: 4 },
    });
    expect(spec.mapSlots).toEqual([
      { map: 'array_of', index: 0, inner: 'first' },
      { map: 'array_of', index: 2, inner: 'second' },
      { map: 'hash_of', index: 5, inner: 'by_number' },
    ]);
  });
});

/** An object with one map definition of these fields. */
function legacyObject(fields: readonly number[]): Uint8Array {
  const builder = new ElfBuilder();
  const maps = builder.section('maps', new Uint8Array(Uint32Array.from(fields).buffer), { flags: 3 });
  builder.symbol('m', { section: maps, size: fields.length * 4, type: 1 });
  return builder.build();
}

describe('maps as before libbpf 1.0', () => {
  const read = (name: string): CollectionSpec => CollectionSpec.parse(readFileSync(`${objectFolder}legacy/${name}`));

  it.each([
    ['maps.o', true],
    ['maps-no-btf.o', false],
  ])('of %s are as they are defined, with types: %s', (file, typed) => {
    const spec = read(file);
    expect(spec.maps.slice(0, 2)).toMatchObject([
      { name: 'counts', type: 1, keySize: 4, valueSize: 8, maxEntries: 16, flags: 1 },
      { name: 'total', type: 2, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0, keyTypeId: 0 },
    ]);
    expect(spec.map('counts')?.keyTypeId === 0).toBe(!typed);
    expect(spec.btf === null).toBe(!typed);
    expect(spec.kernelVersion).toBe(0x40a00);
  });

  it.each(['interp', 'jit'] as const)('serve an object without BTF on %s', (engine) => {
    const live = start(read('maps-no-btf.o'), engine);
    expect(run(live, 'count')).toBe(0);
    expect(live.collection.maps.get('counts')?.sysLookup(u32(0))).toEqual(u64(1n));
    expect(live.collection.maps.get('total')?.sysLookup(u32(0))).toEqual(u64(2n));
  });

  it.each<[what: string, fields: readonly number[], message: RegExp]>([
    ['more fields', [2, 4, 4, 1, 0, 0, 0], /^$/],
    ['fewer fields', [2, 4, 4, 1], /^$/],
    ['options of iproute2', [2, 4, 4, 1, 0, 7], /map m has options that are not known \[section maps, offset 20/],
    ['too few fields', [2, 4, 4], /definitions of maps differ in size/],
  ])('may have %s, or are refused by place and value', (_what, fields, message) => {
    const parse = (): CollectionSpec => CollectionSpec.parse(legacyObject(fields));
    if (message.source === '^$')
      expect(parse().map('m')).toMatchObject({ type: 2, keySize: 4, maxEntries: 1, flags: 0 });
    else expect(parse).toThrow(message);
  });
});
