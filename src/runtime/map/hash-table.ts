import { BpfMapFlag, BpfUpdateFlag, Errno } from '../../base/index.js';
import type { AccessRegion } from '../access-region.js';
import { bpfOffset, type BpfOffset } from '../memory/bpf-memory.js';
import type { MapSpec } from './bpf-map.js';
import { hashKey } from './hash-functions.js';
import { MapBase, type MapContext } from './map-base.js';
import { HashElem, HashKind, MapHeader, roundUp8, roundUpPowerOfTwo } from './map-layout.js';

export interface HashShape {
  readonly maxEntries: number;
  /** Elements beyond `maxEntries`. */
  readonly extraElements: number;
  /** Bytes of an element before its key. */
  readonly elemHeader: number;
  readonly percpu: boolean;
  /** Programs reach neither keys nor values. */
  readonly hidden: boolean;
}

/**
 * Buckets of singly linked elements in BpfMemory, the part that all hash maps share
 * (kernel/bpf/hashtab.c): an element is linked at the head of its bucket, and unlinking leaves its `next`
 * alone, so that a walk that stands on a removed element goes on where it would have gone.
 *
 * Elements are all preallocated, BPF_F_NO_PREALLOC or not: a program must not make the memory grow.
 */
export abstract class HashTable extends MapBase {
  readonly regions: readonly AccessRegion[];
  protected readonly elements: BpfOffset;
  protected readonly stride: number;
  protected readonly elemKey: number;
  protected readonly elemValue: number;
  /** Bytes from one CPU's value to the next; 0 where there is one value for all. */
  protected readonly cpuStride: number;
  readonly #buckets: BpfOffset;
  readonly #mask: number;
  readonly #kind: number;
  readonly #seed: number;

