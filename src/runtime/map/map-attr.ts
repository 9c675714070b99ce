import { BpfError, BpfMapFlag, BpfMapType, type BpfErrorDetail, type ErrnoName } from '../../base/index.js';
import type { MapSpec } from './bpf-map.js';
import { roundUp8 } from './map-layout.js';

const T = BpfMapType;
const F = BpfMapFlag;

const ACCESS_MASK = F.BPF_F_RDONLY | F.BPF_F_WRONLY | F.BPF_F_RDONLY_PROG | F.BPF_F_WRONLY_PROG;
const ARRAY_FLAGS = F.BPF_F_NUMA_NODE | F.BPF_F_MMAPABLE | ACCESS_MASK | F.BPF_F_PRESERVE_ELEMS | F.BPF_F_INNER_MAP;
const HASH_FLAGS = F.BPF_F_NO_PREALLOC | F.BPF_F_NO_COMMON_LRU | F.BPF_F_NUMA_NODE | ACCESS_MASK | F.BPF_F_ZERO_SEED;
const QUEUE_FLAGS = F.BPF_F_NUMA_NODE | ACCESS_MASK;
const BLOOM_FLAGS = QUEUE_FLAGS | F.BPF_F_ZERO_SEED;
const STACK_FLAGS = F.BPF_F_NUMA_NODE | F.BPF_F_RDONLY | F.BPF_F_WRONLY | F.BPF_F_STACK_BUILD_ID;

/** Largest per-CPU value (PCPU_MIN_UNIT_SIZE). */
const MAX_PERCPU_VALUE = 32768;
/** KMALLOC_MAX_SIZE less struct htab_elem: key and value of one hash element together stay below. */
const MAX_HASH_ELEM = (1 << 22) - 48;
/** KMALLOC_MAX_SIZE: what a value of a map without keys may have. */
const MAX_KEYLESS_VALUE = 1 << 22;
/** Hash functions that map_extra can ask of a bloom filter. */
const MAX_HASHES = 15n;
/** Buckets of 16 bytes whose total is a u32. */
const MAX_HASH_ENTRIES = 1 << 27;
/** sysctl kernel.perf_event_max_stack. */
export const MAX_STACK_DEPTH = 127;
/** struct bpf_stack_build_id */
const BUILD_ID_SIZE = 32;
/** Bytes of a map's name without its NUL. */
const MAX_NAME = 15;

/**
 * Refuses what bpf(BPF_MAP_CREATE) refuses, with its errno and in its order (kernel/bpf/syscall.c
 * map_create and the map types' alloc_check, Linux 6.18): access mode, then type, then the type's own
 * checks. Map types outside this table are EINVAL with the type's name in the error.
 */
export function checkMapSpec(spec: MapSpec): void {
  const { mapExtra = 0n } = spec;
  if (mapExtra !== 0n && spec.type !== T.BPF_MAP_TYPE_BLOOM_FILTER) {
    refuse(spec, 'EINVAL', 'map_extra is for bloom filters', { value: mapExtra });
  }
  if (has(spec, F.BPF_F_RDONLY) && has(spec, F.BPF_F_WRONLY)) {
    refuse(spec, 'EINVAL', 'BPF_F_RDONLY and BPF_F_WRONLY exclude each other', { value: spec.flags });
  }
  const check = checks.get(spec.type);
  if (check === undefined) {
    refuse(spec, 'EINVAL', 'maps of this type cannot be made', {
      value: typeName(spec.type),
      remedy: `those of these types can: ${[...checks.keys()].map(typeName).join(', ')}`,
    });
  }
  check(spec);
}

/** Refuses a name with characters that bpf(2) does not take; it looks at names after all else. */
export function checkMapName(spec: MapSpec): void {
  const name = spec.name.slice(0, MAX_NAME);
  if (!/^[A-Za-z0-9_.]*$/.test(name)) {
    refuse(spec, 'EINVAL', 'bad character in the name', {
      value: name,
      remedy: 'letters, digits, _ and . are allowed',
    });
  }
}

