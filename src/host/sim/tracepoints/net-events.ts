import type { TraceEventDescriptor } from '../../index.js';
import { putText } from './event-builder.js';
import { arg, constant, fieldEvent, type Filler, text, value } from './event-fields.js';
import type { EventParts } from './event-parts.js';
import { symbolic } from './print-formats.js';

/** Packets: queued, sent, received, freed. */
export function netEvents({ members }: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  const deviceName = text(members.place(0, 'sk_buff.dev', 'net_device.name'));
  const length = members.field(0, 'sk_buff.len');
  const rawProtocol = members.read(0, 'sk_buff.protocol');
  const protocol = value((args, memory) => swap16(rawProtocol(args, memory).lo));
  const head = members.read(0, 'sk_buff.head');
  const data = members.read(0, 'sk_buff.data');
  /** Where a header begins, counted from the packet's data. */
  const headerOffset = (member: string): Filler => {
    const header = members.read(0, `sk_buff.${member}`);
    return value((args, memory) => header(args, memory).lo - ((data(args, memory).lo - head(args, memory).lo) | 0));
  };

  const device = (name: string): TraceEventDescriptor =>
    fieldEvent('net', name, '"dev=%s skbaddr=%p len=%u", __get_str(name), REC->skbaddr, REC->len', [
      ['void * skbaddr', arg(0)],
      ['unsigned int len', length],
      ['__data_loc char[] name', deviceName],
    ]);

  const napiDev = members.read(0, 'napi_struct.dev');
  const napiDevName = text(members.place(0, 'napi_struct.dev', 'net_device.name'));
  const napiDevice: Filler = (record, offset, size, args, memory) => {
    const { lo, hi } = napiDev(args, memory);
    if (lo === 0 && hi === 0) putText(record, offset, NO_DEVICE);
    else napiDevName(record, offset, size, args, memory);
  };

  return {
    net_dev_queue: device('net_dev_queue'),
    netif_rx: device('netif_rx'),
    netif_receive_skb: device('netif_receive_skb'),
    netif_rx_entry: fieldEvent(
      'net',
      'netif_rx_entry',
      '"dev=%s napi_id=%#x queue_mapping=%u skbaddr=%p vlan_tagged=%d vlan_proto=0x%04x vlan_tci=0x%04x protocol=0x%04x ip_summed=%d hash=0x%08x l4_hash=%d len=%u data_len=%u truesize=%u mac_header_valid=%d mac_header=%d nr_frags=%d gso_size=%d gso_type=%#x", __get_str(name), REC->napi_id, REC->queue_mapping, REC->skbaddr, REC->vlan_tagged, REC->vlan_proto, REC->vlan_tci, REC->protocol, REC->ip_summed, REC->hash, REC->l4_hash, REC->len, REC->data_len, REC->truesize, REC->mac_header_valid, REC->mac_header, REC->nr_frags, REC->gso_size, REC->gso_type',
      [
        ['__data_loc char[] name', deviceName],
        ['unsigned int napi_id', constant(0)],
        ['u16 queue_mapping', members.field(0, 'sk_buff.queue_mapping')],
        ['const void * skbaddr', arg(0)],
        ['bool vlan_tagged', constant(0)],
        ['u16 vlan_proto', constant(0)],
        ['u16 vlan_tci', constant(0)],
        ['u16 protocol', protocol],
        ['u8 ip_summed', members.field(0, 'sk_buff.ip_summed')],
        ['u32 hash', members.field(0, 'sk_buff.hash')],
        ['bool l4_hash', constant(0)],
        ['unsigned int len', length],
        ['unsigned int data_len', members.field(0, 'sk_buff.data_len')],
        ['unsigned int truesize', members.field(0, 'sk_buff.truesize')],
        ['bool mac_header_valid', constant(1)],
        ['int mac_header', headerOffset('mac_header')],
        ['unsigned char nr_frags', constant(0)],
        ['u16 gso_size', constant(0)],
        ['u16 gso_type', constant(0)],
      ],
    ),
    netif_rx_exit: fieldEvent('net', 'netif_rx_exit', '"ret=%d", REC->ret', [['int ret', arg(0)]]),
    net_dev_start_xmit: fieldEvent(
      'net',
      'net_dev_start_xmit',
      '"dev=%s queue_mapping=%u skbaddr=%p vlan_tagged=%d vlan_proto=0x%04x vlan_tci=0x%04x protocol=0x%04x ip_summed=%d len=%u data_len=%u network_offset=%d transport_offset_valid=%d transport_offset=%d tx_flags=%d gso_size=%d gso_segs=%d gso_type=%#x", __get_str(name), REC->queue_mapping, REC->skbaddr, REC->vlan_tagged, REC->vlan_proto, REC->vlan_tci, REC->protocol, REC->ip_summed, REC->len, REC->data_len, REC->network_offset, REC->transport_offset_valid, REC->transport_offset, REC->tx_flags, REC->gso_size, REC->gso_segs, REC->gso_type',
      [
        ['__data_loc char[] name', text(members.place(1, 'net_device.name'))],
        ['u16 queue_mapping', members.field(0, 'sk_buff.queue_mapping')],
        ['const void * skbaddr', arg(0)],
        ['bool vlan_tagged', constant(0)],
        ['u16 vlan_proto', constant(0)],
        ['u16 vlan_tci', constant(0)],
        ['u16 protocol', protocol],
        ['u8 ip_summed', members.field(0, 'sk_buff.ip_summed')],
        ['unsigned int len', length],
        ['unsigned int data_len', members.field(0, 'sk_buff.data_len')],
        ['int network_offset', headerOffset('network_header')],
        ['bool transport_offset_valid', constant(1)],
        ['int transport_offset', headerOffset('transport_header')],
        ['u8 tx_flags', constant(0)],
        ['u16 gso_size', constant(0)],
        ['u16 gso_segs', constant(0)],
        ['u16 gso_type', constant(0)],
      ],
    ),
    net_dev_xmit: fieldEvent(
      'net',
      'net_dev_xmit',
      '"dev=%s skbaddr=%p len=%u rc=%d", __get_str(name), REC->skbaddr, REC->len, REC->rc',
      [
        ['void * skbaddr', arg(0)],
        ['unsigned int len', arg(3)],
        ['int rc', arg(1)],
        ['__data_loc char[] name', text(members.place(2, 'net_device.name'))],
      ],
    ),
    napi_poll: fieldEvent(
      'napi',
      'napi_poll',
      '"napi poll on napi struct %p for device %s work %d budget %d", REC->napi, __get_str(dev_name), REC->work, REC->budget',
      [
        ['struct napi_struct * napi', arg(0)],
        ['__data_loc char[] dev_name', napiDevice],
        ['int work', arg(1)],
        ['int budget', arg(2)],
      ],
    ),
    kfree_skb: fieldEvent(
      'skb',
      'kfree_skb',
      `"skbaddr=%p protocol=%u location=%p reason: %s", REC->skbaddr, REC->protocol, REC->location, ${symbolic('reason', DROP_REASONS)}`,
      [
        ['void * skbaddr', arg(0)],
        ['void * location', arg(1)],
        ['unsigned short protocol', protocol],
        ['enum skb_drop_reason reason', arg(2)],
      ],
    ),
    consume_skb: fieldEvent('skb', 'consume_skb', '"skbaddr=%p", REC->skbaddr', [['void * skbaddr', arg(0)]]),
    skb_copy_datagram_iovec: fieldEvent(
      'skb',
      'skb_copy_datagram_iovec',
      '"skbaddr=%p len=%d", REC->skbaddr, REC->len',
      [
        ['const void * skbaddr', arg(0)],
        ['int len', arg(1)],
      ],
    ),
  };
}

