import { BpfFuncId, BpfMapType } from '../../../base/index.js';
import type { Helper } from '../../helper/helper.js';
import { isKfunc } from '../../kfunc/kfunc.js';
import type { BpfMap } from '../../map/bpf-map.js';
import type { ProgramState } from './program-state.js';
import { ANY_S32 } from './scalar-arithmetic.js';
import { isConstant, Kind, recordOrNull, UNKNOWN, type Value, valueOrNull } from './value.js';

const T = BpfMapType;
/** Maps whose lookups answer a pointer to a value of theirs. */
const valueMaps: readonly number[] = [
  T.BPF_MAP_TYPE_ARRAY,
  T.BPF_MAP_TYPE_PERCPU_ARRAY,
  T.BPF_MAP_TYPE_HASH,
  T.BPF_MAP_TYPE_PERCPU_HASH,
  T.BPF_MAP_TYPE_LRU_HASH,
  T.BPF_MAP_TYPE_LRU_PERCPU_HASH,
];

const F = BpfFuncId;
/** bpf_helper_changes_pkt_data(): after these, packet pointers of before may point anywhere. */
const packetMovers: readonly number[] = [
  F.BPF_FUNC_skb_store_bytes,
  F.BPF_FUNC_l3_csum_replace,
  F.BPF_FUNC_l4_csum_replace,
  F.BPF_FUNC_clone_redirect,
  F.BPF_FUNC_skb_vlan_push,
  F.BPF_FUNC_skb_vlan_pop,
  F.BPF_FUNC_skb_change_proto,
  F.BPF_FUNC_skb_change_tail,
  F.BPF_FUNC_skb_pull_data,
  F.BPF_FUNC_skb_change_head,
  F.BPF_FUNC_xdp_adjust_head,
  F.BPF_FUNC_skb_adjust_room,
  F.BPF_FUNC_xdp_adjust_meta,
  F.BPF_FUNC_xdp_adjust_tail,
  F.BPF_FUNC_lwt_push_encap,
  F.BPF_FUNC_lwt_seg6_store_bytes,
  F.BPF_FUNC_lwt_seg6_adjust_srh,
  F.BPF_FUNC_lwt_seg6_action,
  F.BPF_FUNC_msg_pull_data,
  F.BPF_FUNC_msg_push_data,
  F.BPF_FUNC_msg_pop_data,
];

export function hasValues(map: BpfMap): boolean {
  return valueMaps.includes(map.type);
}

/** What a call of `helper` at instruction `site` leaves; r1 to r5 keep their values. */
export function afterHelper(state: ProgramState, helper: Helper, site: number): void {
  const { args, id } = helper;
  const result = helperResult(state, helper, site);
  const callsBack = args.includes('func');
  args.forEach((arg, i) => {
    if (arg === 'mem_uninit' || arg === 'mem_uninit_or_null') writtenBy(state, i + 1);
    if (arg === 'map_value_uninit') valueWrittenBy(state, i + 1);
    if (arg === 'long_uninit') longWrittenBy(state, i + 1);
    // What one refers to is not followed.
    if (arg.startsWith('dynptr')) state.forgetAllOfFrame();
    if (arg === 'iter_uninit' || arg === 'iter') iteratorWrittenBy(state, i + 1, helper);
  });
  if (callsBack) state.forgetAllOfFrame();
  if (callsBack || args.includes('ringbuf_mem') || args.includes('dynptr_ringbuf')) forgetRecords(state);
  if (callsBack || packetMovers.includes(id)) state.forgetPacket();
  // What an earlier round of a loop got from this call is another pointer.
  state.replace((value) => (value.site === site ? UNKNOWN : value));
  state.values[0] = result;
}

/** After a call of anything: a function of the program, or a helper that is only known when it is called. */
export function afterUnknownCall(state: ProgramState): void {
  state.values.fill(UNKNOWN, 0, 6);
  state.forgetAllOfFrame();
  forgetRecords(state);
  state.forgetPacket();
}

/** A helper has written the memory at r`r`, as many bytes as the next argument says. */
function writtenBy(state: ProgramState, r: number): void {
  const to = state.register(r);
  const size = state.register(r + 1);
  if (to.kind === Kind.frame && size.kind === Kind.scalar) state.forgetFrame(to.lo, to.hi + size.hi);
  else state.forgetAllOfFrame();
}

/** A helper has written a value of the map in r1 where r`r` points. */
function valueWrittenBy(state: ProgramState, r: number): void {
  const to = state.register(r);
  const { kind, map } = state.register(1);
  if (to.kind === Kind.frame && kind === Kind.map && map !== null) state.forgetFrame(to.lo, to.hi + map.valueSize);
  else state.forgetAllOfFrame();
}

/** A helper has written 8 bytes where r`r` points. */
function longWrittenBy(state: ProgramState, r: number): void {
  const to = state.register(r);
  if (to.kind === Kind.frame) state.forgetFrame(to.lo, to.hi + 8);
  else state.forgetAllOfFrame();
}

/** A kernel function has written the iterator that r`r` points to. */
function iteratorWrittenBy(state: ProgramState, r: number, helper: Helper): void {
  const to = state.register(r);
  const size = isKfunc(helper) ? helper.iterator?.size : undefined;
  if (to.kind === Kind.frame && size !== undefined) state.forgetFrame(to.lo, to.hi + size);
  else state.forgetAllOfFrame();
}

/** After calls that may submit or discard a record. */
function forgetRecords(state: ProgramState): void {
  state.replace((value) => (value.kind === Kind.record || value.kind === Kind.recordOrNull ? UNKNOWN : value));
}

function helperResult(state: ProgramState, { id, ret }: Helper, site: number): Value {
  const { kind, map } = state.register(1);
  if (kind === Kind.map && map !== null) {
    const size = state.register(2);
    if (id === F.BPF_FUNC_ringbuf_reserve && isConstant(size) && size.lo > 0) return recordOrNull(map, size.lo, site);
    const isLookup = id === F.BPF_FUNC_map_lookup_elem || id === F.BPF_FUNC_map_lookup_percpu_elem;
    if (isLookup && hasValues(map)) return valueOrNull(map, site);
  }
  return ret === 'integer' ? ANY_S32 : UNKNOWN;
}
