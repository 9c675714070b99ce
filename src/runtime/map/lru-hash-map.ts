import { BpfMapFlag, BpfUpdateFlag, Errno, roundUp } from '../../base/index.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import type { MapSpec } from './bpf-map.js';
import { HashTable } from './hash-table.js';
import { LruList } from './lru-list.js';
import type { MapContext } from './map-base.js';
import { HashElem, MapHeader } from './map-layout.js';

/**
 * BPF_MAP_TYPE_LRU_HASH. An update always takes a fresh element first, so that it may evict even where
 * the key is there already or NOEXIST refuses it: Linux does the same. A lookup by a program marks the
 * element as used, one through the system-call view does not.
 */
export class LruHashMap extends HashTable {
  readonly #lru: LruList;

  constructor(context: MapContext, spec: MapSpec) {
    const perCpuLists = (spec.flags & BpfMapFlag.BPF_F_NO_COMMON_LRU) !== 0;
    const maxEntries = perCpuLists ? wholeShares(spec.maxEntries, context.cpus) : spec.maxEntries;
    super(context, spec, { maxEntries, extraElements: 0, elemHeader: HashElem.lruSize, percpu: false, hidden: false });
    const state = this.allocate(LruList.stateSize(context.cpus));
    this.setHeader(MapHeader.lru, state);
    this.#lru = new LruList({
      memory: context.memory,
      state,
      cpus: context.cpus,
      perCpuLists,
      elements: this.elements,
      stride: this.stride,
      count: maxEntries,
      unlink: (elem) => this.unlink(elem),
    });
  }

  lookupElem(key: BpfOffset, _cpu: number): number {
    const elem = this.find(key, this.hash(key));
    if (elem === 0) return 0;
    this.#lru.reference(elem);
    return elem + this.elemValue;
  }

  updateElem(key: BpfOffset, value: BpfOffset, flags: number, cpu: number): number {
    const elem = this.#take(key, flags, cpu);
    if (elem < 0) return elem;
    this.memory.u8.copyWithin(elem + this.elemValue, value, value + this.valueSize);
    return this.#replace(elem, key, flags);
  }

  deleteElem(key: BpfOffset): number {
    const elem = this.find(key, this.hash(key));
    if (elem === 0) return -Errno.ENOENT;
    this.unlink(elem);
    this.#lru.give(elem);
    return 0;
  }

  protected storeValue(key: BpfOffset, value: Uint8Array, flags: number): number {
    const elem = this.#take(key, flags, this.currentCpu);
    if (elem < 0) return elem;
    this.memory.u8.set(value, elem + this.elemValue);
    return this.#replace(elem, key, flags);
  }

  protected override takeValue(key: BpfOffset): Uint8Array | number {
    const elem = this.find(key, this.hash(key));
    if (elem === 0) return -Errno.ENOENT;
    const value = this.bytesOf(elem);
    this.unlink(elem);
    this.#lru.give(elem);
    return value;
  }

  #take(key: BpfOffset, flags: number, cpu: number): number {
    if (flags > BpfUpdateFlag.BPF_EXIST) return -Errno.EINVAL;
    const elem = this.#lru.take(cpu);
    if (elem === 0) return -Errno.ENOMEM;
    this.setKey(elem, key);
    return elem;
  }

  /** Links `elem` in the place of the key's present element, if there is one and the flags allow it. */
  #replace(elem: number, key: BpfOffset, flags: number): number {
    const hash = this.hash(key);
    const old = this.find(key, hash);
    const error = this.checkExistence(old, flags);
    if (error !== 0) {
      this.#lru.give(elem);
      return error;
    }
    this.link(elem, hash);
    if (old !== 0) {
      this.#lru.reference(elem);
      this.unlink(old);
      this.#lru.give(old);
    }
    return 0;
  }
}

/** Each CPU gets the same number of elements: Linux rounds max_entries up to a multiple of the CPUs. */
function wholeShares(entries: number, cpus: number): number {
  return roundUp(entries, cpus);
}
