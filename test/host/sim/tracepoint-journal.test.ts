import { beforeAll, describe, expect, it } from 'vitest';
import {
  createSim,
  type JournalEntry,
  JournalKind as Kind,
  type SimHost,
  type SimOptions,
} from '../../../src/host/sim/index.js';
import { runToEnd, signed } from './kernel-machine.js';
import { startTracing, type TracepointHit } from './sim-fixture.js';

const low = (task: bigint): number => Number(task & 0xffff_ffffn);
/** Fields of 64 bits come as numbers of the same sign. */
const word = signed;

type Told = readonly (number | string)[];

/** What an event says, and what the journal says of the same thing. */
interface Row {
  readonly event: string;
  readonly kind: number;
  readonly when?: (entry: JournalEntry) => boolean;
  readonly journal: (entry: JournalEntry) => Told;
  readonly fields: readonly string[];
}

const stat = (event: string, which: bigint, field = 'delay'): Row => ({
  event,
  kind: Kind.SCHED_STAT,
  when: ({ b }) => b === which,
  journal: ({ a, c }) => [low(a), word(c)],
  fields: ['pid', field],
});
const fault = (event: string, user: bigint): Row => ({
  event,
  kind: Kind.PAGE_FAULT,
  when: ({ d }) => d === user,
  journal: ({ a, b, c }) => [word(a), word(b), word(c)],
  fields: ['address', 'ip', 'error_code'],
});
const cachePage = (event: string, kind: number): Row => ({
  event,
  kind,
  journal: ({ a, b, c }) => [word(a), word(b), word(c)],
  fields: ['pfn', 'i_ino', 'index'],
});

