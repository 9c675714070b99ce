import { BpfError, BpfMapType, u64 } from '../base/index.js';
import { type AccessRegion, BPF_MEMORY_HI, type BpfMap, type BpfOffset, type Runtime } from '../runtime/index.js';
import type { IterCursor, IterObject, IterTarget } from './iter-target.js';
import { ListCursor } from './list-cursor.js';
import { MapObject } from './map-object.js';

const T = BpfMapType;
const PER_CPU: readonly number[] = [
  T.BPF_MAP_TYPE_PERCPU_HASH,
  T.BPF_MAP_TYPE_LRU_PERCPU_HASH,
  T.BPF_MAP_TYPE_PERCPU_ARRAY,
];
/** Maps whose elements can be walked (bpf_iter_attach_map()). */
const WALKED: readonly number[] = [...PER_CPU, T.BPF_MAP_TYPE_HASH, T.BPF_MAP_TYPE_LRU_HASH, T.BPF_MAP_TYPE_ARRAY];

/** The maps of the runtime, by id (kernel/bpf/map_iter.c). */
export function mapTarget(runtime: Runtime): IterTarget {
  return { name: 'bpf_map', words: 1, prepare: () => () => new MapCursor(runtime) };
}

/** The elements of one map: EBADF without one, EINVAL for a type whose elements are not walked. */
export function mapElemTarget(runtime: Runtime): IterTarget {
  return {
    name: 'bpf_map_elem',
    words: 3,
    prepare({ map }) {
      const what = 'walking the elements of a map';
      if (map === undefined)
        throw new BpfError('EBADF', what, { remedy: 'name the map: its elements are what is walked' });
      if (!WALKED.includes(map.type)) {
        throw new BpfError('EINVAL', what, { value: map.name, remedy: 'hashes and arrays can be walked' });
      }
      return () => new MapElemCursor(runtime, map);
    },
  };
}

function pointer(offset: number): bigint {
  return u64(offset, BPF_MEMORY_HI);
}

function region(start: number, size: number, writable: boolean): AccessRegion {
  return { start, end: start + size, stride: 0, size, writable };
}

class MapCursor extends ListCursor<BpfMap> {
  readonly #runtime: Runtime;
  readonly #shown: MapObject | null;
  #id = 0;

  constructor(runtime: Runtime) {
    super();
    this.#runtime = runtime;
    this.#shown = MapObject.create(runtime.memory, runtime.host.btf);
  }

  override close(): void {
    super.close();
    this.#shown?.free();
  }

  protected override list(): readonly BpfMap[] {
    return [...this.#runtime.maps].filter(({ id }) => id >= this.#id).toSorted((a, b) => a.id - b.id);
  }

  protected override show(map: BpfMap | undefined): IterObject | null {
    this.#id = map?.id ?? Infinity;
    if (map === undefined) return null;
    if (this.#shown === null) return { words: [pointer(map.address)] };
    this.#shown.describe(map);
    return { words: [this.#shown.pointer], regions: [this.#shown.region] };
  }
}

/** An element: its key, and where its value is for programs. */
interface Element {
  readonly key: Uint8Array;
  readonly value: BpfOffset | null;
}

class MapElemCursor implements IterCursor {
  readonly #runtime: Runtime;
  readonly #map: BpfMap;
  readonly #shown: MapObject | null;
  readonly #key: BpfOffset;
  /** All CPUs' values of an element of a per-CPU map: a copy, as in Linux. */
  readonly #copy: BpfOffset | null;
  readonly #valueSize: number;
  #elements: readonly Element[] = [];
  #index = 0;

  constructor(runtime: Runtime, map: BpfMap) {
    map.retain();
    this.#runtime = runtime;
    this.#map = map;
    this.#shown = MapObject.create(runtime.memory, runtime.host.btf);
    this.#shown?.describe(map);
    this.#key = runtime.memory.alloc(map.keySize);
    const perCpu = PER_CPU.includes(map.type);
    this.#valueSize = perCpu ? ((map.valueSize + 7) & ~7) * runtime.cpus : map.valueSize;
    this.#copy = perCpu ? runtime.memory.alloc(this.#valueSize) : null;
  }

  start(): IterObject | null {
    this.#elements = this.#copy === null ? this.#inPlace() : this.#byKey();
    return this.#here();
  }

  next(): IterObject | null {
    this.#index++;
    return this.#here();
  }

  /** The map is told also where no element is left. */
  end(): IterObject {
    return { words: [this.#mapPointer], regions: this.#shown === null ? [] : [this.#shown.region] };
  }

  close(): void {
    const { memory } = this.#runtime;
    memory.free(this.#key, this.#map.keySize);
    if (this.#copy !== null) memory.free(this.#copy, this.#valueSize);
    this.#shown?.free();
    this.#map.release();
  }

  get #mapPointer(): bigint {
    return this.#shown?.pointer ?? pointer(this.#map.address);
  }

  #inPlace(): Element[] {
    const found: Element[] = [];
    const { memory } = this.#runtime;
    const { keySize } = this.#map;
    this.#map.forEachElem((key, value) => {
      found.push({ key: memory.u8.slice(key, key + keySize), value });
      return 0;
    }, 0);
    return found;
  }

  #byKey(): Element[] {
    const found: Element[] = [];
    let key = this.#map.sysNextKey(null);
    while (typeof key !== 'number') {
      found.push({ key, value: null });
      key = this.#map.sysNextKey(key);
    }
    return found;
  }

  #here(): IterObject | null {
    const element = this.#elements[this.#index];
    if (element === undefined) return null;
    const { u8 } = this.#runtime.memory;
    u8.set(element.key, this.#key);
    const value = element.value ?? this.#copied(element.key);
    const regions = [region(this.#key, this.#map.keySize, false), region(value, this.#valueSize, true)];
    if (this.#shown !== null) regions.push(this.#shown.region);
    return { words: [this.#mapPointer, pointer(this.#key), pointer(value)], regions };
  }

  #copied(key: Uint8Array): BpfOffset {
    const at = this.#copy as BpfOffset;
    const { u8 } = this.#runtime.memory;
    const bytes = this.#map.sysLookup(key);
    u8.fill(0, at, at + this.#valueSize);
    if (typeof bytes !== 'number') u8.set(bytes.subarray(0, this.#valueSize), at);
    return at;
  }
}
