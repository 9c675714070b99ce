import type { TraceEventDescriptor } from '../../index.js';
import { arg, fieldEvent, type FieldSpec, type Filler, value } from './event-fields.js';
import type { EventParts } from './event-parts.js';
import { ADDRESS_FAMILIES, symbolic, TCP_STATES } from './print-formats.js';

const AF_INET = 2;
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
  const otherPort = members.read(0, 'sock.__sk_common.skc_dport');
  const ownPort = common('skc_num');
  const dport = value((args, memory) => swap16(otherPort(args, memory).lo));
  const own = members.place(0, 'sock.__sk_common.skc_rcv_saddr');
  const other = members.place(0, 'sock.__sk_common.skc_daddr');

  /** An address of version 4 in the form of version 6. */
  const mapped =
    (place: typeof own): Filler =>
    (record, offset, _size, args, memory) => {
      record.data.fill(0xff, record.start + offset + 10, record.start + offset + 12);
      const { lo, hi } = place(args, memory);
      memory.readKernel(lo, hi, record.data, record.start + offset + 12, 4);
    };
  const four =
    (place: typeof own): Filler =>
    (record, offset, size, args, memory) => {
      const { lo, hi } = place(args, memory);
      memory.readKernel(lo, hi, record.data, record.start + offset, size);
    };
  const addresses: readonly FieldSpec[] = [
    ['__u8 saddr[4]', four(own)],
    ['__u8 daddr[4]', four(other)],
    ['__u8 saddr_v6[16]', mapped(own)],
    ['__u8 daddr_v6[16]', mapped(other)],
  ];
  const ports: readonly FieldSpec[] = [
    ['__u16 sport', ownPort],
    ['__u16 dport', dport],
    ['__u16 family', common('skc_family')],
  ];
  const cookie: FieldSpec = ['__u64 sock_cookie', common('skc_cookie.counter')];

  /** struct sockaddr_in in a field of 28 bytes. */
  const socketAddress =
    (place: typeof own, port: (args: Int32Array, memory: Parameters<Filler>[4]) => number): Filler =>
    (record, offset, _size, args, memory) => {
      const at = record.start + offset;
      record.data[at] = AF_INET;
      const number = port(args, memory);
      record.data[at + 2] = number & 0xff;
      record.data[at + 3] = (number >>> 8) & 0xff;
      const { lo, hi } = place(args, memory);
      memory.readKernel(lo, hi, record.data, at + 4, 4);
    };
  const sport = members.read(0, 'inet_sock.inet_sport');
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
    tcp_receive_reset: socket('tcp_receive_reset'),
    tcp_destroy_sock: socket('tcp_destroy_sock'),
    tcp_rcv_space_adjust: socket('tcp_rcv_space_adjust'),
    tcp_probe: fieldEvent(
      'tcp',
      'tcp_probe',
      `"family=%s src=%pISpc dest=%pISpc mark=%#x data_len=%d snd_nxt=%#x snd_una=%#x snd_cwnd=%u ssthresh=%u snd_wnd=%u srtt=%u rcv_wnd=%u sock_cookie=%llx", ${FAMILY}, REC->saddr, REC->daddr, REC->mark, REC->data_len, REC->snd_nxt, REC->snd_una, REC->snd_cwnd, REC->ssthresh, REC->snd_wnd, REC->srtt, REC->rcv_wnd, REC->sock_cookie`,
      [
        ['__u8 saddr[28]', socketAddress(own, (args, memory) => sport(args, memory).lo)],
        ['__u8 daddr[28]', socketAddress(other, (args, memory) => otherPort(args, memory).lo)],
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