  constructor(context: MapContext, spec: MapSpec, shape: HashShape) {
    super(context, spec, shape.maxEntries);
    const slot = roundUp8(spec.valueSize);
    this.cpuStride = shape.percpu ? slot : 0;
    this.elemKey = shape.elemHeader;
    this.elemValue = this.elemKey + roundUp8(spec.keySize);
    this.stride = this.elemValue + (shape.percpu ? slot * context.cpus : slot);
    const total = this.stride * (shape.maxEntries + shape.extraElements);
    const buckets = roundUpPowerOfTwo(shape.maxEntries);
    this.#mask = buckets - 1;
    this.#buckets = this.allocate(4 * buckets, 64);
    this.elements = this.allocate(total, 64);
    this.#kind = hashKind(spec);
    this.#seed = (spec.flags & BpfMapFlag.BPF_F_ZERO_SEED) !== 0 ? 0 : Math.imul(context.id, 0x9e3779b1) >>> 0;
    this.regions = shape.hidden ? [] : this.#valueRegions(total, shape.percpu ? context.cpus : 1);
    this.setGeometry({
      stride: this.stride,
      cpuStride: this.cpuStride,
      elemKey: this.elemKey,
      elemValue: this.elemValue,
    });
    this.setHeader(MapHeader.elements, this.elements);
    this.setHeader(MapHeader.buckets, this.#buckets);
    this.setHeader(MapHeader.mask, this.#mask);
    this.setHeader(MapHeader.hashKind, this.#kind);
    this.setHeader(MapHeader.seed, this.#seed);
  }

  override get sysValueSize(): number {
    return this.cpuStride === 0 ? this.valueSize : this.cpuStride * this.cpus;
  }

  /** Elements that are in the map. */
  get size(): number {
    return this.header(MapHeader.count);
  }

  override forEachElem(each: (key: BpfOffset, value: BpfOffset) => number, cpu: number): number {
    let visited = 0;
    for (let bucket = 0; bucket <= this.#mask; bucket++) {
      let elem = this.#word(this.#buckets + 4 * bucket);
      while (elem !== 0) {
        const next = this.#word(elem + HashElem.next);
        visited++;
        const value = elem + this.elemValue + cpu * this.cpuStride;
        if (each(bpfOffset(elem + this.elemKey), bpfOffset(value)) !== 0) return visited;
        elem = next;
      }
    }
    return visited;
  }

  protected hash(key: BpfOffset): number {
    return hashKey(this.#kind, this.memory.u8, key, this.keySize, this.#seed);
  }

  /** The element of `key`, or 0. */
  protected find(key: BpfOffset, hash: number): number {
    let elem = this.#word(this.#bucket(hash));
    while (elem !== 0 && !(this.#word(elem + HashElem.hash) === hash && this.#sameKey(elem, key))) {
      elem = this.#word(elem + HashElem.next);
    }
    return elem;
  }

  /** Puts `elem`, its key and value filled in, at the head of its bucket. */
  protected link(elem: number, hash: number): void {
    const bucket = this.#bucket(hash);
    this.#setWord(elem + HashElem.hash, hash);
    this.#setWord(elem + HashElem.next, this.#word(bucket));
    this.#setWord(bucket, elem);
    this.setHeader(MapHeader.count, this.size + 1);
  }

  /** Takes `elem` out of its bucket; false if it is not in there. */
  protected unlink(elem: number): boolean {
    let at = this.#bucket(this.#word(elem + HashElem.hash));
    for (let here = this.#word(at); here !== 0; here = this.#word(at)) {
      if (here === elem) {
        this.#setWord(at, this.#word(elem + HashElem.next));
        this.setHeader(MapHeader.count, this.size - 1);
        return true;
      }
      at = here + HashElem.next;
    }
    return false;
  }

  protected setKey(elem: number, key: BpfOffset): void {
    this.memory.u8.copyWithin(elem + this.elemKey, key, key + this.keySize);
  }

  /** -errno where NOEXIST or EXIST say so, else 0. */
  protected checkExistence(old: number, flags: number): number {
    if (old !== 0 && flags === BpfUpdateFlag.BPF_NOEXIST) return -Errno.EEXIST;
    if (old === 0 && flags === BpfUpdateFlag.BPF_EXIST) return -Errno.ENOENT;
    return 0;
  }

  /** The first key in bucket order if `key` is null or not in the map. */
  protected nextKey(key: BpfOffset | null): Uint8Array | number {
    let bucket = 0;
    if (key !== null) {
      const hash = this.hash(key);
      const elem = this.find(key, hash);
      if (elem !== 0) {
        const next = this.#word(elem + HashElem.next);
        if (next !== 0) return this.#keyOf(next);
        bucket = ((hash & this.#mask) >>> 0) + 1;
      }
    }
    for (; bucket <= this.#mask; bucket++) {
      const elem = this.#word(this.#buckets + 4 * bucket);
      if (elem !== 0) return this.#keyOf(elem);
    }
    return -Errno.ENOENT;
  }

  protected copyValue(key: BpfOffset): Uint8Array | number {
    const elem = this.find(key, this.hash(key));
    return elem === 0 ? -Errno.ENOENT : this.bytesOf(elem);
  }

  /** The system-call view of an element's value. */
  protected bytesOf(elem: number): Uint8Array {
    const value = elem + this.elemValue;
    return this.memory.u8.slice(value, value + this.sysValueSize);
  }

  #keyOf(elem: number): Uint8Array {
    return this.memory.u8.slice(elem + this.elemKey, elem + this.elemKey + this.keySize);
  }

  #sameKey(elem: number, key: number): boolean {
    const { u8 } = this.memory;
    const own = elem + this.elemKey;
    for (let i = 0; i < this.keySize; i++) {
      if (u8[own + i] !== u8[key + i]) return false;
    }
    return true;
  }

  #bucket(hash: number): number {
    return this.#buckets + 4 * ((hash & this.#mask) >>> 0);
  }

  #word(offset: number): number {
    return this.memory.u32[offset >>> 2];
  }

  #setWord(offset: number, value: number): void {
    this.memory.u32[offset >>> 2] = value;
  }

  #valueRegions(total: number, values: number): AccessRegion[] {
    const { elements, stride } = this;
    const end = elements + total;
    const regions: AccessRegion[] = [];
    for (let i = 0; i < values; i++) {
      const start = elements + this.elemValue + i * this.cpuStride;
      regions.push({ start, end, stride, size: this.valueSize, writable: this.progWritable });
    }
    regions.push({ start: elements + this.elemKey, end, stride, size: this.keySize, writable: false });
    return regions;
  }
}

/** Linux promises an order only with BPF_F_ZERO_SEED: the cheap hashes serve where it does not. */
function hashKind(spec: MapSpec): number {
  if ((spec.flags & BpfMapFlag.BPF_F_ZERO_SEED) !== 0) return HashKind.jhash;
  if (spec.keySize === 4) return HashKind.mix32;
  return spec.keySize === 8 ? HashKind.mix64 : HashKind.jhash;
}
