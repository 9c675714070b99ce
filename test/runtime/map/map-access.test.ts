import { beforeEach, describe, expect, it } from 'vitest';
import { BpfMapType, BpfError } from '../../../src/base/index.js';
import type { MapSpec } from '../../../src/runtime/map/bpf-map.js';
import { createMap } from '../../../src/runtime/map/create-map.js';
import { MapAccess } from '../../../src/runtime/map/map-access.js';
import { BpfMemory } from '../../../src/runtime/memory/bpf-memory.js';

function open(spec: Partial<MapSpec> & { readonly type: number }): MapAccess {
  const full = {
    name: 'counts',
    keySize: 1,
    valueSize: 1,
    maxEntries: 8,
    flags: 0,
    keyTypeId: 0,
    valueTypeId: 0,
    ...spec,
  };
  return new MapAccess(createMap({ memory: new BpfMemory(), cpus: 1, id: 1 }, full));
}

const byte = (value: number): Uint8Array => Uint8Array.of(value);

describe('MapAccess', () => {
  let map: MapAccess;

  beforeEach(() => {
    map = open({ type: BpfMapType.BPF_MAP_TYPE_HASH });
  });

  it('reads, writes, deletes and takes', () => {
    expect(map.get(byte(1))).toBeUndefined();
    map.set(byte(1), byte(10));
    expect(map.get(byte(1))).toEqual(byte(10));
    expect(map.take(byte(1))).toEqual(byte(10));
    expect(map.take(byte(1))).toBeUndefined();
    expect(map.delete(byte(1))).toBe(false);
    map.set(byte(1), byte(11), 'noexist');
    expect(map.delete(byte(1))).toBe(true);
  });

  it.each([
    ['EEXIST', () => map.set(byte(0), byte(1), 'noexist')],
    ['ENOENT', () => map.set(byte(99), byte(1), 'exist')],
    ['E2BIG', () => map.set(byte(99), byte(1))],
  ])('throws %s', (code, action) => {
    for (let i = 0; i < 8; i++) map.set(byte(i), byte(i));
    expect(action).toThrow(BpfError);
    expect(action).toThrow(code);
  });

  it('says what was done to which map, and what would help', () => {
    map.map.sysFreeze();
    expect(() => map.set(byte(0), byte(0))).toThrow(
      'writing map "counts" (type 1): EPERM; the map is frozen, or its flags deny this access to user space',
    );
    const ring = open({ type: BpfMapType.BPF_MAP_TYPE_RINGBUF, keySize: 0, valueSize: 0, maxEntries: 4096 });
    expect(() => ring.keys()).toThrow(/walking map "counts" \(type 27\): ENOTSUPP/);
  });

  it('iterates over what is there, even if everything is deleted on the way', () => {
    for (let i = 0; i < 8; i++) map.set(byte(i), byte(i * 2));
    const seen: number[] = [];
    for (const [key, value] of map) {
      seen.push(value[0]);
      map.delete(key);
      map.delete(byte(7 - key[0]));
      map.set(byte(100 + key[0]), byte(0));
    }
    expect(seen).toHaveLength(4);
    expect(map.keys()).toHaveLength(4);
  });
});
