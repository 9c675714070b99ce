import type { TraceEventDescriptor } from '../../index.js';
import {
  arg,
  bytes,
  chars,
  constant,
  fieldEvent,
  type FieldSpec,
  type Filler,
  type Place,
  value,
} from './event-fields.js';
import type { EventParts } from './event-parts.js';
import { ADDRESS_FAMILIES, symbolic, TCP_STATES } from './print-formats.js';

const AF_INET = 2;
const AF_INET6 = 10;
/** Bytes that a socket may have whatever others have. */
const SOCKET_MEMORY_LEAST = 4096;
const MEMORY_KINDS: readonly (readonly [string, string])[] = [
  ['0', 'SK_MEM_SEND'],
  ['1', 'SK_MEM_RECV'],
];
const PROTOCOLS: readonly (readonly [number, string])[] = [
  [6, 'IPPROTO_TCP'],
  [33, 'IPPROTO_DCCP'],
  [132, 'IPPROTO_SCTP'],
  [262, 'IPPROTO_MPTCP'],
];
/** Some events name the states by the kernel's own constants. */
const OWN_STATES = TCP_STATES.map(([, name]) => [name, name] as const);
const FAMILY = symbolic('family', ADDRESS_FAMILIES);
const PROTOCOL = symbolic('protocol', PROTOCOLS);
const ADDRESSES = 'REC->saddr, REC->daddr, REC->saddr_v6, REC->daddr_v6';
const ADDRESSES_FMT = 'saddr=%pI4 daddr=%pI4 saddrv6=%pI6c daddrv6=%pI6c';
const PORTS_FMT = 'family=%s sport=%hu dport=%hu';
const PORTS = `${FAMILY}, REC->sport, REC->dport`;

