import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import type { Watch } from '../execution.js';
import { decode, slots } from '../layout.js';
import type { Look } from '../look.js';
import type { Moment } from '../story.js';
import { events, histogram, histograms, rows, slotOf, sums, type Tool, WEB } from '../tool.js';
import type { ToolSession } from '../tool-session.js';

const AF_INET6 = 10;
const TCP = { SYN_SENT: 2, FIN_WAIT1: 4, CLOSE: 7, LAST_ACK: 9 } as const;

/** 16 bytes of which version 4 fills the first four. */
const addressField = <const N extends string>(name: N) =>
  ({ [name]: 'u32', [`${name}1`]: 'u32', [`${name}2`]: 'u32', [`${name}3`]: 'u32' }) as Record<
    N | `${N}1` | `${N}2` | `${N}3`,
    'u32'
  >;

interface Sock {
  readonly family: number;
  /** Four words of each address; of version 4 only the first, the others are 0. */
  readonly ends: readonly number[];
  /** The port that it has now, and the one that it had before it was closed. */
  readonly num: number;
  readonly sport: number;
  readonly dport: number;
  readonly received: bigint;
  readonly acked: bigint;
  /** Words of the socket from each address on: tcpstates copies 16 bytes of both, whatever the family. */
  readonly beside: readonly number[];
}

const swap16 = (value: number): number => ((value & 0xff) << 8) | (value >> 8);

/** What memory has of a socket at that moment; the journal has its address alone. */
function sockAt(look: Look, sk: bigint): Sock {
  const common = (member: string): bigint => look.member(sk, 'sock', `__sk_common.${member}`);
  const family = look.u16(common('skc_family'));
  const members = family === AF_INET6 ? ['skc_v6_rcv_saddr', 'skc_v6_daddr'] : ['skc_rcv_saddr', 'skc_daddr'];
  const beside = members.flatMap((member) => [0n, 4n, 8n, 12n].map((offset) => look.u32(common(member) + offset)));
  return {
    family,
    ends: beside.map((word, at) => (family === AF_INET6 || at % 4 === 0 ? word : 0)),
    num: look.u16(common('skc_num')),
    sport: swap16(look.u16(look.member(sk, 'inet_sock', 'inet_sport'))),
    dport: swap16(look.u16(common('skc_dport'))),
    received: look.u64(look.member(sk, 'tcp_sock', 'bytes_received')),
    acked: look.u64(look.member(sk, 'tcp_sock', 'bytes_acked')),
    beside,
  };
}

interface StateChange {
  readonly moment: Moment;
  readonly sk: bigint;
  readonly oldstate: number;
  readonly newstate: number;
  /** When programs saw it. */
  readonly time: bigint;
  readonly sock: Sock;
}

const STATE_READS = { inet_sock_set_state: (look: Look, args: bigint) => sockAt(look, look.u64(args)) };

/** Changes of state as the journal tells of them. */
function stateChanges(session: ToolSession): StateChange[] {
  const passes = session.passes(Kind.SOCK_STATE, 'inet_sock_set_state');
  return session.story((moment) => {
    const pass = passes.get(moment.index);
    if (moment.kind !== Kind.SOCK_STATE || pass === undefined) return [];
    const [oldstate, newstate] = [Number(moment.b), Number(moment.c)];
    return [{ moment, sk: moment.a, oldstate, newstate, time: pass.time, sock: pass.seen as Sock }];
  });
}

/** A connection's life as tcplife tells it: born at its last state before closing began, its owner who opened or last closed. */
function lives(session: ToolSession): unknown[][] {
  const births = new Map<bigint, bigint>();
  const owners = new Map<bigint, { pid: number; comm: string }>();
  return stateChanges(session).flatMap(({ moment: { task }, sk, newstate, time, sock }) => {
    const { tgid: pid, comm } = task;
    if (newstate < TCP.FIN_WAIT1) births.set(sk, time);
    if (newstate === TCP.SYN_SENT || newstate === TCP.LAST_ACK) owners.set(sk, { pid, comm });
    if (newstate !== TCP.CLOSE) return [];
    const born = births.get(sk);
    const owner = owners.get(sk) ?? { pid, comm };
    births.delete(sk);
    owners.delete(sk);
    if (born === undefined) return [];
    const { family, ends, sport, dport, received, acked } = sock;
    const [at, span] = [time / 1000n, (time - born) / 1000n];
    return [[...ends, at, span, received, acked, owner.pid, sport, dport, family, owner.comm]];
  });
}

const RTT: Watch = {
  symbol: 'tcp_rcv_established',
  enter: (look) => ({
    local: look.u32(look.member(look.argument(0), 'inet_sock', 'inet_saddr')),
    us: look.u32(look.member(look.argument(0), 'tcp_sock', 'srtt_us')) >> 3,
  }),
};

const TRANSFERS: readonly Watch[] = ['tcp_sendmsg', 'tcp_cleanup_rbuf'].map((symbol) => ({
  symbol,
  enter: (look) => sockAt(look, look.argument(0)),
}));

