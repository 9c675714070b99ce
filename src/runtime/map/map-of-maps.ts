import { BpfError, BpfMapFlag, BpfMapType, Errno } from '../../base/index.js';
import type { BpfMap, MapSpec } from './bpf-map.js';
import { checkMapSpec } from './map-attr.js';

const T = BpfMapType;

/** BPF_MAP_TYPE_ARRAY_OF_MAPS and BPF_MAP_TYPE_HASH_OF_MAPS: programs look maps up in them, user space puts maps in. */
export interface MapOfMaps extends BpfMap {
  /** What the maps in it are like. */
  readonly inner: MapSpec;
  /** The maps that are in it, each once. */
  readonly innerMaps: InnerMaps;
  /**
   * BPF_MAP_UPDATE_ELEM with the descriptor of `map`, which is kept until it is replaced or deleted: 0 or -errno, -EINVAL
   * for a map that is not like the others.
   */
  setMap(key: Uint8Array, map: BpfMap, flags?: number): number;
  /** The map at `key`, if any. */
  getMap(key: Uint8Array): BpfMap | undefined;
}

export function isMapOfMaps(map: BpfMap): map is MapOfMaps {
  return map.type === T.BPF_MAP_TYPE_ARRAY_OF_MAPS || map.type === T.BPF_MAP_TYPE_HASH_OF_MAPS;
}

/** Types of which bpf_map_meta_equal() knows nothing. */
const NOT_INNER: readonly number[] = [T.BPF_MAP_TYPE_PROG_ARRAY];

/** The pattern of a new map of maps; what bpf_map_meta_alloc() refuses is a `BpfError`. */
export function innerMapOf(spec: MapSpec): MapSpec {
  const { innerMap: inner } = spec;
  const what = `creating map "${spec.name}" (type ${spec.type})`;
  if (inner === undefined) {
    throw new BpfError('EINVAL', `${what}: it is not told what maps it holds`, {
      value: spec.name,
      remedy: 'give the spec an innerMap',
    });
  }
  if (inner.type === T.BPF_MAP_TYPE_ARRAY_OF_MAPS || inner.type === T.BPF_MAP_TYPE_HASH_OF_MAPS) {
    throw new BpfError('EINVAL', `${what}: maps of maps cannot be in one`, {
      value: inner.type,
      remedy: 'Linux has one level of them',
    });
  }
  if (NOT_INNER.includes(inner.type)) {
    throw new BpfError('ENOTSUPP', `${what}: maps of that type cannot be in one`, {
      value: inner.type,
      remedy: 'Linux has none of program arrays either',
    });
  }
  checkMapSpec(inner);
  return inner;
}

/** Whether `map` may be where `inner` is the pattern: the map types' map_meta_equal(). */
export function isLikeInner(inner: MapSpec, map: BpfMap): boolean {
  const same =
    inner.type === map.type &&
    inner.keySize === map.keySize &&
    inner.valueSize === map.valueSize &&
    inner.flags === map.flags;
  const isSized = inner.type === T.BPF_MAP_TYPE_ARRAY || inner.type === T.BPF_MAP_TYPE_PERCPU_ARRAY;
  if (!same || !isSized || (inner.flags & BpfMapFlag.BPF_F_INNER_MAP) !== 0) return same;
  return inner.maxEntries === map.maxEntries;
}

/** Counts in how many places each inner map is, and holds it as long as that is one at least. */
export class InnerMaps implements Iterable<BpfMap> {
  readonly #places = new Map<BpfMap, number>();

  [Symbol.iterator](): Iterator<BpfMap> {
    return this.#places.keys();
  }

  has(map: BpfMap): boolean {
    return this.#places.has(map);
  }

  add(map: BpfMap): void {
    const places = this.#places.get(map) ?? 0;
    if (places === 0) map.retain();
    this.#places.set(map, places + 1);
  }

  remove(map: BpfMap): void {
    const places = (this.#places.get(map) ?? 0) - 1;
    if (places > 0) {
      this.#places.set(map, places);
      return;
    }
    if (this.#places.delete(map)) map.release();
  }

  clear(): void {
    const maps = [...this.#places.keys()];
    this.#places.clear();
    for (const map of maps) map.release();
  }
}

/** The errno for a descriptor that names no map: there are none here. */
export const NO_DESCRIPTOR = -Errno.EBADF;
