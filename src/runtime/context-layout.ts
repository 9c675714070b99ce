import { BpfProgType } from '../base/index.js';
import type { AccessRegion } from './access-region.js';

/** What is special about the context of a program type. */
export interface ContextLayout {
  /**
   * Offsets of 32-bit fields that load as a full packet pointer. In BpfMemory they hold the offset; the
   * kernel rewrites such loads into loads of a pointer, engines widen them.
   */
  readonly packetPointers: readonly number[];
  /** Readable and writable parts, from the context's first byte; empty: all of it, read-only. */
  readonly parts: readonly AccessRegion[];
}

/** Byte offsets in struct xdp_md. */
export const XdpMd = {
  data: 0,
  data_end: 4,
  data_meta: 8,
  ingress_ifindex: 12,
  rx_queue_index: 16,
  egress_ifindex: 20,
  size: 24,
} as const;

/** Byte offsets in struct __sk_buff. */
export const SkBuff = {
  len: 0,
  pkt_type: 4,
  mark: 8,
  queue_mapping: 12,
  protocol: 16,
  vlan_present: 20,
  vlan_tci: 24,
  vlan_proto: 28,
  priority: 32,
  ingress_ifindex: 36,
  ifindex: 40,
  tc_index: 44,
  cb: 48,
  hash: 68,
  tc_classid: 72,
  data: 76,
  data_end: 80,
  napi_id: 84,
  data_meta: 140,
  flow_keys: 144,
  tstamp: 152,
  wire_len: 160,
  gso_segs: 164,
  sk: 168,
  gso_size: 176,
  tstamp_type: 180,
  hwtstamp: 184,
  size: 192,
} as const;

function part(start: number, end: number, writable: boolean): AccessRegion {
  return { start, end, stride: 0, size: end - start, writable };
}

const readOnly: ContextLayout = { packetPointers: [], parts: [] };
const readWrite: ContextLayout = { packetPointers: [], parts: [part(0, 0xffff, true)] };

const xdp: ContextLayout = { packetPointers: [XdpMd.data, XdpMd.data_end, XdpMd.data_meta], parts: [] };

const socketFilter: ContextLayout = {
  packetPointers: [SkBuff.data, SkBuff.data_end, SkBuff.data_meta],
  parts: [part(SkBuff.cb, SkBuff.hash, true), part(0, SkBuff.size, false)],
};

/** The fields tc_cls_act_is_valid_access() lets a program write. */
const trafficControl: ContextLayout = {
  packetPointers: [SkBuff.data, SkBuff.data_end, SkBuff.data_meta],
  parts: [
    part(SkBuff.mark, SkBuff.protocol, true),
    part(SkBuff.priority, SkBuff.ingress_ifindex, true),
    part(SkBuff.tc_index, SkBuff.hash, true),
    part(SkBuff.tc_classid, SkBuff.data, true),
    part(SkBuff.tstamp, SkBuff.wire_len, true),
    part(0, SkBuff.size, false),
  ],
};

const byType: ReadonlyMap<number, ContextLayout> = new Map<number, ContextLayout>([
  [BpfProgType.BPF_PROG_TYPE_XDP, xdp],
  [BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER, socketFilter],
  [BpfProgType.BPF_PROG_TYPE_SCHED_CLS, trafficControl],
  [BpfProgType.BPF_PROG_TYPE_SCHED_ACT, trafficControl],
  [BpfProgType.BPF_PROG_TYPE_SYSCALL, readWrite],
]);

/** The layout of a program type's context; tracing contexts are read-only bytes. */
export function contextLayout(progType: number): ContextLayout {
  return byType.get(progType) ?? readOnly;
}