const rows: readonly Row[] = [
  {
    event: 'signal_generate',
    kind: Kind.SIGNAL_GENERATE,
    journal: ({ b, c, d }) => [word(b), low(c), word(d)],
    fields: ['sig', 'pid', 'result'],
  },
  {
    event: 'signal_deliver',
    kind: Kind.SIGNAL_DELIVER,
    journal: ({ b, c, d }) => [word(b), word(c), word(d)],
    fields: ['sig', 'sa_handler', 'sa_flags'],
  },
  {
    event: 'task_newtask',
    kind: Kind.FORK,
    journal: ({ b, c }) => [low(b), word(c)],
    fields: ['pid', 'clone_flags'],
  },
  {
    event: 'task_rename',
    kind: Kind.RENAME,
    journal: ({ a, text }) => [low(a), text],
    fields: ['pid', 'newcomm'],
  },
  stat('sched_stat_wait', 0n),
  stat('sched_stat_sleep', 1n),
  stat('sched_stat_iowait', 2n),
  stat('sched_stat_blocked', 3n),
  stat('sched_stat_runtime', 4n, 'runtime'),
  {
    event: 'sched_migrate_task',
    kind: Kind.MIGRATE,
    journal: ({ a, b, c }) => [low(a), low(b), low(c)],
    fields: ['pid', 'orig_cpu', 'dest_cpu'],
  },
  {
    event: 'kmalloc',
    kind: Kind.KMALLOC,
    journal: ({ a, b, c, d }) => [word(a), word(b), word(c), word(d)],
    fields: ['ptr', 'bytes_req', 'bytes_alloc', 'call_site'],
  },
  {
    event: 'kfree',
    kind: Kind.KFREE,
    journal: ({ a, b }) => [word(a), word(b)],
    fields: ['ptr', 'call_site'],
  },
  {
    event: 'kmem_cache_alloc',
    kind: Kind.CACHE_ALLOC,
    journal: ({ a, b, c, d }) => [word(a), word(b), word(c), word(d)],
    fields: ['ptr', 'bytes_req', 'bytes_alloc', 'call_site'],
  },
  {
    event: 'kmem_cache_free',
    kind: Kind.CACHE_FREE,
    journal: ({ a, b }) => [word(a), word(b)],
    fields: ['ptr', 'call_site'],
  },
  {
    event: 'mm_page_alloc',
    kind: Kind.PAGE_ALLOC,
    journal: ({ a, b, c }) => [word(a), word(b), word(c)],
    fields: ['pfn', 'order', 'gfp_flags'],
  },
  {
    event: 'mm_page_free',
    kind: Kind.PAGE_FREE,
    journal: ({ a, b }) => [word(a), word(b)],
    fields: ['pfn', 'order'],
  },
  {
    event: 'rss_stat',
    kind: Kind.RSS_STAT,
    journal: ({ b, c }) => [word(b), word(c) * 4096],
    fields: ['member', 'size'],
  },
  fault('page_fault_user', 1n),
  fault('page_fault_kernel', 0n),
  { event: 'softirq_raise', kind: Kind.SOFTIRQ_RAISE, journal: ({ a }) => [word(a)], fields: ['vec'] },
  {
    event: 'cpu_frequency',
    kind: Kind.CPU_FREQUENCY,
    journal: ({ a, b }) => [word(a), word(b)],
    fields: ['state', 'cpu_id'],
  },
  { event: 'cpu_idle', kind: Kind.CPU_IDLE, journal: ({ a, b }) => [word(a), word(b)], fields: ['state', 'cpu_id'] },
  {
    event: 'contention_begin',
    kind: Kind.LOCK_CONTENTION,
    when: ({ c }) => c === 0n,
    journal: ({ b, d }) => [word(b), word(d)],
    fields: ['lock_addr', 'flags'],
  },
  {
    event: 'contention_end',
    kind: Kind.LOCK_CONTENTION,
    when: ({ c }) => c === 1n,
    journal: ({ b, d }) => [word(b), word(d)],
    fields: ['lock_addr', 'ret'],
  },
  cachePage('mm_filemap_add_to_page_cache', Kind.PAGE_CACHE_ADD),
  cachePage('mm_filemap_delete_from_page_cache', Kind.PAGE_CACHE_DELETE),
  {
    event: 'writeback_dirty_folio',
    kind: Kind.DIRTY_FOLIO,
    journal: ({ a, b }) => [word(a), word(b)],
    fields: ['ino', 'index'],
  },
  {
    event: 'writeback_start',
    kind: Kind.WRITEBACK,
    when: ({ a }) => a === 0n,
    journal: ({ b }) => [word(b)],
    fields: ['nr_pages'],
  },
  {
    event: 'writeback_written',
    kind: Kind.WRITEBACK,
    when: ({ a }) => a === 1n,
    journal: ({ b }) => [word(b)],
    fields: ['nr_pages'],
  },
  {
    event: 'block_bio_queue',
    kind: Kind.BIO_QUEUE,
    journal: ({ b, c, d }) => [word(b), word(c) / 512, d === 0n ? 'R' : 'W'],
    fields: ['sector', 'nr_sector', 'rwbs'],
  },
];

const packetRow = (event: string, kind: number): Row => ({
  event,
  kind,
  journal: ({ a, b }) => [word(a), word(b)],
  fields: ['skbaddr', 'len'],
});
const freed = (event: string, drop: boolean): Row => ({
  event,
  kind: Kind.SKB_FREE,
  when: ({ b }) => (b !== 0n) === drop,
  journal: ({ a, b }) => (drop ? [word(a), word(b)] : [word(a)]),
  fields: drop ? ['skbaddr', 'reason'] : ['skbaddr'],
});

