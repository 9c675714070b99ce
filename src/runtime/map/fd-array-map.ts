import { Errno } from '../../base/index.js';
import type { AccessRegion } from '../access-region.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import type { BpfProgram } from '../program.js';
import type { PerfEventSink } from '../ring/perf-sink.js';
import type { MapSpec } from './bpf-map.js';
import { nextIndex } from './array-map.js';
import { MapBase, type MapContext } from './map-base.js';
import { MapHeader } from './map-layout.js';

/**
 * Arrays whose elements are objects: bpf(2) passes them as file descriptors. There are none here, so the
 * byte-wise `sysUpdate` answers -EBADF after the kernel's other checks and `put` takes the object itself.
 * In BpfMemory each element is a u32, the id of the object or 0.
 */
export abstract class ObjectArrayMap<T> extends MapBase {
  readonly regions: readonly AccessRegion[] = [];
  readonly #elements: BpfOffset;
  readonly #objects: (T | undefined)[] = [];

  constructor(context: MapContext, spec: MapSpec) {
    super(context, spec);
    this.#elements = this.allocate(4 * spec.maxEntries);
    this.setHeader(MapHeader.elements, this.#elements);
    this.setGeometry({ stride: 4, cpuStride: 0, elemKey: 0, elemValue: 0 });
  }

  /** Programs cannot look into such a map. */
  lookupElem(_key: BpfOffset, _cpu: number): number {
    return 0;
  }

  updateElem(_key: BpfOffset, _value: BpfOffset, _flags: number, _cpu: number): number {
    return -Errno.EINVAL;
  }

  deleteElem(key: BpfOffset): number {
    const index = this.indexAt(key);
    if (index >= this.maxEntries) return -Errno.E2BIG;
    return this.#set(index, undefined) ? 0 : -Errno.ENOENT;
  }

  /** The object at `index`. */
  get(index: number): T | undefined {
    return this.#objects[index];
  }

  protected put(index: number, object: T): number {
    if (index >= this.maxEntries) return -Errno.E2BIG;
    this.#set(index, object);
    return 0;
  }

  protected storeValue(key: BpfOffset, _value: Uint8Array, flags: number): number {
    if (flags !== 0) return -Errno.EINVAL;
    return this.indexAt(key) >= this.maxEntries ? -Errno.E2BIG : -Errno.EBADF;
  }

  protected copyValue(_key: BpfOffset): Uint8Array | number {
    return -Errno.ENOTSUPP;
  }

  protected nextKey(key: BpfOffset | null): Uint8Array | number {
    return nextIndex(key === null ? 0xffff_ffff : this.indexAt(key), this.maxEntries);
  }

  protected override dropContents(): void {
    for (const index of this.#objects.keys()) this.#set(index, undefined);
  }

  protected elementBytes(key: BpfOffset): Uint8Array | number {
    const index = this.indexAt(key);
    if (this.#objects[index] === undefined) return -Errno.ENOENT;
    const at = this.#elements + 4 * index;
    return this.memory.u8.slice(at, at + 4);
  }

  protected abstract idOf(object: T): number;
  protected onAdded(_object: T): void {}
  protected onRemoved(_object: T): void {}

  /** Whether something was there before. */
  #set(index: number, object: T | undefined): boolean {
    const old = this.#objects[index];
    if (object !== undefined) this.onAdded(object);
    this.#objects[index] = object;
    this.memory.u32[(this.#elements >>> 2) + index] = object === undefined ? 0 : this.idOf(object);
    if (old !== undefined) this.onRemoved(old);
    return old !== undefined;
  }

  protected indexAt(key: BpfOffset): number {
    return this.memory.view.getUint32(key, true);
  }
}

/** BPF_MAP_TYPE_PERF_EVENT_ARRAY: what bpf_perf_event_output() and bpf_perf_event_read_value() index. */
export class PerfEventArrayMap extends ObjectArrayMap<PerfEventSink> {
  /** 0, or -E2BIG for an index past the end. The sink stays until it is replaced or deleted. */
  setSink(index: number, sink: PerfEventSink): number {
    return this.put(index, sink);
  }

  protected idOf(): number {
    return 1;
  }
}

/** A cgroup of the host, as programs ask of it. */
export interface Cgroup {
  /** Whether the current task is in it or below it; called at the hook, must not throw. */
  holdsCurrent(): boolean;
}

/**
 * BPF_MAP_TYPE_CGROUP_ARRAY: what bpf_current_task_under_cgroup() indexes. On hosts without cgroups its elements stay
 * empty, which that helper answers with -EAGAIN.
 */
export class CgroupArrayMap extends ObjectArrayMap<Cgroup> {
  /** 0, or -E2BIG for an index past the end. The cgroup stays until it is replaced or deleted. */
  setCgroup(index: number, cgroup: Cgroup): number {
    return this.put(index, cgroup);
  }

  protected idOf(): number {
    return 1;
  }
}

/** BPF_MAP_TYPE_PROG_ARRAY: the targets of bpf_tail_call(). Holds a reference to each program. */
export class ProgArrayMap extends ObjectArrayMap<BpfProgram> {
  /** 0, -E2BIG for an index past the end, or -EINVAL for a program of another type than those in it. */
  setProgram(index: number, program: BpfProgram): number {
    if (this.#owner !== undefined && this.#owner !== program.type) return -Errno.EINVAL;
    const result = this.put(index, program);
    if (result === 0) this.#owner = program.type;
    return result;
  }

  /** Type of the programs in here: the first one settles it for the map's life. */
  #owner: number | undefined;

  /** Program ids, as bpf(2) shows them. */
  protected override copyValue(key: BpfOffset): Uint8Array | number {
    return this.elementBytes(key);
  }

  protected idOf(program: BpfProgram): number {
    return program.id;
  }

  protected override onAdded(program: BpfProgram): void {
    program.retain();
  }

  protected override onRemoved(program: BpfProgram): void {
    program.release();
  }
}
