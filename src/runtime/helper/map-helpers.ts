import { BpfFuncId, BpfMapFlag, BpfMapType, Errno } from '../../base/index.js';
import type { BpfMap } from '../map/bpf-map.js';
import { bpfOffset } from '../memory/bpf-memory.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Helper } from './helper.js';
import { mapOf } from './map-argument.js';

/** Types whose elements programs may look up and change; the verifier refuses the others (-EINVAL here). */
const ELEMENT_TYPES: readonly number[] = [
  BpfMapType.BPF_MAP_TYPE_HASH,
  BpfMapType.BPF_MAP_TYPE_ARRAY,
  BpfMapType.BPF_MAP_TYPE_PERCPU_HASH,
  BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY,
  BpfMapType.BPF_MAP_TYPE_LRU_HASH,
  BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH,
];

/** Types in which programs look maps up. */
const LOOKUP_TYPES: readonly number[] = [
  ...ELEMENT_TYPES,
  BpfMapType.BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BpfMapType.BPF_MAP_TYPE_HASH_OF_MAPS,
];

function lookupMap(run: BpfRunCtx, lo: number): BpfMap | undefined {
  const map = mapOf(run, lo);
  return map !== undefined && LOOKUP_TYPES.includes(map.type) ? map : undefined;
}

function elementMap(run: BpfRunCtx, lo: number): BpfMap | undefined {
  const map = mapOf(run, lo);
  return map !== undefined && ELEMENT_TYPES.includes(map.type) ? map : undefined;
}

/** The map, or why the program may not change it: BPF_F_RDONLY_PROG is -EACCES, from the verifier in Linux. */
function writableMap(run: BpfRunCtx, lo: number): BpfMap | number {
  const map = elementMap(run, lo);
  if (map === undefined) return -Errno.EINVAL;
  return (map.flags & BpfMapFlag.BPF_F_RDONLY_PROG) === 0 ? map : -Errno.EACCES;
}

/** Types whose values programs push and peek, and the ones of which they also pop. */
const QUEUE_TYPES: readonly number[] = [BpfMapType.BPF_MAP_TYPE_QUEUE, BpfMapType.BPF_MAP_TYPE_STACK];
const KEYLESS_TYPES: readonly number[] = [...QUEUE_TYPES, BpfMapType.BPF_MAP_TYPE_BLOOM_FILTER];

/** What a program does to a map without keys of one of `types`; without `writes` also where it may only read the map. */
function keyless(
  run: BpfRunCtx,
  lo: number,
  types: readonly number[],
  writes: boolean,
  act: (map: BpfMap) => number,
): number {
  const map = mapOf(run, lo);
  if (map === undefined || !types.includes(map.type)) return -Errno.EINVAL;
  if (writes && (map.flags & BpfMapFlag.BPF_F_RDONLY_PROG) !== 0) return -Errno.EACCES;
  return act(map);
}

/** A flags argument of 64 bits as a number: whatever needs the high word is no flag any map knows. */
function flagsOf(lo: number, hi: number): number {
  return hi === 0 ? lo >>> 0 : 0xffff_ffff;
}

/** bpf_map_lookup_elem and its family: thin, the semantics are the map's. */
export const mapHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_map_lookup_elem,
    name: 'map_lookup_elem',
    args: ['const_map_ptr', 'map_key'],
    ret: 'map_value_or_null',
    gplOnly: false,
    impl: (run, map, _mapHi, key) => lookupMap(run, map)?.lookupElem(bpfOffset(key >>> 0), run.cpu) ?? 0,
  },
  {
    id: BpfFuncId.BPF_FUNC_map_update_elem,
    name: 'map_update_elem',
    args: ['const_map_ptr', 'map_key', 'map_value', 'anything'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, mapLo, _mapHi, key, _keyHi, value, _valueHi, flags, flagsHi) => {
      const map = writableMap(run, mapLo);
      if (typeof map === 'number') return map;
      return map.updateElem(bpfOffset(key >>> 0), bpfOffset(value >>> 0), flagsOf(flags, flagsHi), run.cpu);
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_map_delete_elem,
    name: 'map_delete_elem',
    args: ['const_map_ptr', 'map_key'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, mapLo, _mapHi, key) => {
      const map = writableMap(run, mapLo);
      return typeof map === 'number' ? map : map.deleteElem(bpfOffset(key >>> 0));
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_map_push_elem,
    name: 'map_push_elem',
    args: ['const_map_ptr', 'map_value', 'anything'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, lo, _hi, value, _valueHi, flags, flagsHi) =>
      keyless(run, lo, KEYLESS_TYPES, true, (map) => map.pushElem(bpfOffset(value >>> 0), flagsOf(flags, flagsHi))),
  },
  {
    id: BpfFuncId.BPF_FUNC_map_pop_elem,
    name: 'map_pop_elem',
    args: ['const_map_ptr', 'map_value_uninit'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, lo, _hi, value) => keyless(run, lo, QUEUE_TYPES, true, (map) => map.popElem(bpfOffset(value >>> 0))),
  },
  {
    id: BpfFuncId.BPF_FUNC_map_peek_elem,
    name: 'map_peek_elem',
    args: ['const_map_ptr', 'map_value_uninit'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, lo, _hi, value) =>
      keyless(run, lo, KEYLESS_TYPES, false, (map) => map.peekElem(bpfOffset(value >>> 0))),
  },
  {
    id: BpfFuncId.BPF_FUNC_map_lookup_percpu_elem,
    name: 'map_lookup_percpu_elem',
    args: ['const_map_ptr', 'map_key', 'anything'],
    ret: 'map_value_or_null',
    gplOnly: false,
    impl: (run, map, _mapHi, key, _keyHi, cpu) =>
      cpu >>> 0 < run.runtime.cpus ? (elementMap(run, map)?.lookupElem(bpfOffset(key >>> 0), cpu) ?? 0) : 0,
  },
];