const netRows: readonly Row[] = [
  {
    event: 'inet_sock_set_state',
    kind: Kind.SOCK_STATE,
    journal: ({ a, b, c }) => [word(a), word(b), word(c)],
    fields: ['skaddr', 'oldstate', 'newstate'],
  },
  {
    event: 'tcp_retransmit_skb',
    kind: Kind.TCP_RETRANSMIT,
    journal: ({ a, b }) => [word(a), word(b)],
    fields: ['skaddr', 'state'],
  },
  {
    event: 'tcp_receive_reset',
    kind: Kind.TCP_RESET,
    when: ({ b }) => b === 1n,
    journal: ({ a }) => [word(a)],
    fields: ['skaddr'],
  },
  {
    event: 'tcp_send_reset',
    kind: Kind.TCP_RESET,
    when: ({ b }) => b === 0n,
    journal: ({ a, c }) => [word(a), word(c)],
    fields: ['skaddr', 'state'],
  },
  { event: 'tcp_destroy_sock', kind: Kind.TCP_DESTROY, journal: ({ a }) => [word(a)], fields: ['skaddr'] },
  { event: 'tcp_rcv_space_adjust', kind: Kind.TCP_SPACE, journal: ({ a }) => [word(a)], fields: ['skaddr'] },
  packetRow('net_dev_queue', Kind.NET_QUEUE),
  packetRow('net_dev_xmit', Kind.NET_XMIT),
  packetRow('netif_receive_skb', Kind.NET_RECEIVE),
  packetRow('netif_rx', Kind.NETIF_RX),
  packetRow('netif_rx_entry', Kind.NETIF_RX),
  { event: 'netif_rx_exit', kind: Kind.NETIF_RX, journal: () => [0], fields: ['ret'] },
  {
    event: 'tcp_cong_state_set',
    kind: Kind.TCP_CONGESTION,
    journal: ({ a, c }) => [word(a), word(c)],
    fields: ['skaddr', 'cong_state'],
  },
  { event: 'napi_poll', kind: Kind.NAPI_POLL, journal: ({ a, b }) => [word(a), word(b)], fields: ['napi', 'work'] },
  freed('kfree_skb', true),
  freed('consume_skb', false),
];

/** A server that answers, one that goes away with the request unread, and ports where nobody is. */
const LOSSY = `httpd 80 8 &
repeat 8
curl 80 /src/parse.c
end
op accept:90 sleep:900000 close &
op dial:90 write:64 sleep:1900000 close
op connect:81
wait`;

const ofGroup = (event: string, kind: number): Row => ({
  event,
  kind,
  journal: ({ text, c, d }) => [text, word(c), word(d), 0],
  fields: ['path', 'id', 'level', 'root'],
});
const groupRows: readonly Row[] = [
  ofGroup('cgroup_mkdir', Kind.CGROUP_MKDIR),
  ofGroup('cgroup_rmdir', Kind.CGROUP_RMDIR),
  {
    event: 'cgroup_attach_task',
    kind: Kind.CGROUP_ATTACH,
    journal: ({ a, text, c, d }) => [low(a), text, word(c), word(d)],
    fields: ['pid', 'dst_path', 'dst_id', 'dst_level'],
  },
];
const GROUPS = `repeat 3
names mkdir:/sys/fs/cgroup/g$i mkdir:/sys/fs/cgroup/g$i/h > /tmp/out
cgexec /sys/fs/cgroup/g$i/h cat /etc/motd | cgexec /sys/fs/cgroup/g$i wc
names rmdir:/sys/fs/cgroup/g$i/h rmdir:/sys/fs/cgroup/g$i > /tmp/out
end`;

/** With no hit the row would prove nothing. */
const LEAST = 1;

/** Runs a machine with the rows' tracepoints on and compares. */
function compareAll(compared: readonly Row[], options: SimOptions): void {
  let host: SimHost;
  const hits = new Map<string, TracepointHit[]>();

  beforeAll(() => {
    host = createSim(options);
    for (const { event } of compared) hits.set(event, []);
    startTracing(
      host,
      compared.map(({ event }) => event),
      (hit) => hits.get(hit.name)?.push(hit),
    );
    expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
  });

  it.each(compared)('$event', ({ event, kind, when, journal, fields }) => {
    const expected = [...host.journal.entries(kind)].filter((entry) => when?.(entry) ?? true).map(journal);
    const told = (hits.get(event) ?? []).map((hit) =>
      fields.map((field) => (field === 'rwbs' ? String(hit.fields[field]).slice(0, 1) : hit.fields[field])),
    );
    const sorted = (list: readonly (readonly unknown[])[]): string[] => list.map(String).toSorted();
    expect(told.length).toBeGreaterThanOrEqual(LEAST);
    expect(sorted(told)).toEqual(sorted(expected));
  });
}

describe('what each tracepoint tells is what the journal has', () => {
  compareAll(rows, { workload: 'mixed', seed: 8 });
});

describe('what the network tells is what the journal has, on a device that loses packets', () => {
  compareAll(netRows, { seed: 5, packetLoss: 60, script: LOSSY });
});

describe('what control groups tell is what the journal has', () => {
  compareAll(groupRows, { seed: 6, script: GROUPS });
});
