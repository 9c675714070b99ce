import { BpfMapFlag, BpfMapType, BpfUpdateFlag, Errno, roundUp } from '../../base/index.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import type { MapSpec } from './bpf-map.js';
import { HashTable } from './hash-table.js';
import { LruList } from './lru-list.js';
import type { MapContext } from './map-base.js';
import { HashElem, MapHeader } from './map-layout.js';

/**
 * BPF_MAP_TYPE_LRU_HASH and BPF_MAP_TYPE_LRU_PERCPU_HASH. An update takes a fresh element first, so that it may evict even where
 * the key is there already or NOEXIST refuses it: Linux does the same, and spares per-CPU ones that with BPF_EXIST, as their values
 * are overwritten in place. A lookup by a program marks the element as used, one through the system-call view does not.
 */
export class LruHashMap extends HashTable {
  readonly #lru: LruList;

  constructor(context: MapContext, spec: MapSpec) {
    const perCpuLists = (spec.flags & BpfMapFlag.BPF_F_NO_COMMON_LRU) !== 0;
    const maxEntries = perCpuLists ? wholeShares(spec.maxEntries, context.cpus) : spec.maxEntries;
    const percpu = spec.type === BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH;
    super(context, spec, { maxEntries, extraElements: 0, elemHeader: HashElem.lruSize, percpu, hidden: false });
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

  lookupElem(key: BpfOffset, cpu: number): number {
    const elem = this.find(key, this.hash(key));
    if (elem === 0) return 0;
    this.#lru.reference(elem);
    return elem + this.elemValue + cpu * this.cpuStride;
  }

  updateElem(key: BpfOffset, value: BpfOffset, flags: number, cpu: number): number {
    const elem = this.cpuStride === 0 ? this.#take(key, flags, cpu) : this.#place(key, flags, cpu);
    if (elem < 0) return elem;
    this.memory.u8.copyWithin(elem + this.elemValue + cpu * this.cpuStride, value, value + this.valueSize);
    return this.cpuStride === 0 ? this.#replace(elem, key, flags) : 0;
  }

  deleteElem(key: BpfOffset): number {
    const elem = this.find(key, this.hash(key));
    if (elem === 0) return -Errno.ENOENT;
    this.unlink(elem);
    this.#lru.give(elem);
    return 0;
  }

  protected storeValue(key: BpfOffset, value: Uint8Array, flags: number): number {
    const cpu = this.currentCpu;
    const elem = this.cpuStride === 0 ? this.#take(key, flags, cpu) : this.#place(key, flags, cpu);
    if (elem < 0) return elem;
    this.memory.u8.set(value, elem + this.elemValue);
    return this.cpuStride === 0 ? this.#replace(elem, key, flags) : 0;
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

  /** Of per-CPU values: the key's element, a new one of zeros where there was none, or -errno. */
  #place(key: BpfOffset, flags: number, cpu: number): number {
    const fresh = flags === BpfUpdateFlag.BPF_EXIST ? 0 : this.#take(key, flags, cpu);
    if (fresh < 0) return fresh;
    const hash = this.hash(key);
    const old = this.find(key, hash);
    const error = this.checkExistence(old, flags);
    if (error === 0 && old === 0) {
      this.memory.u8.fill(0, fresh + this.elemValue, fresh + this.stride);
      this.link(fresh, hash);
      return fresh;
    }
    if (error === 0) this.#lru.reference(old);
    if (fresh !== 0) this.#lru.give(fresh);
    return error === 0 ? old : error;
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
