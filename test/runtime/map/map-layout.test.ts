import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BpfMapFlag, BpfMapType } from '../../../src/base/index.js';
import type { BpfMap, MapSpec } from '../../../src/runtime/map/bpf-map.js';
import { createMap } from '../../../src/runtime/map/create-map.js';
import { hashKey } from '../../../src/runtime/map/hash-functions.js';
import { HashElem, HashKind, MapHeader } from '../../../src/runtime/map/map-layout.js';
import { RING_PAGE, RingLayout } from '../../../src/runtime/ring/ring-buffer-layout.js';
import { BpfMemory } from '../../../src/runtime/memory/bpf-memory.js';

const CPUS = 2;

function make(spec: Partial<MapSpec> & { readonly type: number }): {
  memory: BpfMemory;
  map: BpfMap;
  field: (at: number) => number;
} {
  const memory = new BpfMemory();
  const full = { name: 'm', keySize: 4, valueSize: 12, maxEntries: 3, flags: 0, keyTypeId: 0, valueTypeId: 0, ...spec };
  const map = createMap({ memory, cpus: CPUS, id: 9 }, full);
  return { memory, map, field: (at) => memory.u32[(map.address + at) >>> 2] };
}

function key(n: number): Uint8Array {
  return Uint8Array.of(n, 0, 0, 0);
}

describe('docs/map-layout.md', () => {
  const text = readFileSync('docs/map-layout.md', 'utf8');

  /** Names and offsets in the table of a section. */
  function fields(section: string): unknown[] {
    const [, body = ''] = text.split(`## ${section}\n`);
    const [table] = body.split('\n## ');
    return [...(table ?? '').matchAll(/^\| (\d+) \| (\w+) \|/gm)].map(([, at, name]) => [name, Number(at)]);
  }

  it('names every field of the header at its offset', () => {
    expect(fields('The header')).toEqual(Object.entries(MapHeader).filter(([name]) => name !== 'size'));
    expect(text).toContain(`The header ends at ${MapHeader.size}.`);
    expect(text).toContain(`${HashKind.jhash} jhash, ${HashKind.mix32} mix32, ${HashKind.mix64} mix64`);
  });

  it("names every field of a ring buffer's private page at its offset", () => {
    expect(fields('Ring buffers')).toEqual(Object.entries(RingLayout).filter(([, at]) => at < RING_PAGE));
  });
});

describe('the header', () => {
  it('tells what the map is', () => {
    const { field } = make({ type: BpfMapType.BPF_MAP_TYPE_ARRAY, flags: BpfMapFlag.BPF_F_MMAPABLE });
    const { type, id, keySize, valueSize, maxEntries, flags } = MapHeader;
    expect([type, id, keySize, valueSize, maxEntries, flags].map(field)).toEqual([2, 9, 4, 12, 3, 0x400]);
  });
});

describe('array values', () => {
  it.each([
    ['array', BpfMapType.BPF_MAP_TYPE_ARRAY, 16, 0],
    ['percpu_array', BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY, 32, 16],
  ])('of %s are where the header says', (_name, type, stride, cpuStride) => {
    const { memory, map, field } = make({ type });
    expect([field(MapHeader.stride), field(MapHeader.cpuStride)]).toEqual([stride, cpuStride]);
    const scratch = memory.alloc(16);
    memory.u8.set(key(2), scratch);
    expect(map.lookupElem(scratch, 1)).toBe(field(MapHeader.elements) + 2 * stride + cpuStride);
  });
});

describe('hash elements', () => {
  it.each([
    ['hash', BpfMapType.BPF_MAP_TYPE_HASH, 8, 16],
    ['percpu_hash', BpfMapType.BPF_MAP_TYPE_PERCPU_HASH, 8, 16],
    ['lru_hash', BpfMapType.BPF_MAP_TYPE_LRU_HASH, 24, 32],
  ])('of %s are found by the header alone', (_name, type, elemKey, elemValue) => {
    const { memory, map, field } = make({ type });
    map.sysUpdate(key(5), new Uint8Array(type === BpfMapType.BPF_MAP_TYPE_PERCPU_HASH ? 32 : 12).fill(7));
    expect([field(MapHeader.elemKey), field(MapHeader.elemValue)]).toEqual([elemKey, elemValue]);
    const scratch = memory.alloc(16);
    memory.u8.set(key(5), scratch);
    const hash = hashKey(field(MapHeader.hashKind), memory.u8, scratch, 4, field(MapHeader.seed));
    const elem = memory.u32[(field(MapHeader.buckets) >>> 2) + (hash & field(MapHeader.mask))];
    expect(memory.u32[(elem + HashElem.hash) >>> 2]).toBe(hash);
    expect([...memory.u8.subarray(elem + elemKey, elem + elemKey + 4)]).toEqual([5, 0, 0, 0]);
    expect(map.lookupElem(scratch, 0)).toBe(elem + elemValue);
    expect(field(MapHeader.count)).toBe(1);
  });

  it.each([
    [4, 0, HashKind.mix32],
    [8, 0, HashKind.mix64],
    [5, 0, HashKind.jhash],
    [4, BpfMapFlag.BPF_F_ZERO_SEED, HashKind.jhash],
  ])('keys of %d bytes with flags %d are hashed by kind %d', (keySize, flags, kind) => {
    const { field } = make({ type: BpfMapType.BPF_MAP_TYPE_HASH, keySize, flags });
    expect(field(MapHeader.hashKind)).toBe(kind);
    expect(field(MapHeader.seed) === 0).toBe(flags !== 0);
  });
});

describe('regions', () => {
  it('let a program reach values and keys, and nothing between them', () => {
    const { map } = make({ type: BpfMapType.BPF_MAP_TYPE_PERCPU_HASH });
    expect(map.regions.map(({ size, stride, writable }) => ({ size, stride, writable }))).toEqual([
      { size: 12, stride: 48, writable: true },
      { size: 12, stride: 48, writable: true },
      { size: 4, stride: 48, writable: false },
    ]);
  });

  it('are read-only where the program may not write', () => {
    const { map } = make({ type: BpfMapType.BPF_MAP_TYPE_ARRAY, flags: BpfMapFlag.BPF_F_RDONLY_PROG });
    expect(map.regions[0].writable).toBe(false);
  });
});