/** Bytes sent and received by connection and process. */
function traffic(session: ToolSession): string[] {
  const sent = session.execution.callsOf('tcp_sendmsg');
  const calls = [...sent, ...session.execution.callsOf('tcp_cleanup_rbuf')];
  const tasks = session.tasksOf(calls);
  const totals = new Map<string, { sent: bigint; received: bigint }>();
  for (const call of calls) {
    const { family, ends, num, dport } = call.seen as Sock;
    const key = String([...ends, call.tgid, tasks.get(call)?.comm, num, dport, family]);
    const total = totals.get(key) ?? { sent: 0n, received: 0n };
    const sending = call.symbol === 'tcp_sendmsg';
    const bytes = sending ? (call.args[2] ?? 0n) : BigInt.asIntN(32, call.args[1] ?? 0n);
    if (bytes <= 0n) continue;
    totals.set(key, {
      sent: total.sent + (sending ? bytes : 0n),
      received: total.received + (sending ? 0n : bytes),
    });
  }
  return [...totals].map(([key, each]) => `${key}: ${each.sent} ${each.received}`);
}

export const tcpTools: readonly Tool[] = [
  {
    name: 'tcplife',
    workload: WEB,
    reads: STATE_READS,
    compares: 'every connection: addresses, end, microseconds, bytes of both ways, process, ports, family, name',
    compare: (session) =>
      rows(
        events(session, {
          ...addressField('saddr'),
          ...addressField('daddr'),
          ts_us: 'u64',
          span_us: 'u64',
          rx_b: 'u64',
          tx_b: 'u64',
          pid: 'u32',
          sport: 'u16',
          dport: 'u16',
          family: 'u16',
          comm: 16,
        }).map((event) => Object.values(event)),
        lives(session),
      ),
  },
  {
    name: 'tcpstates',
    workload: WEB,
    reads: STATE_READS,
    compares: 'every change: addresses, socket, time, microseconds, process, states, family, ports, name',
    compare: (session) => {
      const since = new Map<bigint, bigint>();
      return rows(
        events(session, {
          ...addressField('saddr'),
          ...addressField('daddr'),
          skaddr: 'u64',
          ts_us: 'u64',
          delta_us: 'u64',
          pid: 'u32',
          oldstate: 'i32',
          newstate: 'i32',
          family: 'u16',
          sport: 'u16',
          dport: 'u16',
          task: 16,
        }).map((event) => Object.values(event)),
        stateChanges(session).map(({ moment, sk, oldstate, newstate, time, sock }) => {
          const began = since.get(sk) ?? time;
          if (newstate === TCP.CLOSE) since.delete(sk);
          else since.set(sk, time);
          const times = [time / 1000n, (time - began) / 1000n];
          const { tgid, comm } = moment.task;
          return [...sock.beside, sk, ...times, tgid, oldstate, newstate, sock.family, sock.sport, sock.dport, comm];
        }),
      );
    },
  },
  {
    name: 'tcprtt',
    workload: WEB,
    variables: { targ_laddr_hist: true, targ_show_ext: true },
    without: ['tcp_rcv_kprobe'],
    watches: [RTT],
    compares: 'sum, number and histogram of microseconds by own address',
    compare: (session) => {
      const seen = session.execution.callsOf(RTT.symbol).map((call) => call.seen as { local: number; us: number });
      const totals = new Map<number, { us: number; count: number }>();
      for (const { local, us } of seen) {
        const total = totals.get(local) ?? { us: 0, count: 0 };
        totals.set(local, { us: total.us + us, count: total.count + 1 });
      }
      return sums(
        session.elements('hists').flatMap(({ key, value }) => {
          const { latency, count } = decode({ latency: 'u64', count: 'u64' }, value);
          const own = decode({ own: 'u64' }, key).own;
          return [histogram(String(own), slots(value, 27, 16)), `sums of ${own}: ${latency} ${count}`];
        }),
        [
          ...histograms(
            seen,
            ({ local }) => String(local),
            (each) => slotOf(BigInt(each.us), 27),
          ),
          ...[...totals].map(([local, { us, count }]) => `sums of ${local}: ${us} ${count}`),
        ],
        seen.length,
      );
    },
  },
  {
    name: 'tcptop',
    workload: WEB,
    watches: TRANSFERS,
    compares: 'bytes of both ways by addresses, process, name, ports and family',
    compare: (session) => {
      const elements = session.elements('ip_map');
      return sums(
        elements.map(({ key, value }) => {
          const id = decode(
            {
              ...addressField('saddr'),
              ...addressField('daddr'),
              pid: 'u32',
              name: 16,
              lport: 'u16',
              dport: 'u16',
              family: 'u16',
            },
            key,
          );
          const { sent, received } = decode({ sent: 'u64', received: 'u64' }, value);
          return `${String(Object.values(id))}: ${sent} ${received}`;
        }),
        traffic(session),
        elements.length,
      );
    },
  },
];
