import { Errno } from '../../base/index.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import type { BpfMap, MapSpec } from './bpf-map.js';
import { ObjectArrayMap } from './fd-array-map.js';
import type { MapContext } from './map-base.js';
import { InnerMaps, innerMapOf, isLikeInner, type MapOfMaps } from './map-of-maps.js';

/** BPF_MAP_TYPE_ARRAY_OF_MAPS (kernel/bpf/arraymap.c). An element in BpfMemory is the address of a map, or 0. */
export class ArrayOfMaps extends ObjectArrayMap<BpfMap> implements MapOfMaps {
  readonly inner: MapSpec;
  readonly innerMaps = new InnerMaps();

  constructor(context: MapContext, spec: MapSpec) {
    super(context, spec);
    this.inner = innerMapOf(spec);
  }

  /** The address of the inner map. */
  override lookupElem(key: BpfOffset, _cpu: number): number {
    return this.get(this.indexAt(key))?.address ?? 0;
  }

  setMap(key: Uint8Array, map: BpfMap, flags = 0): number {
    return this.withKey(key, (at) => {
      if (flags !== 0) return -Errno.EINVAL;
      const index = this.indexAt(at);
      if (index >= this.maxEntries) return -Errno.E2BIG;
      return isLikeInner(this.inner, map) ? this.put(index, map) : -Errno.EINVAL;
    });
  }

  getMap(key: Uint8Array): BpfMap | undefined {
    return this.get(this.indexAt(this.passKey(key)));
  }

  /** Map ids, as bpf(2) shows them. */
  protected override copyValue(key: BpfOffset): Uint8Array | number {
    const map = this.get(this.indexAt(key));
    return map === undefined ? -Errno.ENOENT : idBytes(map);
  }

  protected idOf(map: BpfMap): number {
    return map.address;
  }

  protected override onAdded(map: BpfMap): void {
    this.innerMaps.add(map);
  }

  protected override onRemoved(map: BpfMap): void {
    this.innerMaps.remove(map);
  }
}

/** A map's id as a value. */
export function idBytes({ id }: BpfMap): Uint8Array {
  return Uint8Array.of(id & 0xff, (id >>> 8) & 0xff, (id >>> 16) & 0xff, id >>> 24);
}