const checks: ReadonlyMap<number, (spec: MapSpec) => void> = new Map([
  [T.BPF_MAP_TYPE_HASH, checkHash],
  [T.BPF_MAP_TYPE_PERCPU_HASH, checkHash],
  [T.BPF_MAP_TYPE_LRU_HASH, checkHash],
  [T.BPF_MAP_TYPE_LRU_PERCPU_HASH, checkHash],
  [T.BPF_MAP_TYPE_ARRAY, checkArray],
  [T.BPF_MAP_TYPE_PERCPU_ARRAY, checkArray],
  [T.BPF_MAP_TYPE_PROG_ARRAY, checkFdArray],
  [T.BPF_MAP_TYPE_PERF_EVENT_ARRAY, checkFdArray],
  [T.BPF_MAP_TYPE_CGROUP_ARRAY, checkFdArray],
  [T.BPF_MAP_TYPE_STACK_TRACE, checkStackTrace],
  [T.BPF_MAP_TYPE_RINGBUF, checkRingbuf],
  [T.BPF_MAP_TYPE_ARRAY_OF_MAPS, checkFdArray],
  [T.BPF_MAP_TYPE_HASH_OF_MAPS, checkFdHash],
  [T.BPF_MAP_TYPE_QUEUE, checkQueue],
  [T.BPF_MAP_TYPE_STACK, checkQueue],
  [T.BPF_MAP_TYPE_BLOOM_FILTER, checkBloomFilter],
]);

/** `task_storage`, or the number of a type that has no name. */
function typeName(type: number): string {
  const [name] = Object.entries(T).find(([, number]) => number === type) ?? [String(type)];
  return name.replace('BPF_MAP_TYPE_', '').toLowerCase();
}

function checkArray(spec: MapSpec): void {
  const percpu = spec.type === T.BPF_MAP_TYPE_PERCPU_ARRAY;
  if (spec.maxEntries === 0) refuse(spec, 'EINVAL', 'max_entries is 0');
  if (spec.keySize !== 4) refuse(spec, 'EINVAL', 'keys of arrays are u32', { value: spec.keySize });
  if (spec.valueSize === 0) refuse(spec, 'EINVAL', 'value_size is 0');
  checkFlags(spec, ARRAY_FLAGS);
  checkProgAccess(spec);
  if (percpu) forbid(spec, F.BPF_F_NUMA_NODE, 'BPF_F_NUMA_NODE');
  if (spec.type !== T.BPF_MAP_TYPE_ARRAY) {
    forbid(spec, F.BPF_F_MMAPABLE, 'BPF_F_MMAPABLE');
    forbid(spec, F.BPF_F_INNER_MAP, 'BPF_F_INNER_MAP');
  }
  if (spec.type !== T.BPF_MAP_TYPE_PERF_EVENT_ARRAY) forbid(spec, F.BPF_F_PRESERVE_ELEMS, 'BPF_F_PRESERVE_ELEMS');
  if (spec.valueSize > 0x7fff_ffff) refuse(spec, 'E2BIG', 'value_size', { value: spec.valueSize });
  if (percpu) checkPerCpuValue(spec);
}

function checkFdArray(spec: MapSpec): void {
  if (spec.valueSize !== 4)
    refuse(spec, 'EINVAL', 'values of arrays of descriptors are u32', { value: spec.valueSize });
  forbid(spec, F.BPF_F_RDONLY_PROG, 'BPF_F_RDONLY_PROG');
  forbid(spec, F.BPF_F_WRONLY_PROG, 'BPF_F_WRONLY_PROG');
  checkArray(spec);
}

function checkFdHash(spec: MapSpec): void {
  if (spec.valueSize !== 4) refuse(spec, 'EINVAL', 'values of hashes of maps are u32', { value: spec.valueSize });
  checkHash(spec);
}

function checkHash(spec: MapSpec): void {
  const lru = spec.type === T.BPF_MAP_TYPE_LRU_HASH || spec.type === T.BPF_MAP_TYPE_LRU_PERCPU_HASH;
  const percpu = spec.type === T.BPF_MAP_TYPE_PERCPU_HASH || spec.type === T.BPF_MAP_TYPE_LRU_PERCPU_HASH;
  checkFlags(spec, HASH_FLAGS);
  checkProgAccess(spec);
  if (!lru) forbid(spec, F.BPF_F_NO_COMMON_LRU, 'BPF_F_NO_COMMON_LRU');
  if (lru && has(spec, F.BPF_F_NO_PREALLOC)) refuse(spec, 'ENOTSUPP', 'LRU maps are always preallocated');
  if (percpu || has(spec, F.BPF_F_NO_COMMON_LRU)) forbid(spec, F.BPF_F_NUMA_NODE, 'BPF_F_NUMA_NODE');
  if (spec.maxEntries === 0) refuse(spec, 'EINVAL', 'max_entries is 0');
  if (spec.keySize === 0) refuse(spec, 'EINVAL', 'key_size is 0');
  if (spec.valueSize === 0) refuse(spec, 'EINVAL', 'value_size is 0');
  if (spec.keySize + spec.valueSize >= MAX_HASH_ELEM) {
    refuse(spec, 'E2BIG', `key and value together exceed ${MAX_HASH_ELEM - 1} bytes`, {
      value: spec.keySize + spec.valueSize,
    });
  }
  if (percpu) checkPerCpuValue(spec);
  if (spec.maxEntries > MAX_HASH_ENTRIES) refuse(spec, 'E2BIG', 'max_entries', { value: spec.maxEntries });
}

