import { BpfError, BpfMapType, errnoName } from '../../base/index.js';
import { ArrayMap } from './array-map.js';
import { ArrayOfMaps } from './array-of-maps.js';
import { BloomFilterMap } from './bloom-filter-map.js';
import type { BpfMap, MapSpec } from './bpf-map.js';
import { CgroupArrayMap, PerfEventArrayMap, ProgArrayMap } from './fd-array-map.js';
import { HashMap } from './hash-map.js';
import { HashOfMaps } from './hash-of-maps.js';
import { LruHashMap } from './lru-hash-map.js';
import { checkMapName, checkMapSpec } from './map-attr.js';
import { MapBlocks, type MapBase, type MapContext, type MapDeps } from './map-base.js';
import { QueueMap } from './queue-map.js';
import { RingBufferMap } from './ring-buffer-map.js';
import { StackTraceMap } from './stack-trace-map.js';

type MapConstructor = new (context: MapContext, spec: MapSpec) => MapBase;

const T = BpfMapType;
const constructors: ReadonlyMap<number, MapConstructor> = new Map<number, MapConstructor>([
  [T.BPF_MAP_TYPE_HASH, HashMap],
  [T.BPF_MAP_TYPE_PERCPU_HASH, HashMap],
  [T.BPF_MAP_TYPE_LRU_HASH, LruHashMap],
  [T.BPF_MAP_TYPE_LRU_PERCPU_HASH, LruHashMap],
  [T.BPF_MAP_TYPE_ARRAY, ArrayMap],
  [T.BPF_MAP_TYPE_PERCPU_ARRAY, ArrayMap],
  [T.BPF_MAP_TYPE_PROG_ARRAY, ProgArrayMap],
  [T.BPF_MAP_TYPE_PERF_EVENT_ARRAY, PerfEventArrayMap],
  [T.BPF_MAP_TYPE_CGROUP_ARRAY, CgroupArrayMap],
  [T.BPF_MAP_TYPE_STACK_TRACE, StackTraceMap],
  [T.BPF_MAP_TYPE_RINGBUF, RingBufferMap],
  [T.BPF_MAP_TYPE_ARRAY_OF_MAPS, ArrayOfMaps],
  [T.BPF_MAP_TYPE_HASH_OF_MAPS, HashOfMaps],
  [T.BPF_MAP_TYPE_QUEUE, QueueMap],
  [T.BPF_MAP_TYPE_STACK, QueueMap],
  [T.BPF_MAP_TYPE_BLOOM_FILTER, BloomFilterMap],
]);

/**
 * BPF_MAP_CREATE, then the initial contents and the freezing that the spec asks for. Throws a BpfError
 * with Linux's errno; nothing stays allocated then. The map has one reference, the caller's.
 */
export function createMap(deps: MapDeps, spec: MapSpec): BpfMap {
  checkMapSpec(spec);
  const blocks = new MapBlocks(deps.memory);
  try {
    const map = construct(contextOf(deps, blocks), spec);
    checkMapName(spec);
    if (spec.contents !== undefined) fill(map, spec, spec.contents);
    if (spec.frozen === true) map.sysFreeze();
    return map;
  } catch (error) {
    blocks.freeAll();
    throw isOutOfMemory(error) ? outOfMemory(spec, error) : error;
  }
}

function isOutOfMemory(error: unknown): error is BpfError {
  return error instanceof BpfError && error.code === 'ENOMEM';
}

/** The memory knows its limit, not for which map it was not enough. */
function outOfMemory({ name, type }: MapSpec, error: BpfError): BpfError {
  const what = `creating map "${name}" (type ${type}): ${error.what}`;
  return new BpfError('ENOMEM', what, { ...error.detail, cause: error });
}

function construct(context: MapContext, spec: MapSpec): MapBase {
  const Constructor = constructors.get(spec.type);
  if (Constructor === undefined) throw new BpfError('EINVAL', 'unknown map type', { value: spec.type });
  return new Constructor(context, spec);
}

function contextOf(deps: MapDeps, blocks: MapBlocks): MapContext {
  return {
    memory: deps.memory,
    cpus: deps.cpus,
    id: deps.id,
    blocks,
    wakeups: deps.wakeups,
    currentCpu: () => deps.currentCpu?.() ?? 0,
    onRelease: (map) => deps.onRelease?.(map),
  };
}

function fill(map: MapBase, spec: MapSpec, contents: Uint8Array): void {
  const value = new Uint8Array(map.valueSize);
  if (contents.length > value.length) {
    throw new BpfError('E2BIG', `map "${spec.name}": initial contents`, { value: contents.length });
  }
  value.set(contents);
  const error = map.sysUpdate(new Uint8Array(map.keySize), value);
  if (error !== 0) throw new BpfError(errnoName(error) ?? 'EINVAL', `map "${spec.name}": initial contents`);
}
