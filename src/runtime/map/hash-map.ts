import { BpfMapType, BpfUpdateFlag, Errno } from '../../base/index.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import type { MapSpec } from './bpf-map.js';
import { HashTable } from './hash-table.js';
import type { MapContext } from './map-base.js';
import { HashElem, MapHeader } from './map-layout.js';

/**
 * BPF_MAP_TYPE_HASH and BPF_MAP_TYPE_PERCPU_HASH. Replacing a value of a plain hash links a new element
 * and keeps the old one as the CPU's spare, so that a pointer to the old value goes on showing the old
 * bytes until the next replacement; per-CPU values are overwritten in place. Both as in Linux with
 * preallocated elements.
 */
export class HashMap extends HashTable {
  readonly #spares: BpfOffset;
  readonly #end: number;

  constructor(context: MapContext, spec: MapSpec) {
    const percpu = spec.type === BpfMapType.BPF_MAP_TYPE_PERCPU_HASH;
    const hidden = spec.type === BpfMapType.BPF_MAP_TYPE_HASH_OF_MAPS;
    const extraElements = percpu ? 0 : context.cpus;
    super(context, spec, { maxEntries: spec.maxEntries, extraElements, elemHeader: HashElem.size, percpu, hidden });
    this.#end = this.elements + this.stride * spec.maxEntries;
    this.#spares = this.allocate(4 * context.cpus);
    for (let cpu = 0; cpu < extraElements; cpu++) {
      this.memory.u32[(this.#spares >>> 2) + cpu] = this.#end + cpu * this.stride;
    }
    this.setHeader(MapHeader.spares, this.#spares);
    this.setHeader(MapHeader.fresh, this.elements);
  }

  lookupElem(key: BpfOffset, cpu: number): number {
    const elem = this.find(key, this.hash(key));
    return elem === 0 ? 0 : elem + this.elemValue + cpu * this.cpuStride;
  }

  updateElem(key: BpfOffset, value: BpfOffset, flags: number, cpu: number): number {
    const elem = this.#prepare(key, flags, cpu);
    if (elem < 0) return elem;
    const at = elem + this.elemValue + cpu * this.cpuStride;
    this.memory.u8.copyWithin(at, value, value + this.valueSize);
    return 0;
  }

  deleteElem(key: BpfOffset): number {
    const elem = this.find(key, this.hash(key));
    if (elem === 0) return -Errno.ENOENT;
    this.#remove(elem);
    return 0;
  }

  protected storeValue(key: BpfOffset, value: Uint8Array, flags: number): number {
    const elem = this.#prepare(key, flags, this.currentCpu);
    if (elem < 0) return elem;
    this.memory.u8.set(value, elem + this.elemValue);
    return 0;
  }

  protected override takeValue(key: BpfOffset): Uint8Array | number {
    const elem = this.find(key, this.hash(key));
    if (elem === 0) return -Errno.ENOENT;
    const value = this.bytesOf(elem);
    this.#remove(elem);
    return value;
  }

  /** The linked element whose value is to be written, or -errno. */
  #prepare(key: BpfOffset, flags: number, cpu: number): number {
    const lock = this.cpuStride === 0 ? flags & BpfUpdateFlag.BPF_F_LOCK : 0;
    if (flags - lock > BpfUpdateFlag.BPF_EXIST || lock !== 0) return -Errno.EINVAL;
    const hash = this.hash(key);
    const old = this.find(key, hash);
    const error = this.checkExistence(old, flags);
    if (error !== 0) return error;
    if (old !== 0 && this.cpuStride !== 0) return old;
    const elem = old === 0 ? this.#takeFree() : this.#swapSpare(old, cpu);
    if (elem === 0) return -Errno.E2BIG;
    this.setKey(elem, key);
    if (old === 0 && this.cpuStride !== 0) this.#clearValues(elem);
    this.link(elem, hash);
    if (old !== 0) this.unlink(old);
    return elem;
  }

  #swapSpare(old: number, cpu: number): number {
    const { u32 } = this.memory;
    const word = (this.#spares >>> 2) + cpu;
    const spare = u32[word];
    u32[word] = old;
    return spare;
  }

  #takeFree(): number {
    const free = this.header(MapHeader.freeList);
    if (free !== 0) {
      this.setHeader(MapHeader.freeList, this.memory.u32[(free + HashElem.hash) >>> 2]);
      return free;
    }
    const fresh = this.header(MapHeader.fresh);
    if (fresh === this.#end) return 0;
    this.setHeader(MapHeader.fresh, fresh + this.stride);
    return fresh;
  }

  #remove(elem: number): void {
    this.unlink(elem);
    this.memory.u32[(elem + HashElem.hash) >>> 2] = this.header(MapHeader.freeList);
    this.setHeader(MapHeader.freeList, elem);
  }

  #clearValues(elem: number): void {
    this.memory.u8.fill(0, elem + this.elemValue, elem + this.stride);
  }
}