function checkStackTrace(spec: MapSpec): void {
  checkFlags(spec, STACK_FLAGS);
  if (spec.maxEntries === 0) refuse(spec, 'EINVAL', 'max_entries is 0');
  if (spec.keySize !== 4) refuse(spec, 'EINVAL', 'stack ids are u32', { value: spec.keySize });
  if (spec.valueSize < 8 || spec.valueSize % 8 !== 0) {
    refuse(spec, 'EINVAL', 'value_size must be a multiple of 8', { value: spec.valueSize });
  }
  const frame = has(spec, F.BPF_F_STACK_BUILD_ID) ? BUILD_ID_SIZE : 8;
  if (spec.valueSize % frame !== 0 || spec.valueSize / frame > MAX_STACK_DEPTH) {
    refuse(spec, 'EINVAL', `a stack has at most ${MAX_STACK_DEPTH} frames of ${frame} bytes`, {
      value: spec.valueSize,
    });
  }
  if (frame !== 8) {
    refuse(spec, 'EOPNOTSUPP', 'BPF_F_STACK_BUILD_ID is not supported', {
      remedy: 'store addresses and resolve them outside',
    });
  }
  if (spec.maxEntries > 2 ** 31) refuse(spec, 'E2BIG', 'max_entries', { value: spec.maxEntries });
}

function checkRingbuf(spec: MapSpec): void {
  checkFlags(spec, F.BPF_F_NUMA_NODE);
  if (spec.keySize !== 0 || spec.valueSize !== 0)
    refuse(spec, 'EINVAL', 'ring buffers have neither key nor value size', {
      value: `${spec.keySize}, ${spec.valueSize}`,
      remedy: 'leave both, and the types, out of its definition',
    });
  const size = spec.maxEntries;
  if (size === 0 || size % 4096 !== 0 || 2 ** Math.round(Math.log2(size)) !== size) {
    refuse(spec, 'EINVAL', 'the size of a ring buffer is a power of two and a multiple of 4096', { value: size });
  }
}

function checkQueue(spec: MapSpec): void {
  checkKeyless(spec);
  checkFlags(spec, QUEUE_FLAGS);
  checkProgAccess(spec);
  if (spec.valueSize > MAX_KEYLESS_VALUE) refuse(spec, 'E2BIG', 'value_size', { value: spec.valueSize });
}

function checkBloomFilter(spec: MapSpec): void {
  if (spec.valueSize > MAX_KEYLESS_VALUE) refuse(spec, 'E2BIG', 'value_size', { value: spec.valueSize });
  checkKeyless(spec);
  checkFlags(spec, BLOOM_FLAGS);
  checkProgAccess(spec);
  const { mapExtra = 0n } = spec;
  if (mapExtra > MAX_HASHES) {
    refuse(spec, 'EINVAL', `map_extra asks for more than ${MAX_HASHES} hash functions`, { value: mapExtra });
  }
}

function checkKeyless(spec: MapSpec): void {
  if (spec.keySize !== 0) refuse(spec, 'EINVAL', 'this map type has no keys', { value: spec.keySize });
  if (spec.valueSize === 0) refuse(spec, 'EINVAL', 'value_size is 0');
  if (spec.maxEntries === 0) refuse(spec, 'EINVAL', 'max_entries is 0');
}

function checkPerCpuValue(spec: MapSpec): void {
  if (roundUp8(spec.valueSize) > MAX_PERCPU_VALUE) {
    refuse(spec, 'E2BIG', `per-CPU values have at most ${MAX_PERCPU_VALUE} bytes`, { value: spec.valueSize });
  }
}

function checkFlags(spec: MapSpec, allowed: number): void {
  const bad = (spec.flags & ~allowed) >>> 0;
  if (bad !== 0) refuse(spec, 'EINVAL', 'flags this map type does not take', { value: `0x${bad.toString(16)}` });
}

function checkProgAccess(spec: MapSpec): void {
  if (has(spec, F.BPF_F_RDONLY_PROG) && has(spec, F.BPF_F_WRONLY_PROG)) {
    refuse(spec, 'EINVAL', 'BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG exclude each other', { value: spec.flags });
  }
}

function forbid(spec: MapSpec, flag: number, name: string): void {
  if (has(spec, flag)) refuse(spec, 'EINVAL', `this map type does not take ${name}`);
}

function has(spec: MapSpec, flag: number): boolean {
  return (spec.flags & flag) !== 0;
}

function refuse(spec: MapSpec, code: ErrnoName, what: string, detail: BpfErrorDetail = {}): never {
  throw new BpfError(code, `creating map "${spec.name}" (type ${spec.type}): ${what}`, detail);
}
