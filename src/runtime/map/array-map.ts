import { BpfMapFlag, BpfMapType, BpfUpdateFlag, Errno } from '../../base/index.js';
import type { AccessRegion } from '../access-region.js';
import { bpfOffset, type BpfOffset } from '../memory/bpf-memory.js';
import type { MapSpec } from './bpf-map.js';
import { MapBase, type MapContext } from './map-base.js';
import { MapHeader, roundUp8 } from './map-layout.js';

/** Keys handed to callbacks of bpf_for_each_map_elem, one per nesting level. */
const KEY_SLOTS = 8;
const PAGE = 4096;

/**
 * BPF_MAP_TYPE_ARRAY and BPF_MAP_TYPE_PERCPU_ARRAY (kernel/bpf/arraymap.c). Values are contiguous at a
 * stride of round_up(value_size, 8); per-CPU values of one element lie side by side, CPU 0 first.
 */
export class ArrayMap extends MapBase {
  readonly regions: readonly AccessRegion[];
  readonly #values: BpfOffset;
  readonly #stride: number;
  /** Bytes from one CPU's value to the next; 0 where there is one value for all. */
  readonly #cpuStride: number;
  readonly #keys: BpfOffset;
  #nesting = 0;

  constructor(context: MapContext, spec: MapSpec) {
    super(context, spec);
    const slot = roundUp8(spec.valueSize);
    const percpu = spec.type === BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY;
    this.#cpuStride = percpu ? slot : 0;
    this.#stride = percpu ? slot * context.cpus : slot;
    const size = this.#stride * spec.maxEntries;
    this.#keys = this.allocate(KEY_SLOTS * 8);
    const mappable = (spec.flags & BpfMapFlag.BPF_F_MMAPABLE) !== 0;
    this.#values = mappable ? this.allocatePages(size) : this.allocate(size, size >= PAGE ? PAGE : 16);
    this.setHeader(MapHeader.elements, this.#values);
    this.setGeometry({ stride: this.#stride, cpuStride: this.#cpuStride, elemKey: 0, elemValue: 0 });
    this.regions = [
      {
        start: this.#values,
        end: this.#values + size,
        stride: slot,
        size: spec.valueSize,
        writable: this.progWritable,
      },
      { start: this.#keys, end: this.#keys + KEY_SLOTS * 8, stride: 8, size: 4, writable: false },
    ];
  }

  override get sysValueSize(): number {
    return this.#cpuStride === 0 ? this.valueSize : this.#stride;
  }

  lookupElem(key: BpfOffset, cpu: number): number {
    const index = this.#index(key);
    return index < this.maxEntries ? this.#values + index * this.#stride + cpu * this.#cpuStride : 0;
  }

  updateElem(key: BpfOffset, value: BpfOffset, flags: number, cpu: number): number {
    const error = this.#checkUpdate(key, flags);
    if (error !== 0) return error;
    this.memory.u8.copyWithin(this.lookupElem(key, cpu), value, value + this.valueSize);
    return 0;
  }

  deleteElem(_key: BpfOffset): number {
    return -Errno.EINVAL;
  }

  override forEachElem(each: (key: BpfOffset, value: BpfOffset) => number, cpu: number): number {
    const key = bpfOffset(this.#keys + (this.#nesting++ % KEY_SLOTS) * 8);
    let visited = 0;
    try {
      while (visited < this.maxEntries) {
        this.memory.u32[key >>> 2] = visited;
        const value = this.#values + visited * this.#stride + cpu * this.#cpuStride;
        visited++;
        if (each(key, bpfOffset(value)) !== 0) break;
      }
    } finally {
      this.#nesting--;
    }
    return visited;
  }

  /** Only arrays of one element have a direct value. */
  override directValue(offset: number): number {
    if (this.#cpuStride !== 0) return -Errno.EINVAL;
    if (this.maxEntries !== 1) return -Errno.ENOTSUPP;
    return offset >= 0 && offset < this.valueSize ? this.#values + offset : -Errno.EINVAL;
  }

  protected copyValue(key: BpfOffset): Uint8Array | number {
    const value = this.lookupElem(key, 0);
    return value === 0 ? -Errno.ENOENT : this.memory.u8.slice(value, value + this.sysValueSize);
  }

  /** Whole slots are stored for per-CPU values, as the kernel copies them: the padding is kept. */
  protected storeValue(key: BpfOffset, value: Uint8Array, flags: number): number {
    const error = this.#checkUpdate(key, flags);
    if (error !== 0) return error;
    this.memory.u8.set(value, this.lookupElem(key, 0));
    return 0;
  }

  protected nextKey(key: BpfOffset | null): Uint8Array | number {
    return nextIndex(key === null ? 0xffff_ffff : this.#index(key), this.maxEntries);
  }

  #checkUpdate(key: BpfOffset, flags: number): number {
    const lock = flags & BpfUpdateFlag.BPF_F_LOCK;
    if (flags - lock > BpfUpdateFlag.BPF_EXIST) return -Errno.EINVAL;
    if (this.#index(key) >= this.maxEntries) return -Errno.E2BIG;
    if ((flags & BpfUpdateFlag.BPF_NOEXIST) !== 0) return -Errno.EEXIST;
    // No value type with a bpf_spin_lock exists here, so there is nothing BPF_F_LOCK could take.
    return lock !== 0 ? -Errno.EINVAL : 0;
  }

  #index(key: BpfOffset): number {
    return this.memory.view.getUint32(key, true);
  }
}

/** The key after `index` in anything indexed 0 .. count-1, in array_map_get_next_key's way. */
export function nextIndex(index: number, count: number): Uint8Array | number {
  if (index === count - 1) return -Errno.ENOENT;
  const next = index >= count ? 0 : index + 1;
  return Uint8Array.of(next & 0xff, (next >>> 8) & 0xff, (next >>> 16) & 0xff, next >>> 24);
}