const NO_DEVICE = new TextEncoder().encode('(no_device)');

const swap16 = (word: number): number => ((word & 0xff) << 8) | ((word >>> 8) & 0xff);

const DROP_REASONS: readonly (readonly [number, string])[] =
  'NOT_SPECIFIED NO_SOCKET PKT_TOO_SMALL TCP_CSUM SOCKET_FILTER UDP_CSUM NETFILTER_DROP OTHERHOST IP_CSUM IP_INHDR IP_RPFILTER UNICAST_IN_L2_MULTICAST XFRM_POLICY IP_NOPROTO SOCKET_RCVBUFF PROTO_MEM TCP_MD5NOTFOUND TCP_MD5UNEXPECTED TCP_MD5FAILURE SOCKET_BACKLOG TCP_FLAGS TCP_ZEROWINDOW TCP_OLD_DATA TCP_OVERWINDOW TCP_OFOMERGE TCP_RFC7323_PAWS TCP_INVALID_SEQUENCE TCP_RESET TCP_INVALID_SYN TCP_CLOSE TCP_FASTOPEN TCP_OLD_ACK TCP_TOO_OLD_ACK TCP_ACK_UNSENT_DATA TCP_OFO_QUEUE_PRUNE TCP_OFO_DROP IP_OUTNOROUTES BPF_CGROUP_EGRESS IPV6DISABLED NEIGH_CREATEFAIL NEIGH_FAILED NEIGH_QUEUEFULL NEIGH_DEAD TC_EGRESS QDISC_DROP CPU_BACKLOG XDP TC_INGRESS UNHANDLED_PROTO SKB_CSUM SKB_GSO_SEG SKB_UCOPY_FAULT DEV_HDR DEV_READY FULL_RING NOMEM HDR_TRUNC TAP_FILTER TAP_TXFILTER ICMP_CSUM INVALID_PROTO IP_INADDRERRORS IP_INNOROUTES PKT_TOO_BIG MAX'
    .split(' ')
    .map((name, i) => [i + 1, name] as const);
