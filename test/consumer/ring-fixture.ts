import { BpfMapType } from '../../src/base/index.js';
import { BpfMemory, createMap, type MapSpec, RingBufferMap } from '../../src/runtime/index.js';
import { instance } from '../support/instance.js';

/** A ring buffer map on its own, and a producer for it. */
export interface RingFixture {
  readonly memory: BpfMemory;
  readonly map: RingBufferMap;
  /** Reserves, fills and submits; false where the ring is full. */
  produce(data: Uint8Array, flags?: number): boolean;
  /** Reserves and leaves the record open; its offset, or 0. */
  reserve(size: number): number;
}

let ids = 0;

export function ringFixture(size = 4096, memory = new BpfMemory(), name = 'events'): RingFixture {
  const spec: MapSpec = {
    name,
    type: BpfMapType.BPF_MAP_TYPE_RINGBUF,
    keySize: 0,
    valueSize: 0,
    maxEntries: size,
    flags: 0,
    keyTypeId: 0,
    valueTypeId: 0,
  };
  const map = instance(createMap({ memory, cpus: 1, id: ++ids }, spec), RingBufferMap);
  return {
    memory,
    map,
    reserve: (length) => map.area.reserve(length),
    produce(data, flags = 0) {
      const offset = map.area.reserve(data.length);
      if (offset === 0) return false;
      memory.u8.set(data, offset);
      map.area.submit(offset, flags);
      return true;
    },
  };
}

/** Lets microtasks run: what a program woke gets its turn. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
