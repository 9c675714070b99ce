import { BpfMapFlag, BpfMapType } from '../../../base/index.js';
import type { BpfMap } from '../../map/bpf-map.js';
import { MapHeader } from '../../map/map-layout.js';
import type { Runtime } from '../../runtime.js';

const T = BpfMapType;
/** Types whose elements programs may look up and change. */
const ELEMENT_TYPES: readonly number[] = [
  T.BPF_MAP_TYPE_ARRAY,
  T.BPF_MAP_TYPE_PERCPU_ARRAY,
  T.BPF_MAP_TYPE_HASH,
  T.BPF_MAP_TYPE_PERCPU_HASH,
  T.BPF_MAP_TYPE_LRU_HASH,
];

/** What of a map with elements never changes while it lives: compiled code has it as constants. */
export interface MapShape {
  /** Of the header. */
  readonly address: number;
  readonly isArray: boolean;
  readonly isLru: boolean;
  /** BPF_F_NO_COMMON_LRU */
  readonly hasListsPerCpu: boolean;
  readonly isReadOnly: boolean;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly elements: number;
  readonly stride: number;
  readonly cpuStride: number;
  readonly elemKey: number;
  readonly elemValue: number;
  readonly buckets: number;
  readonly mask: number;
  readonly seed: number;
  readonly hashKind: number;
  readonly spares: number;
  readonly lru: number;
}

/** Undefined for maps of other types. */
export function mapShape({ memory }: Runtime, map: BpfMap | undefined): MapShape | undefined {
  if (map === undefined || !ELEMENT_TYPES.includes(map.type)) return undefined;
  const field = (at: number): number => memory.u32[(map.address + at) >>> 2];
  return {
    address: map.address,
    isArray: map.type === T.BPF_MAP_TYPE_ARRAY || map.type === T.BPF_MAP_TYPE_PERCPU_ARRAY,
    isLru: map.type === T.BPF_MAP_TYPE_LRU_HASH,
    hasListsPerCpu: (map.flags & BpfMapFlag.BPF_F_NO_COMMON_LRU) !== 0,
    isReadOnly: (map.flags & BpfMapFlag.BPF_F_RDONLY_PROG) !== 0,
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: map.maxEntries,
    elements: field(MapHeader.elements),
    stride: field(MapHeader.stride),
    cpuStride: field(MapHeader.cpuStride),
    elemKey: field(MapHeader.elemKey),
    elemValue: field(MapHeader.elemValue),
    buckets: field(MapHeader.buckets),
    mask: field(MapHeader.mask),
    seed: field(MapHeader.seed),
    hashKind: field(MapHeader.hashKind),
    spares: field(MapHeader.spares),
    lru: field(MapHeader.lru),
  };
}
