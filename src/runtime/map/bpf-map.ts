import type { AccessRegion } from '../access-region.js';
import type { BpfOffset } from '../memory/bpf-memory.js';

/** A map as described by an object file: inert. */
export interface MapSpec {
  readonly name: string;
  /** BpfMapType number. */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** Parameters that only some types have: hashes of a bloom filter. Absent: 0. */
  readonly mapExtra?: bigint;
  /** Where BPF_F_NUMA_NODE is among the flags: the node that the memory should be on. */
  readonly numaNode?: number;
  /** Type ids in the object's BTF, 0 where unknown. */
  readonly keyTypeId: number;
  readonly valueTypeId: number;
  /** Initial bytes of a data section (.rodata, .data, .bss): the value of key 0. */
  readonly contents?: Uint8Array;
  /** BPF_MAP_FREEZE after the contents are in. */
  readonly frozen?: boolean;
  readonly pinning?: 'none' | 'by_name';
  /** Of maps of maps: what the maps in it are like. */
  readonly innerMap?: MapSpec;
}

/**
 * A live map. Two views of the same bytes: programs work with offsets in `BpfMemory` and negative errno,
 * as helpers do; the `sys*` operations take and give bytes with the errno of bpf(2), per-CPU values
 * being all CPUs' values, each rounded up to 8 bytes.
 */
export interface BpfMap {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly spec: MapSpec;
  /** Offset of the map's header: the low word of the pointer that programs hold. */
  readonly address: BpfOffset;
  /** What a program may reach through pointers to values of this map. */
  readonly regions: readonly AccessRegion[];
  /** Bytes of BpfMemory the map holds. */
  readonly memoryUsage: number;

  /** Offset of the value for `cpu`, or 0. */
  lookupElem(key: BpfOffset, cpu: number): number;
  updateElem(key: BpfOffset, value: BpfOffset, flags: number, cpu: number): number;
  deleteElem(key: BpfOffset): number;
  /** Maps without keys: takes the value, gives the next one, gives it and drops it; a bloom filter's peek asks for the value. */
  pushElem(value: BpfOffset, flags: number): number;
  peekElem(value: BpfOffset): number;
  popElem(value: BpfOffset): number;
  /** Calls `each` with offsets of key and value until it returns non-zero; returns how many were visited, or -errno. */
  forEachElem(each: (key: BpfOffset, value: BpfOffset) => number, cpu: number): number;
  /** Offset of the value that a direct-value ldimm64 at `offset` refers to, or -errno. */
  directValue(offset: number): number;

  // What follows is system calls: -EBADF from each once the last reference has gone.

  /** The value's bytes (a copy), or -errno. `asked`, for bloom filters only: the value that is looked for. */
  sysLookup(key: Uint8Array, flags?: number, asked?: Uint8Array): Uint8Array | number;
  sysUpdate(key: Uint8Array, value: Uint8Array, flags?: number): number;
  sysDelete(key: Uint8Array): number;
  /** The key after `key` (null: the first), or -errno; -ENOENT at the end. */
  sysNextKey(key: Uint8Array | null): Uint8Array | number;
  sysLookupAndDelete(key: Uint8Array, flags?: number): Uint8Array | number;
  /** BPF_MAP_FREEZE: 0 or -errno; later sysUpdate and sysDelete answer -EPERM. */
  sysFreeze(): number;

  /** Drops one reference; the last one gives the memory back. */
  release(): void;
  /** EBADF once the last reference has gone. */
  retain(): void;
}