/** Sockets: states of connections, resets, retransmissions, what TCP measures. */
export function sockEvents({ members }: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  const common = (member: string): Filler => members.field(0, `sock.__sk_common.${member}`);
  const family = members.read(0, 'sock.__sk_common.skc_family');
  const otherPort = members.read(0, 'sock.__sk_common.skc_dport');
  const sourcePort = members.read(0, 'inet_sock.inet_sport');
  const sport = value((args, memory) => swap16(sourcePort(args, memory).lo));
  const dport = value((args, memory) => swap16(otherPort(args, memory).lo));
  const own: Ends = {
    v4: members.place(0, 'inet_sock.inet_saddr'),
    v6: members.place(0, 'sock.__sk_common.skc_v6_rcv_saddr'),
    port: sourcePort,
  };
  const other: Ends = {
    v4: members.place(0, 'sock.__sk_common.skc_daddr'),
    v6: members.place(0, 'sock.__sk_common.skc_v6_daddr'),
    port: otherPort,
  };
  const addressesOf = (from: Ends, to: Ends): readonly FieldSpec[] => [
    ['__u8 saddr[4]', bytes(from.v4)],
    ['__u8 daddr[4]', bytes(to.v4)],
    ['__u8 saddr_v6[16]', versionSix(from, family)],
    ['__u8 daddr_v6[16]', versionSix(to, family)],
  ];
  const addresses = addressesOf(own, other);
  const ports: readonly FieldSpec[] = [
    ['__u16 sport', sport],
    ['__u16 dport', dport],
    ['__u16 family', common('skc_family')],
  ];
  const cookie: FieldSpec = ['__u64 sock_cookie', common('skc_cookie.counter')];

  const tcp = (member: string): Filler => members.field(0, `tcp_sock.${member}`);
  const srtt = members.read(0, 'tcp_sock.srtt_us');

  const socket = (name: string): TraceEventDescriptor =>
    fieldEvent(
      'tcp',
      name,
      `"${PORTS_FMT} ${ADDRESSES_FMT} sock_cookie=%llx", ${PORTS}, ${ADDRESSES}, REC->sock_cookie`,
      [['const void * skaddr', arg(0)], ...ports, ...addresses, cookie],
    );
  const packet = (name: string): TraceEventDescriptor =>
    fieldEvent(
      'tcp',
      name,
      `"${PORTS_FMT} ${ADDRESSES_FMT} state=%s", ${PORTS}, ${ADDRESSES}, ${symbolic('state', OWN_STATES)}`,
      [
        ['const void * skbaddr', arg(1)],
        ['const void * skaddr', arg(0)],
        ['int state', common('skc_state')],
        ...ports,
        ...addresses,
      ],
    );
  const dataLength = members.read(1, 'sk_buff.len');
  const bounds = members.read(1, 'proto.sysctl_mem');
  const requestPort = members.read(1, 'request_sock.__req_common.skc_dport');
  const asked = addressesOf(
    {
      v4: members.place(1, 'request_sock.__req_common.skc_rcv_saddr'),
      v6: members.place(1, 'request_sock.__req_common.skc_v6_rcv_saddr'),
    },
    {
      v4: members.place(1, 'request_sock.__req_common.skc_daddr'),
      v6: members.place(1, 'request_sock.__req_common.skc_v6_daddr'),
    },
  );

  return {
    inet_sock_set_state: fieldEvent(
      'sock',
      'inet_sock_set_state',
      `"family=%s protocol=%s sport=%hu dport=%hu ${ADDRESSES_FMT} oldstate=%s newstate=%s", ${FAMILY}, ${PROTOCOL}, REC->sport, REC->dport, ${ADDRESSES}, ${symbolic('oldstate', TCP_STATES)}, ${symbolic('newstate', TCP_STATES)}`,
      [
        ['const void * skaddr', arg(0)],
        ['int oldstate', arg(1)],
        ['int newstate', arg(2)],
        ...ports,
        ['__u16 protocol', members.field(0, 'sock.sk_protocol')],
        ...addresses,
      ],
    ),
    inet_sk_error_report: fieldEvent(
      'sock',
      'inet_sk_error_report',
      `"family=%s protocol=%s sport=%hu dport=%hu ${ADDRESSES_FMT} error=%d", ${FAMILY}, ${PROTOCOL}, REC->sport, REC->dport, ${ADDRESSES}, REC->error`,
      [
        ['int error', members.field(0, 'sock.sk_err')],
        ...ports,
        ['__u16 protocol', members.field(0, 'sock.sk_protocol')],
        ...addresses,
      ],
    ),
    tcp_retransmit_skb: packet('tcp_retransmit_skb'),
    tcp_send_reset: packet('tcp_send_reset'),
    tcp_retransmit_synack: fieldEvent(
      'tcp',
      'tcp_retransmit_synack',
      `"${PORTS_FMT} ${ADDRESSES_FMT}", ${PORTS}, ${ADDRESSES}`,
      [
        ['const void * skaddr', arg(0)],
        ['const void * req', arg(1)],
        ['__u16 sport', members.field(1, 'request_sock.__req_common.skc_num')],
        ['__u16 dport', value((args, memory) => swap16(requestPort(args, memory).lo))],
        ['__u16 family', common('skc_family')],
        ...asked,
      ],
    ),
    tcp_cong_state_set: fieldEvent(
      'tcp',
      'tcp_cong_state_set',
      `"${PORTS_FMT} ${ADDRESSES_FMT} cong_state=%u", ${PORTS}, ${ADDRESSES}, REC->cong_state`,
      [['const void * skaddr', arg(0)], ...ports, ...addresses, ['__u8 cong_state', arg(1)]],
    ),
    sock_exceed_buf_limit: fieldEvent(
      'sock',
      'sock_exceed_buf_limit',
      `"proto:%s sysctl_mem=%ld,%ld,%ld allocated=%ld sysctl_rmem=%d rmem_alloc=%d sysctl_wmem=%d wmem_alloc=%d wmem_queued=%d kind=%s", REC->name, REC->sysctl_mem[0], REC->sysctl_mem[1], REC->sysctl_mem[2], REC->allocated, REC->sysctl_rmem, REC->rmem_alloc, REC->sysctl_wmem, REC->wmem_alloc, REC->wmem_queued, ${symbolic('kind', MEMORY_KINDS)}`,
      [
        ['char name[32]', chars(members.place(1, 'proto.name'))],
        ['long sysctl_mem[3]', bytes(bounds)],
        ['long allocated', arg(2)],
        ['int sysctl_rmem', constant(SOCKET_MEMORY_LEAST)],
        ['int rmem_alloc', members.field(0, 'sock.sk_backlog.rmem_alloc.counter')],
        ['int sysctl_wmem', constant(SOCKET_MEMORY_LEAST)],
        ['int wmem_alloc', constant(0)],
        ['int wmem_queued', members.field(0, 'sock.sk_wmem_queued')],
        ['int kind', arg(3)],
      ],
    ),
    tcp_receive_reset: socket('tcp_receive_reset'),
    tcp_destroy_sock: socket('tcp_destroy_sock'),
    tcp_rcv_space_adjust: socket('tcp_rcv_space_adjust'),
    tcp_probe: fieldEvent(
      'tcp',
      'tcp_probe',
      `"family=%s src=%pISpc dest=%pISpc mark=%#x data_len=%d snd_nxt=%#x snd_una=%#x snd_cwnd=%u ssthresh=%u snd_wnd=%u srtt=%u rcv_wnd=%u sock_cookie=%llx", ${FAMILY}, REC->saddr, REC->daddr, REC->mark, REC->data_len, REC->snd_nxt, REC->snd_una, REC->snd_cwnd, REC->ssthresh, REC->snd_wnd, REC->srtt, REC->rcv_wnd, REC->sock_cookie`,
      [
        ['__u8 saddr[28]', socketAddress(own, family)],
        ['__u8 daddr[28]', socketAddress(other, family)],
        ...ports,
        ['__u32 mark', members.field(1, 'sk_buff.mark')],
        ['__u16 data_len', value((args, memory) => dataLength(args, memory).lo)],
        ['__u32 snd_nxt', tcp('snd_nxt')],
        ['__u32 snd_una', tcp('snd_una')],
        ['__u32 snd_cwnd', tcp('snd_cwnd')],
        ['__u32 ssthresh', tcp('snd_ssthresh')],
        ['__u32 snd_wnd', tcp('snd_wnd')],
        ['__u32 srtt', value((args, memory) => srtt(args, memory).lo >>> 3)],
        ['__u32 rcv_wnd', tcp('rcv_wnd')],
        cookie,
      ],
    ),
  };
}

