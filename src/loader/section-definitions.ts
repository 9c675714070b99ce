import { BpfAttachType as At, BpfProgType as Type } from '../base/index.js';

/** What a section name says of the programs in it. */
export interface SectionDefinition {
  /** The name, or the part of it before a slash. */
  readonly prefix: string;
  readonly type: number;
  readonly expectedAttachType: number;
  /** Whether a slash and a target may follow. */
  readonly extras: boolean;
  /** Whether libbpf attaches such programs on its own: those that name a target, or always. */
  readonly attachment: 'never' | 'named' | 'always';
  readonly sleepable: boolean;
  readonly xdpFrags: boolean;
}

const rows = (type: number, entries: Readonly<Record<string, number>>): SectionDefinition[] =>
  Object.entries(entries).map(([prefix, expectedAttachType]) => ({
    prefix,
    type,
    expectedAttachType,
    extras: false,
    attachment: 'never',
    sleepable: prefix === 'syscall' || prefix.endsWith('.s'),
    xdpFrags: prefix.startsWith('xdp.frags'),
  }));

/** Names that libbpf writes with a plus: alone, or with a slash and a target. */
const targeted = (
  type: number,
  entries: Readonly<Record<string, number>>,
  attachment: SectionDefinition['attachment'] = 'named',
): SectionDefinition[] => rows(type, entries).map((row) => ({ ...row, extras: true, attachment }));

