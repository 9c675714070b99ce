import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import { countBy, log2, signed, tgidOf } from '../journal-models.js';
import { decode, slots } from '../layout.js';
import {
  AF_INET,
  AF_INET6,
  addressOf,
  during,
  isAny,
  isMapped,
  type SocketEntry,
  socketEntries,
} from '../socket-journal.js';
import type { ToolSession } from '../tool-session.js';
import { events, rows, sums, type Tool, WEB } from '../tool.js';

const IPPROTO_TCP = 6;
const SOCK_STREAM = 1;
const NETNS = 4_026_531_840;
const SYN_SENT = 2n;
const SYN_RECV = 3n;
/** Of tcptracer's events. */
const CONNECT = 0;
const ACCEPT = 1;
const CLOSE = 2;
const swap = (port: number): number => ((port & 0xff) << 8) | (port >> 8);

/** Two 128-bit addresses as the tools' events begin. */
const ADDRESSES = { s0: 'u64', s1: 'u64', d0: 'u64', d1: 'u64' } as const;

/** Sockets of both versions with every option, ports that are taken, and ports that the kernel chooses. */
const BINDS = `op listen:2000 sleep:3000 close &
op listen:2000 sleep:100 close
op reuseaddr listen:2001 close
op reuseport listen:2002 sleep:2000 &
op reuseport listen:2002
op freebind listen:2003
op transparent reuseaddr listen:2004
op noport listen:0
op listen:0
op listen6:2005
op v6only listen6:2006
op reuseport freebind listen6:2007
op listen6:0
httpd 80 1 &
httpd 81 1 :: &
curl 80 /etc/motd 62
curl 81 /etc/motd 62 ::1
wait`;

const told = (session: ToolSession, kind: number): SocketEntry[] => socketEntries(session.host.journal.entries(), kind);
const connects = (session: ToolSession): SocketEntry[] => told(session, Kind.TCP_CONNECT).filter(({ d }) => d === 0n);
/** The version that a connection is made by, whatever the socket is of. */
const version = ({ peer }: SocketEntry): number => (isMapped(peer) ? AF_INET : AF_INET6);

/** The first entry of a kind behind another one, that is of the same socket. */
function next(session: ToolSession, { time, socket }: SocketEntry, kind: number, b: bigint): bigint | undefined {
  return session.journal(kind).find((entry) => entry.time >= time && entry.a === socket && entry.b === b)?.time;
}

