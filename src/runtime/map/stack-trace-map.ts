import { BpfStackFlag, Errno } from '../../base/index.js';
import type { AccessRegion } from '../access-region.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import type { MapSpec } from './bpf-map.js';
import { jhash } from './hash-functions.js';
import { MapBase, type MapContext } from './map-base.js';
import { MapHeader, roundUpPowerOfTwo } from './map-layout.js';

/** An element: link of the free list, hash, number of frames, then the addresses. */
const Stack = { link: 0, hash: 4, frames: 8, data: 16 } as const;

/**
 * BPF_MAP_TYPE_STACK_TRACE (kernel/bpf/stackmap.c): stacks in buckets that are numbered by the jhash of
 * their addresses. The bucket number is the stack id.
 */
export class StackTraceMap extends MapBase {
  readonly regions: readonly AccessRegion[] = [];
  readonly #buckets: BpfOffset;
  readonly #count: number;

  constructor(context: MapContext, spec: MapSpec) {
    super(context, spec);
    const stride = Stack.data + spec.valueSize;
    this.#count = roundUpPowerOfTwo(spec.maxEntries);
    this.#buckets = this.allocate(4 * this.#count);
    const elements = this.allocate(stride * spec.maxEntries);
    this.setHeader(MapHeader.buckets, this.#buckets);
    this.setHeader(MapHeader.mask, this.#count - 1);
    this.setHeader(MapHeader.elements, elements);
    this.setGeometry({ stride, cpuStride: 0, elemKey: 0, elemValue: Stack.data });
    for (let i = spec.maxEntries - 1; i >= 0; i--) this.#free(elements + i * stride);
  }

  /** Frames of 64-bit addresses that one stack holds at most. */
  get maxFrames(): number {
    return this.valueSize / 8;
  }

  /**
   * The id of the stack of `count` addresses (word pairs from `first`, in 64-bit units), stored if it was
   * not yet: bpf_get_stackid() after the walk. -EEXIST where another stack has the bucket and
   * BPF_F_REUSE_STACKID is not set, -ENOMEM where no element is free.
   */
  store(words: Int32Array, first: number, count: number, flags: number): number {
    const bytes = new Uint8Array(words.buffer, words.byteOffset + 8 * first, 8 * count);
    const hash = jhash(bytes, 0, bytes.length, 0);
    const id = (hash & (this.#count - 1)) >>> 0;
    const bucket = (this.#buckets >>> 2) + id;
    const old = this.memory.u32[bucket];
    const sameHash = old !== 0 && this.#word(old + Stack.hash) === hash;
    if (sameHash && (flags & BpfStackFlag.BPF_F_FAST_STACK_CMP) !== 0) return id;
    if (sameHash && this.#word(old + Stack.frames) === count && this.#sameFrames(old, bytes)) return id;
    if (old !== 0 && (flags & BpfStackFlag.BPF_F_REUSE_STACKID) === 0) return -Errno.EEXIST;
    const fresh = this.#take();
    if (fresh === 0) return -Errno.ENOMEM;
    this.memory.u8.set(bytes, fresh + Stack.data);
    this.memory.u32[(fresh + Stack.hash) >>> 2] = hash;
    this.memory.u32[(fresh + Stack.frames) >>> 2] = count;
    this.memory.u32[bucket] = fresh;
    if (old !== 0) this.#free(old);
    return id;
  }

  /** Programs cannot look into such a map. */
  lookupElem(_key: BpfOffset, _cpu: number): number {
    return 0;
  }

  updateElem(_key: BpfOffset, _value: BpfOffset, _flags: number, _cpu: number): number {
    return -Errno.EINVAL;
  }

  deleteElem(key: BpfOffset): number {
    const id = this.#id(key);
    if (id >= this.#count) return -Errno.E2BIG;
    const elem = this.#stack(id);
    if (elem === 0) return -Errno.ENOENT;
    this.memory.u32[(this.#buckets >>> 2) + id] = 0;
    this.#free(elem);
    return 0;
  }

  protected copyValue(key: BpfOffset): Uint8Array | number {
    const id = this.#id(key);
    const elem = id < this.#count ? this.#stack(id) : 0;
    if (elem === 0) return -Errno.ENOENT;
    const value = new Uint8Array(this.valueSize);
    const length = 8 * this.#word(elem + Stack.frames);
    value.set(this.memory.u8.subarray(elem + Stack.data, elem + Stack.data + length));
    return value;
  }

  protected override takeValue(key: BpfOffset): Uint8Array | number {
    const value = this.copyValue(key);
    if (typeof value !== 'number') this.deleteElem(key);
    return value;
  }

  protected storeValue(_key: BpfOffset, _value: Uint8Array, _flags: number): number {
    return -Errno.EINVAL;
  }

  /** The next stored id; a key that is no stored id starts over. */
  protected nextKey(key: BpfOffset | null): Uint8Array | number {
    const id = key === null ? this.#count : this.#id(key);
    let next = id < this.#count && this.#stack(id) !== 0 ? id + 1 : 0;
    while (next < this.#count && this.#stack(next) === 0) next++;
    if (next >= this.#count) return -Errno.ENOENT;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, next, true);
    return bytes;
  }

  #sameFrames(elem: number, bytes: Uint8Array): boolean {
    const { u8 } = this.memory;
    return bytes.every((byte, i) => u8[elem + Stack.data + i] === byte);
  }

  #take(): number {
    const elem = this.header(MapHeader.freeList);
    if (elem !== 0) {
      this.setHeader(MapHeader.freeList, this.#word(elem + Stack.link));
      this.setHeader(MapHeader.count, this.header(MapHeader.count) + 1);
    }
    return elem;
  }

  #free(elem: number): void {
    this.memory.u32[(elem + Stack.link) >>> 2] = this.header(MapHeader.freeList);
    this.setHeader(MapHeader.freeList, elem);
    const count = this.header(MapHeader.count);
    this.setHeader(MapHeader.count, Math.max(count - 1, 0));
  }

  #stack(id: number): number {
    return this.memory.u32[(this.#buckets >>> 2) + id];
  }

  #id(key: BpfOffset): number {
    return this.memory.view.getUint32(key, true);
  }

  #word(offset: number): number {
    return this.memory.u32[offset >>> 2];
  }
}
