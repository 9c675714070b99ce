import { BpfFuncId, Errno } from '../../base/index.js';
import { bpfOffset } from '../memory/bpf-memory.js';
import type { Helper } from './helper.js';
import { mapOf } from './map-argument.js';

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
    impl: (run, map, _mapHi, key) => mapOf(run, map)?.lookupElem(bpfOffset(key), run.cpu) ?? 0,
  },
  {
    id: BpfFuncId.BPF_FUNC_map_update_elem,
    name: 'map_update_elem',
    args: ['const_map_ptr', 'map_key', 'map_value', 'anything'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, map, _mapHi, key, _keyHi, value, _valueHi, flags, flagsHi) =>
      mapOf(run, map)?.updateElem(bpfOffset(key), bpfOffset(value), flagsOf(flags, flagsHi), run.cpu) ?? -Errno.EINVAL,
  },
  {
    id: BpfFuncId.BPF_FUNC_map_delete_elem,
    name: 'map_delete_elem',
    args: ['const_map_ptr', 'map_key'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, map, _mapHi, key) => mapOf(run, map)?.deleteElem(bpfOffset(key)) ?? -Errno.EINVAL,
  },
  {
    id: BpfFuncId.BPF_FUNC_map_lookup_percpu_elem,
    name: 'map_lookup_percpu_elem',
    args: ['const_map_ptr', 'map_key', 'anything'],
    ret: 'map_value_or_null',
    gplOnly: false,
    impl: (run, map, _mapHi, key, _keyHi, cpu) =>
      cpu >>> 0 < run.runtime.cpus ? (mapOf(run, map)?.lookupElem(bpfOffset(key), cpu) ?? 0) : 0,
  },
];