export const netTools: readonly Tool[] = [
  {
    name: 'bindsnoop',
    workload: { script: BINDS, seed: 3 },
    variables: { ignore_errors: false },
    leavesOut: 'what its program reads behind the four bytes of an IPv4 address, which its user space does not look at',
    compares:
      'address, port, process, result, protocol, options, version and name of each bind, and a time within the call',
    compare: (session) => {
      const binds = told(session, Kind.BIND);
      const left = [...binds];
      const seen = events(session, {
        a0: 'u64',
        a1: 'u64',
        ts: 'u64',
        pid: 'u32',
        device: 'u32',
        ret: 'i32',
        port: 'u16',
        proto: 'u16',
        opts: 'u8',
        ver: 'u8',
        comm: 16,
      });
      return rows(
        seen.map(({ a0, a1, ts, pid, device, ret, port, proto, opts, ver, comm }) => {
          const at = left.findIndex((entry) => tgidOf(entry.a) === pid && during(entry, ts));
          const address = ver === 4 ? [a0 & 0xffff_ffffn, 0n] : [a0, a1];
          return [...address, pid, device, ret, port, proto, opts, ver, comm, left.splice(at, at < 0 ? 0 : 1).length];
        }),
        binds.map(({ a, c, d, own, comm }) => [
          ...addressOf(own, own.family),
          tgidOf(a),
          0,
          signed(d),
          own.port,
          IPPROTO_TCP,
          c,
          own.family === AF_INET ? 4 : 6,
          comm,
          1,
        ]),
      );
    },
  },
  {
    name: 'solisten',
    workload: { script: BINDS, seed: 3 },
    without: ['inet_listen_entry', 'inet_listen_exit'],
    compares: 'address, process, protocol, backlog, result, port and name of each listen',
    compare: (session) =>
      rows(
        events(session, {
          a0: 'u64',
          a1: 'u64',
          pid: 'u32',
          proto: 'u32',
          backlog: 'i32',
          ret: 'i32',
          port: 'u16',
          comm: 16,
        }).map(Object.values),
        told(session, Kind.LISTEN).map(({ a, c, d, own, comm }) => [
          ...addressOf(own, own.family),
          tgidOf(a),
          own.family * 0x1_0000 + SOCK_STREAM,
          c,
          signed(d),
          own.port,
          comm,
        ]),
      ),
  },
  {
    name: 'tcpconnect',
    workload: WEB,
    variables: { source_port: true },
    compares: 'addresses, ports, version, process, user and name of each connect, and a time within the call',
    compare: (session) => {
      const made = connects(session);
      const seen = events(session, {
        ...ADDRESSES,
        comm: 16,
        ts: 'u64',
        af: 'u32',
        pid: 'u32',
        uid: 'u32',
        sport: 'u16',
        dport: 'u16',
      });
      return rows(
        seen.map(({ s0, s1, d0, d1, comm, ts, af, pid, uid, dport, sport }) => {
          const inside = made.some((entry) => tgidOf(entry.a) === pid && during(entry, ts));
          return [s0, s1, d0, d1, comm, af, pid, uid, swap(dport), sport, inside];
        }),
        made.map((entry) => [
          ...addressOf(entry.own, version(entry)),
          ...addressOf(entry.peer, version(entry)),
          entry.comm,
          version(entry),
          tgidOf(entry.a),
          0,
          entry.peer.port,
          entry.own.port,
          true,
        ]),
      );
    },
  },
  {
    name: 'tcpconnlat',
    workload: WEB,
    without: ['tcp_v4_connect', 'tcp_v6_connect', 'tcp_rcv_state_process'],
    compares:
      'addresses, ports, family, process and name of each connect that was answered; the latency and the time lie between what the journal has around them',
    compare: (session) => {
      const made = connects(session);
      const spans = new Map(made.map((entry) => [entry.own.port, entry]));
      /** From the SYN to the answer at least, from the call to what came of the answer at most. */
      const fits = (port: number, us: bigint, at: bigint): boolean => {
        const entry = spans.get(port);
        const sent = session
          .journal(Kind.SOCK_STATE)
          .findLast(
            ({ time, a, c }) => entry !== undefined && a === entry.socket && c === SYN_SENT && time <= entry.time,
          );
        const done =
          entry === undefined
            ? undefined
            : (next(session, entry, Kind.SOCK_STATE, SYN_SENT) ?? next(session, entry, Kind.TCP_RESET, 1n));
        if (entry === undefined || sent === undefined || done === undefined) return false;
        const least = (entry.time - sent.time) / 1000n;
        return us >= least && us <= (done - entry.entered) / 1000n && at <= done / 1000n && at >= entry.time / 1000n;
      };
      return rows(
        events(session, {
          ...ADDRESSES,
          comm: 16,
          delta: 'u64',
          ts: 'u64',
          tgid: 'u32',
          af: 'i32',
          lport: 'u16',
          dport: 'u16',
        }).map(({ s0, s1, d0, d1, comm, delta, ts, tgid, af, lport, dport }) => [
          s0,
          s1,
          d0,
          d1,
          comm,
          tgid,
          af,
          lport,
          swap(dport),
          fits(lport, delta, ts),
        ]),
        made.map(({ a, own, peer, comm }) => [
          ...addressOf(own, own.family),
          ...addressOf(peer, peer.family),
          comm,
          tgidOf(a),
          own.family,
          own.port,
          peer.port,
          true,
        ]),
      );
    },
  },
  {
    name: 'tcptracer',
    workload: WEB,
    leavesOut: 'connects of IPv6 sockets to IPv4 addresses, of which it does not tell on Linux either',
    compares:
      'addresses, ports, network namespace, family, process, user, name and kind of each connect, accept and close, and a time in the call',
    compare: (session) => {
      const established = (entry: SocketEntry): boolean =>
        session
          .journal(Kind.SOCK_STATE)
          .some(({ time, a, b, c }) => time >= entry.time && a === entry.socket && b === SYN_SENT && c === 1n);
      const named = ({ own, peer }: SocketEntry): boolean =>
        !isAny(own) && !isAny(peer) && own.port !== 0 && peer.port !== 0;
      const happened = [
        ...connects(session)
          .filter((entry) => established(entry) && version(entry) === entry.own.family)
          .map((entry) => ({ entry, type: CONNECT })),
        ...told(session, Kind.TCP_ACCEPT)
          .filter(({ d }) => signed(d) >= 0)
          .map((entry) => ({ entry, type: ACCEPT })),
        ...told(session, Kind.TCP_CLOSE)
          .filter((entry) => named(entry) && entry.c !== SYN_SENT && entry.c !== SYN_RECV)
          .map((entry) => ({ entry, type: CLOSE })),
      ];
      return rows(
        events(session, {
          ...ADDRESSES,
          comm: 16,
          ts: 'u64',
          af: 'u32',
          pid: 'u32',
          uid: 'u32',
          netns: 'u32',
          dport: 'u16',
          sport: 'u16',
          type: 'u8',
        }).map(({ ts, dport, sport, pid, type, comm, ...rest }) => [
          ...Object.values(rest),
          pid,
          comm,
          swap(dport),
          swap(sport),
          type,
          happened.some(({ entry, type: kind }) => kind === type && tgidOf(entry.a) === pid && during(entry, ts)),
        ]),
        happened.map(({ entry: { a, own, peer, comm }, type }) => [
          ...addressOf(own, own.family),
          ...addressOf(peer, peer.family),
          own.family,
          0,
          NETNS,
          tgidOf(a),
          comm,
          peer.port,
          own.port,
          type,
          true,
        ]),
      );
    },
  },
  {
    name: 'tcpsynbl',
    workload: WEB,
    without: ['tcp_v4_syn_recv_kprobe', 'tcp_v6_syn_recv_kprobe'],
    compares: 'connections that wait to be accepted as each handshake completes, by log2, for each bound',
    compare: (session) => {
      const children = session.journal(Kind.TCP_CHILD);
      return sums(
        session
          .elements('hists')
          .flatMap(({ key, value }) =>
            slots(value, 32).flatMap((count, slot) =>
              count === 0 ? [] : [`${decode({ bound: 'u64' }, key).bound} ${slot}: ${count}`],
            ),
          ),
        countBy(children, ({ b, c }) => `${c} ${log2(b)}`),
        children.length,
      );
    },
  },
];