const swap16 = (word: number): number => ((word & 0xff) << 8) | ((word >>> 8) & 0xff);

/** Where one end of a socket has its addresses, and its port in network order. */
interface Ends {
  readonly v4: Place;
  readonly v6: Place;
  readonly port?: Place;
}

/** The address of a socket of version 6, or one of version 4 in its form. */
function versionSix({ v4, v6 }: Ends, family: Place): Filler {
  return (record, offset, size, args, memory) => {
    const at = record.start + offset;
    if (family(args, memory).lo === AF_INET6) return bytes(v6)(record, offset, size, args, memory);
    record.data.fill(0xff, at + 10, at + 12);
    bytes(v4)(record, offset + 12, 4, args, memory);
  };
}

/** struct sockaddr_in or sockaddr_in6 in a field of 28 bytes. */
function socketAddress({ v4, v6, port }: Ends, family: Place): Filler {
  return (record, offset, _size, args, memory) => {
    const at = record.start + offset;
    const six = family(args, memory).lo === AF_INET6;
    record.data[at] = six ? AF_INET6 : AF_INET;
    const number = port?.(args, memory).lo ?? 0;
    record.data[at + 2] = number & 0xff;
    record.data[at + 3] = (number >>> 8) & 0xff;
    if (six) bytes(v6)(record, offset + 8, 16, args, memory);
    else bytes(v4)(record, offset + 4, 4, args, memory);
  };
}
