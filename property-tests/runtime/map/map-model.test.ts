import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfMapType, Errno } from '../../../src/base/index.js';
import type { BpfMap } from '../../../src/runtime/map/bpf-map.js';
import { createMap } from '../../../src/runtime/map/create-map.js';
import { MapAccess } from '../../../src/runtime/map/map-access.js';
import { BpfMemory } from '../../../src/runtime/memory/bpf-memory.js';
import { mapSpec } from './map-operations.js';

const CAPACITY = 24;

type Step = { readonly key: number; readonly value: number } | { readonly remove: number };

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ key: fc.nat(40), value: fc.nat(255) }) },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat(40) }) },
  ),
  { maxLength: 200 },
);

/** Keys of four and eight bytes have hashes of their own where the order is not promised. */
const keySizes = [1, 4, 5, 8, 16] as const;

function keyOf(n: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i === 0 ? n : (n * (i + 3)) & 0xff));
}

function makeMap(keySize: number): BpfMap {
  const spec = mapSpec(BpfMapType.BPF_MAP_TYPE_HASH, { keySize, valueSize: 1, maxEntries: CAPACITY });
  return createMap({ memory: new BpfMemory(), cpus: 2, id: 77 }, spec);
}

function apply(map: BpfMap, model: Map<number, number>, step: Step): void {
  if ('remove' in step) {
    expect(map.sysDelete(keyOf(step.remove, map.keySize))).toBe(model.delete(step.remove) ? 0 : -Errno.ENOENT);
    return;
  }
  const full = model.size === CAPACITY && !model.has(step.key);
  expect(map.sysUpdate(keyOf(step.key, map.keySize), Uint8Array.of(step.value))).toBe(full ? -Errno.E2BIG : 0);
  if (!full) model.set(step.key, step.value);
}

describe('a hash map in an order of its own', () => {
  it.each(keySizes)('with keys of %d bytes holds what a Map holds, each key once', (keySize) => {
    const property = fc.property(steps, (list) => {
      const map = makeMap(keySize);
      const model = new Map<number, number>();
      for (const step of list) apply(map, model, step);
      const found = [...new MapAccess(map)].map(([key, value]): [number, number] => [key[0], value[0]]);
      expect(found.length).toBe(model.size);
      expect(new Map(found)).toEqual(model);
    });
    fc.assert(property);
  });

  it.each(keySizes)('with keys of %d bytes is emptied by deleting while walking', (keySize) => {
    const property = fc.property(fc.uniqueArray(fc.nat(255), { maxLength: CAPACITY }), (keys) => {
      const map = makeMap(keySize);
      for (const key of keys) map.sysUpdate(keyOf(key, keySize), Uint8Array.of(0));
      let rounds = 0;
      for (let key = map.sysNextKey(null); typeof key !== 'number'; key = map.sysNextKey(key)) {
        map.sysDelete(key);
        expect(++rounds).toBeLessThanOrEqual(keys.length);
      }
      expect(rounds).toBe(keys.length);
    });
    fc.assert(property);
  });
});
