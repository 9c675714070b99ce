import { Errno } from '../../base/index.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import { idBytes } from './array-of-maps.js';
import type { BpfMap, MapSpec } from './bpf-map.js';
import { HashMap } from './hash-map.js';
import type { MapContext } from './map-base.js';
import { InnerMaps, innerMapOf, isLikeInner, type MapOfMaps, NO_DESCRIPTOR } from './map-of-maps.js';

/** BPF_MAP_TYPE_HASH_OF_MAPS (kernel/bpf/hashtab.c). A value in BpfMemory is the address of a map. */
export class HashOfMaps extends HashMap implements MapOfMaps {
  readonly inner: MapSpec;
  readonly innerMaps = new InnerMaps();
  readonly #byAddress = new Map<number, BpfMap>();

  constructor(context: MapContext, spec: MapSpec) {
    super(context, spec);
    this.inner = innerMapOf(spec);
  }

  /** The address of the inner map. */
  override lookupElem(key: BpfOffset, cpu: number): number {
    const value = super.lookupElem(key, cpu);
    return value === 0 ? 0 : this.memory.u32[value >>> 2];
  }

  /** Programs only look maps up. */
  override updateElem(_key: BpfOffset, _value: BpfOffset, _flags: number, _cpu: number): number {
    return -Errno.EINVAL;
  }

  override forEachElem(_each: (key: BpfOffset, value: BpfOffset) => number, _cpu: number): number {
    return -Errno.EINVAL;
  }

  override deleteElem(key: BpfOffset): number {
    const old = this.#mapAt(key);
    const result = super.deleteElem(key);
    if (result === 0 && old !== undefined) this.#letGo(old);
    return result;
  }

  setMap(key: Uint8Array, map: BpfMap, flags = 0): number {
    return this.withKey(key, (at) => {
      if (!isLikeInner(this.inner, map)) return -Errno.EINVAL;
      const old = this.#mapAt(at);
      const address = new Uint8Array(4);
      new DataView(address.buffer).setUint32(0, map.address, true);
      const result = super.storeValue(at, address, flags);
      if (result !== 0) return result;
      this.innerMaps.add(map);
      this.#byAddress.set(map.address, map);
      if (old !== undefined) this.#letGo(old);
      return 0;
    });
  }

  getMap(key: Uint8Array): BpfMap | undefined {
    return this.#mapAt(this.passKey(key));
  }

  protected override storeValue(_key: BpfOffset, _value: Uint8Array, _flags: number): number {
    return NO_DESCRIPTOR;
  }

  protected override takeValue(_key: BpfOffset): Uint8Array | number {
    return -Errno.ENOTSUPP;
  }

  /** Map ids, as bpf(2) shows them. */
  protected override copyValue(key: BpfOffset): Uint8Array | number {
    const map = this.#mapAt(key);
    return map === undefined ? -Errno.ENOENT : idBytes(map);
  }

  protected override dropContents(): void {
    this.#byAddress.clear();
    this.innerMaps.clear();
  }

  #mapAt(key: BpfOffset): BpfMap | undefined {
    return this.#byAddress.get(this.lookupElem(key, 0));
  }

  #letGo(map: BpfMap): void {
    this.innerMaps.remove(map);
    if (!this.innerMaps.has(map)) this.#byAddress.delete(map.address);
  }
}