/** Section names of libbpf's Documentation/bpf/libbpf/program_types.rst (libbpf 1.5, and uprobe.session of 1.6). */
export const sectionDefinitions: readonly SectionDefinition[] = [
  ...targeted(Type.BPF_PROG_TYPE_KPROBE, {
    kprobe: 0,
    kretprobe: 0,
    'kprobe.multi': At.BPF_TRACE_KPROBE_MULTI,
    'kretprobe.multi': At.BPF_TRACE_KPROBE_MULTI,
    'kprobe.session': At.BPF_TRACE_KPROBE_SESSION,
    ksyscall: 0,
    kretsyscall: 0,
    uprobe: 0,
    'uprobe.s': 0,
    uretprobe: 0,
    'uretprobe.s': 0,
    'uprobe.multi': At.BPF_TRACE_UPROBE_MULTI,
    'uprobe.multi.s': At.BPF_TRACE_UPROBE_MULTI,
    'uretprobe.multi': At.BPF_TRACE_UPROBE_MULTI,
    'uretprobe.multi.s': At.BPF_TRACE_UPROBE_MULTI,
    'uprobe.session': At.BPF_TRACE_UPROBE_SESSION,
    'uprobe.session.s': At.BPF_TRACE_UPROBE_SESSION,
    usdt: 0,
    'usdt.s': 0,
  }),
  ...targeted(Type.BPF_PROG_TYPE_TRACEPOINT, { tracepoint: 0, tp: 0 }),
  ...targeted(Type.BPF_PROG_TYPE_RAW_TRACEPOINT, { raw_tracepoint: 0, raw_tp: 0 }),
  ...targeted(Type.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, { 'raw_tracepoint.w': 0, 'raw_tp.w': 0 }),
  ...rows(Type.BPF_PROG_TYPE_PERF_EVENT, { perf_event: 0 }),
  ...targeted(
    Type.BPF_PROG_TYPE_TRACING,
    {
      tp_btf: At.BPF_TRACE_RAW_TP,
      fentry: At.BPF_TRACE_FENTRY,
      'fentry.s': At.BPF_TRACE_FENTRY,
      fmod_ret: At.BPF_MODIFY_RETURN,
      'fmod_ret.s': At.BPF_MODIFY_RETURN,
      fexit: At.BPF_TRACE_FEXIT,
      'fexit.s': At.BPF_TRACE_FEXIT,
      iter: At.BPF_TRACE_ITER,
      'iter.s': At.BPF_TRACE_ITER,
    },
    'always',
  ),
  ...targeted(Type.BPF_PROG_TYPE_EXT, { freplace: 0 }, 'always'),
  ...targeted(Type.BPF_PROG_TYPE_LSM, { lsm: At.BPF_LSM_MAC, 'lsm.s': At.BPF_LSM_MAC }, 'always'),
  ...targeted(Type.BPF_PROG_TYPE_LSM, { lsm_cgroup: At.BPF_LSM_CGROUP }, 'never'),
  ...rows(Type.BPF_PROG_TYPE_SYSCALL, { syscall: 0 }),
  ...targeted(Type.BPF_PROG_TYPE_STRUCT_OPS, { struct_ops: 0, 'struct_ops.s': 0 }, 'never'),
  ...rows(Type.BPF_PROG_TYPE_SOCKET_FILTER, { socket: 0 }),
  ...rows(Type.BPF_PROG_TYPE_SCHED_CLS, {
    'tc/ingress': At.BPF_TCX_INGRESS,
    'tc/egress': At.BPF_TCX_EGRESS,
    'tcx/ingress': At.BPF_TCX_INGRESS,
    'tcx/egress': At.BPF_TCX_EGRESS,
    tc: 0,
    classifier: 0,
    'netkit/primary': At.BPF_NETKIT_PRIMARY,
    'netkit/peer': At.BPF_NETKIT_PEER,
  }),
  ...rows(Type.BPF_PROG_TYPE_SCHED_ACT, { action: 0 }),
  ...rows(Type.BPF_PROG_TYPE_XDP, {
    'xdp.frags/devmap': At.BPF_XDP_DEVMAP,
    'xdp/devmap': At.BPF_XDP_DEVMAP,
    'xdp.frags/cpumap': At.BPF_XDP_CPUMAP,
    'xdp/cpumap': At.BPF_XDP_CPUMAP,
    'xdp.frags': At.BPF_XDP,
    xdp: At.BPF_XDP,
  }),
  ...rows(Type.BPF_PROG_TYPE_LWT_IN, { lwt_in: 0 }),
  ...rows(Type.BPF_PROG_TYPE_LWT_OUT, { lwt_out: 0 }),
  ...rows(Type.BPF_PROG_TYPE_LWT_XMIT, { lwt_xmit: 0 }),
  ...rows(Type.BPF_PROG_TYPE_LWT_SEG6LOCAL, { lwt_seg6local: 0 }),
  ...rows(Type.BPF_PROG_TYPE_SOCK_OPS, { sockops: At.BPF_CGROUP_SOCK_OPS }),
  ...rows(Type.BPF_PROG_TYPE_SK_SKB, {
    'sk_skb/stream_parser': At.BPF_SK_SKB_STREAM_PARSER,
    'sk_skb/stream_verdict': At.BPF_SK_SKB_STREAM_VERDICT,
    'sk_skb/verdict': At.BPF_SK_SKB_VERDICT,
    sk_skb: 0,
  }),
  ...rows(Type.BPF_PROG_TYPE_SK_MSG, { sk_msg: At.BPF_SK_MSG_VERDICT }),
  ...rows(Type.BPF_PROG_TYPE_SK_REUSEPORT, {
    'sk_reuseport/migrate': At.BPF_SK_REUSEPORT_SELECT_OR_MIGRATE,
    sk_reuseport: At.BPF_SK_REUSEPORT_SELECT,
  }),
  ...rows(Type.BPF_PROG_TYPE_SK_LOOKUP, { sk_lookup: At.BPF_SK_LOOKUP }),
  ...rows(Type.BPF_PROG_TYPE_LIRC_MODE2, { lirc_mode2: At.BPF_LIRC_MODE2 }),
  ...rows(Type.BPF_PROG_TYPE_FLOW_DISSECTOR, { flow_dissector: At.BPF_FLOW_DISSECTOR }),
  ...rows(Type.BPF_PROG_TYPE_NETFILTER, { netfilter: At.BPF_NETFILTER }),
  ...rows(Type.BPF_PROG_TYPE_CGROUP_SKB, {
    'cgroup_skb/ingress': At.BPF_CGROUP_INET_INGRESS,
    'cgroup_skb/egress': At.BPF_CGROUP_INET_EGRESS,
    'cgroup/skb': 0,
  }),
  ...rows(Type.BPF_PROG_TYPE_CGROUP_SOCK, {
    'cgroup/sock_create': At.BPF_CGROUP_INET_SOCK_CREATE,
    'cgroup/sock_release': At.BPF_CGROUP_INET_SOCK_RELEASE,
    'cgroup/sock': At.BPF_CGROUP_INET_SOCK_CREATE,
    'cgroup/post_bind4': At.BPF_CGROUP_INET4_POST_BIND,
    'cgroup/post_bind6': At.BPF_CGROUP_INET6_POST_BIND,
  }),
  ...rows(Type.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, {
    'cgroup/bind4': At.BPF_CGROUP_INET4_BIND,
    'cgroup/bind6': At.BPF_CGROUP_INET6_BIND,
    'cgroup/connect4': At.BPF_CGROUP_INET4_CONNECT,
    'cgroup/connect6': At.BPF_CGROUP_INET6_CONNECT,
    'cgroup/connect_unix': At.BPF_CGROUP_UNIX_CONNECT,
    'cgroup/sendmsg4': At.BPF_CGROUP_UDP4_SENDMSG,
    'cgroup/sendmsg6': At.BPF_CGROUP_UDP6_SENDMSG,
    'cgroup/sendmsg_unix': At.BPF_CGROUP_UNIX_SENDMSG,
    'cgroup/recvmsg4': At.BPF_CGROUP_UDP4_RECVMSG,
    'cgroup/recvmsg6': At.BPF_CGROUP_UDP6_RECVMSG,
    'cgroup/recvmsg_unix': At.BPF_CGROUP_UNIX_RECVMSG,
    'cgroup/getpeername4': At.BPF_CGROUP_INET4_GETPEERNAME,
    'cgroup/getpeername6': At.BPF_CGROUP_INET6_GETPEERNAME,
    'cgroup/getpeername_unix': At.BPF_CGROUP_UNIX_GETPEERNAME,
    'cgroup/getsockname4': At.BPF_CGROUP_INET4_GETSOCKNAME,
    'cgroup/getsockname6': At.BPF_CGROUP_INET6_GETSOCKNAME,
    'cgroup/getsockname_unix': At.BPF_CGROUP_UNIX_GETSOCKNAME,
  }),
  ...rows(Type.BPF_PROG_TYPE_CGROUP_SYSCTL, { 'cgroup/sysctl': At.BPF_CGROUP_SYSCTL }),
  ...rows(Type.BPF_PROG_TYPE_CGROUP_SOCKOPT, {
    'cgroup/getsockopt': At.BPF_CGROUP_GETSOCKOPT,
    'cgroup/setsockopt': At.BPF_CGROUP_SETSOCKOPT,
  }),
  ...rows(Type.BPF_PROG_TYPE_CGROUP_DEVICE, { 'cgroup/dev': At.BPF_CGROUP_DEVICE }),
].toSorted((a, b) => b.prefix.length - a.prefix.length);
