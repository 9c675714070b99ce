import { BpfMapType, BpfUpdateFlag, Errno } from '../../base/index.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import type { MapSpec } from './bpf-map.js';
import { KeylessMap } from './keyless-map.js';
import type { MapContext } from './map-base.js';
import { MapHeader } from './map-layout.js';

/**
 * BPF_MAP_TYPE_QUEUE and BPF_MAP_TYPE_STACK (kernel/bpf/queue_stack_maps.c): values in the order in which they were pushed, the
 * oldest or the newest of which is next.
 */
export class QueueMap extends KeylessMap {
  protected readonly needsKey = -Errno.EINVAL;
  readonly #values: BpfOffset;
  /** Slot of the oldest value. */
  #oldest = 0;

  constructor(context: MapContext, spec: MapSpec) {
    super(context, spec);
    this.#values = this.allocate(spec.maxEntries * spec.valueSize, 8);
    this.setHeader(MapHeader.elements, this.#values);
    this.setHeader(MapHeader.stride, spec.valueSize);
  }

  override peekElem(value: BpfOffset): number {
    return this.#copyNext(this.memory.u8, value);
  }

  override popElem(value: BpfOffset): number {
    const error = this.#copyNext(this.memory.u8, value);
    if (error === 0) this.#dropNext();
    return error;
  }

  /** BPF_EXIST makes room in a full map by dropping its oldest value. */
  protected push(bytes: Uint8Array, at: number, flags: number): number {
    if (flags !== BpfUpdateFlag.BPF_ANY && flags !== BpfUpdateFlag.BPF_EXIST) return -Errno.EINVAL;
    if (this.#count === this.maxEntries) {
      if (flags !== BpfUpdateFlag.BPF_EXIST) return -Errno.E2BIG;
      this.#dropOldest();
    }
    this.memory.u8.set(bytes.subarray(at, at + this.valueSize), this.#slot(this.#count));
    this.#count++;
    return 0;
  }

  protected copyValue(_key: BpfOffset): Uint8Array | number {
    const value = new Uint8Array(this.valueSize);
    const error = this.#copyNext(value, 0);
    return error === 0 ? value : error;
  }

  protected override takeValue(key: BpfOffset): Uint8Array | number {
    const value = this.copyValue(key);
    if (typeof value !== 'number') this.#dropNext();
    return value;
  }

  get #count(): number {
    return this.header(MapHeader.count);
  }

  set #count(count: number) {
    this.setHeader(MapHeader.count, count);
  }

  get #isQueue(): boolean {
    return this.type === BpfMapType.BPF_MAP_TYPE_QUEUE;
  }

  /** Of an empty map nothing comes: zeroes, as in Linux. */
  #copyNext(to: Uint8Array, at: number): number {
    if (this.#count === 0) {
      to.fill(0, at, at + this.valueSize);
      return -Errno.ENOENT;
    }
    const next = this.#slot(this.#isQueue ? 0 : this.#count - 1);
    to.set(this.memory.u8.subarray(next, next + this.valueSize), at);
    return 0;
  }

  #dropNext(): void {
    if (this.#isQueue) this.#dropOldest();
    else this.#count--;
  }

  #dropOldest(): void {
    this.#oldest = (this.#oldest + 1) % this.maxEntries;
    this.#count--;
  }

  /** Where the value is that was pushed as the `index`th of those that are in the map. */
  #slot(index: number): number {
    return this.#values + ((this.#oldest + index) % this.maxEntries) * this.valueSize;
  }
}
