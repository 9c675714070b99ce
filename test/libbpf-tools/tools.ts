import { type JournalEntry, JournalKind as Kind } from '../../src/host/sim/index.js';
import { countBy, log2, offCpuSpans, pidOf, queuedSpans, signed, tgidOf } from './journal-models.js';
import { decode, type Layout, slots } from './layout.js';
import type { ToolSession, ToolSetup, Workload } from './tool-session.js';

/** What a tool delivered, and what it should have by the journal: texts in any order. */
export interface Comparison {
  readonly delivered: readonly string[];
  readonly journal: readonly string[];
  /** Events, or values that were added up. */
  readonly count: number;
}

export interface Tool extends ToolSetup {
  readonly name: string;
  readonly workload: Workload;
  /** What is compared, for the table. */
  readonly compares: string;
  readonly compare: (session: ToolSession) => Comparison;
}

const MIXED: Workload = { workload: 'mixed', seed: 3 };
const IO: Workload = { workload: 'io', seed: 3 };
const WEB: Workload = { workload: 'web', seed: 3 };

/** Two return addresses of the caller. */
const CALLERS = { caller0: 'u64', caller1: 'u64' } as const;

const SYS_WRITE = 1n;
const SYS_STAT = 4n;
const SYS_FSYNC = 74n;
const DISK_IRQ = 24n;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function rows(delivered: readonly unknown[], journal: readonly unknown[]): Comparison {
  return {
    delivered: delivered.map(String).toSorted(),
    journal: journal.map(String).toSorted(),
    count: delivered.length,
  };
}

function sums(delivered: readonly string[], journal: readonly string[], count: number): Comparison {
  return { delivered: delivered.toSorted(), journal: journal.toSorted(), count };
}

function events<const L extends Layout>(session: ToolSession, layout: L): ReturnType<typeof decode<L>>[] {
  return session.events.map(({ data }) => decode(layout, data));
}

const syscalls = (session: ToolSession, number: bigint): JournalEntry[] =>
  session.journal(Kind.SYSCALL_EXIT).filter(({ b }) => b === number);

/** Slots of each key's histogram added up. */
function totals(session: ToolSession, map: string, count: number, keyOf: (key: Uint8Array) => unknown): string[] {
  return countBy(
    session.elements(map),
    ({ key }) => keyOf(key),
    ({ value }) => sum(slots(value, count)),
  );
}

const u32 = (bytes: Uint8Array): number => slots(bytes, 1)[0] ?? 0;

const fentries = (names: Readonly<Record<string, string>>): ToolSetup['targets'] =>
  Object.fromEntries(
    Object.entries(names).flatMap(([program, name]) => [
      [`${program}_fentry`, { kind: 'fentry', name }],
      [`${program}_fexit`, { kind: 'fexit', name }],
    ]),
  );
const EXT4 = fentries({
  file_read: 'ext4_file_read_iter',
  file_write: 'ext4_file_write_iter',
  file_open: 'ext4_file_open',
  file_sync: 'ext4_sync_file',
  getattr: 'ext4_file_getattr',
});
const FILE_KPROBES = ['file_read', 'file_write', 'file_open', 'file_sync'].flatMap((each) => [
  `${each}_entry`,
  `${each}_exit`,
]);

const completions = (session: ToolSession): JournalEntry[] => session.journal(Kind.BLOCK_COMPLETE);

interface Completed extends JournalEntry {
  /** 0 read, 1 write, as the request was issued. */
  readonly operation: bigint;
}

function completedRequests(session: ToolSession): Completed[] {
  const issued = new Map<bigint, bigint>();
  const found: Completed[] = [];
  for (const entry of session.host.journal.entries()) {
    if (entry.kind === Kind.BLOCK_ISSUE) issued.set(entry.a, entry.d);
    if (entry.kind === Kind.BLOCK_COMPLETE) found.push({ ...entry, operation: issued.get(entry.a) ?? -1n });
  }
  return found;
}

/** Writes to files of the disk: not to sockets, and not to descriptors 1 and 2, which are the console's. */
function fileWrites(session: ToolSession): JournalEntry[] {
  const descriptors = new Map<bigint, bigint>();
  const found: JournalEntry[] = [];
  for (const entry of session.host.journal.entries()) {
    if (entry.kind === Kind.SYSCALL_ENTER && entry.b === SYS_WRITE) descriptors.set(entry.a, entry.c);
    if (entry.kind === Kind.WRITE && entry.b > 1n && (descriptors.get(entry.a) ?? 0n) > 2n) found.push(entry);
  }
  return found;
}

export const tools: readonly Tool[] = [
  {
    name: 'opensnoop',
    workload: MIXED,
    compares: 'pid, result, flags and path of each open',
    compare: (session) =>
      rows(
        events(session, {
          ts: 'u64',
          pid: 'u32',
          uid: 'u32',
          ret: 'i32',
          flags: 'i32',
          ...CALLERS,
          comm: 16,
          fname: 255,
        }).map(({ pid, ret, flags, fname }) => [pid, ret, flags, fname]),
        session.journal(Kind.OPEN).map(({ a, c, d, text }) => [tgidOf(a), signed(d), Number(c), text]),
      ),
  },
  {
    name: 'execsnoop',
    workload: MIXED,
    variables: { max_args: 20 },
    compares: 'pid and path of each exec but init’s first',
    compare: (session) =>
      rows(
        events(session, {
          pid: 'u32',
          ppid: 'u32',
          uid: 'u32',
          retval: 'i32',
          args_count: 'i32',
          args_size: 'u32',
          comm: 16,
          args: 7680,
        }).map(({ pid, retval, args }) => [pid, retval, args]),
        session
          .journal(Kind.EXEC)
          .filter(({ a }) => pidOf(a) !== 1)
          .map(({ a, text }) => [tgidOf(a), 0, text]),
      ),
  },
  {
    name: 'exitsnoop',
    workload: MIXED,
    variables: { trace_by_process: false },
    compares: 'process, thread, status and signal of each exit',
    compare: (session) =>
      rows(
        events(session, {
          start_time: 'u64',
          exit_time: 'u64',
          pid: 'u32',
          tid: 'u32',
          ppid: 'u32',
          sig: 'u32',
          exit_code: 'i32',
          comm: 16,
        }).map(({ pid, tid, sig, exit_code: code }) => [pid, tid, code, sig]),
        session.journal(Kind.EXIT).map(({ a, b }) => [tgidOf(a), pidOf(a), Number(b >> 8n), Number(b & 0xffn)]),
      ),
  },
  {
    name: 'syscount',
    workload: MIXED,
    variables: { measure_latency: false },
    compares: 'calls of each system call',
    compare: (session) =>
      sums(
        countBy(
          session.elements('data'),
          ({ key }) => u32(key),
          ({ value }) => Number(decode({ count: 'u64' }, value).count),
        ),
        countBy(session.journal(Kind.SYSCALL_EXIT), ({ b }) => b),
        session.journal(Kind.SYSCALL_EXIT).length,
      ),
  },
  {
    name: 'hardirqs',
    workload: IO,
    variables: { targ_dist: true, targ_ns: true },
    without: ['irq_handler_entry', 'irq_handler_exit'],
    compares: 'number of disk interrupts',
    compare: (session) => {
      const seen = sum(session.elements('infos').map(({ value }) => sum(slots(value, 20, 8))));
      const done = session.journal(Kind.IRQ_EXIT).filter(({ a }) => a === DISK_IRQ).length;
      return sums([String(seen)], [String(done)], seen);
    },
  },
  {
    name: 'softirqs',
    workload: WEB,
    variables: { targ_dist: true, targ_ns: true },
    without: ['softirq_entry', 'softirq_exit'],
    compares: 'runs of each vector',
    compare: (session) => {
      const hists = session.variable('hists') as unknown as readonly { slots: readonly number[] }[];
      const seen = hists.flatMap(({ slots: each }, vector) => (sum(each) === 0 ? [] : [`${vector}: ${sum(each)}`]));
      const left = session.journal(Kind.SOFTIRQ_EXIT);
      return sums(
        seen,
        countBy(left, ({ a }) => a),
        left.length,
      );
    },
  },
  {
    name: 'cpudist',
    workload: MIXED,
    variables: { targ_offcpu: true, targ_per_thread: true, targ_tgid: -1 },
    without: ['sched_switch_tp'],
    maps: { start: { maxEntries: 4096 }, hists: { maxEntries: 4096 } },
    compares: 'times that each thread came back to a CPU',
    compare: (session) => {
      const spans = offCpuSpans(session.host.journal.entries());
      const seen = totals(session, 'hists', 36, u32).filter((text) => !text.startsWith('0: '));
      return sums(
        seen,
        countBy(spans, ({ pid }) => pid),
        spans.length,
      );
    },
  },
  {
    name: 'runqlat',
    workload: MIXED,
    variables: { targ_per_thread: true },
    without: ['handle_sched_wakeup', 'handle_sched_wakeup_new', 'handle_sched_switch'],
    compares: 'times that each thread waited for a CPU',
    compare: (session) => {
      const spans = queuedSpans(session.host.journal.entries());
      return sums(
        totals(session, 'hists', 26, u32),
        countBy(spans, ({ pid }) => pid),
        spans.length,
      );
    },
  },
  {
    name: 'runqslower',
    workload: MIXED,
    without: ['handle_sched_wakeup', 'handle_sched_wakeup_new', 'handle_sched_switch'],
    compares: 'thread and thread before it of each wait for a CPU',
    compare: (session) =>
      rows(
        events(session, { task: 16, prev_task: 16, delta_us: 'u64', pid: 'u32', prev_pid: 'u32' }).map(
          ({ pid, prev_pid: prev }) => [pid, prev],
        ),
        queuedSpans(session.host.journal.entries()).map(({ pid, prev }) => [pid, prev]),
      ),
  },
  {
    name: 'biolatency',
    workload: IO,
    without: ['block_rq_insert', 'block_rq_issue', 'block_rq_complete'],
    compares: 'number of completed requests',
    compare: (session) => {
      const done = completions(session).length;
      return sums(
        totals(session, 'hists', 27, () => 'all'),
        [`all: ${done}`],
        done,
      );
    },
  },
  {
    name: 'biosnoop',
    workload: IO,
    without: ['blk_account_io_merge_bio'],
    compares: 'sector, length and direction of each completed request',
    compare: (session) =>
      rows(
        events(session, {
          comm: 16,
          delta: 'u64',
          qdelta: 'u64',
          ts: 'u64',
          sector: 'u64',
          len: 'u32',
          pid: 'u32',
          cmd_flags: 'u32',
          dev: 'u32',
        }).map(({ sector, len, cmd_flags: flags }) => [sector, len, flags & 0xff]),
        completedRequests(session).map(({ b, c, operation }) => [b, c, operation]),
      ),
  },
  {
    name: 'biostacks',
    workload: IO,
    without: ['blk_account_io_merge_bio'],
    compares: 'number of completed requests',
    compare: (session) => {
      const done = completions(session).length;
      return sums(
        totals(session, 'hists', 20, () => 'all'),
        [`all: ${done}`],
        done,
      );
    },
  },
  {
    name: 'biotop',
    workload: IO,
    targets: {
      blk_account_io_start: { kind: 'kprobe', symbol: 'blk_account_io_start', offset: 0 },
      blk_account_io_done: { kind: 'kprobe', symbol: 'blk_account_io_done', offset: 0 },
    },
    compares: 'requests and bytes of each direction',
    compare: (session) => {
      const of = (value: Uint8Array) => decode({ bytes: 'u64', us: 'u64', io: 'u32' }, value);
      const flag = (key: Uint8Array): number => decode({ pid: 'u32', rwflag: 'i32' }, key).rwflag;
      const elements = session.elements('counts');
      const done = completedRequests(session);
      return sums(
        [
          ...countBy(
            elements,
            ({ key }) => `requests ${flag(key)}`,
            ({ value }) => of(value).io,
          ),
          ...countBy(
            elements,
            ({ key }) => `bytes ${flag(key)}`,
            ({ value }) => Number(of(value).bytes),
          ),
        ],
        [
          ...countBy(done, ({ operation }) => `requests ${operation}`),
          ...countBy(
            done,
            ({ operation }) => `bytes ${operation}`,
            ({ c }) => Number(c),
          ),
        ],
        done.length,
      );
    },
  },
  {
    name: 'bitesize',
    workload: IO,
    compares: 'requests issued by log2 of kilobytes',
    compare: (session) => {
      const issued = session.journal(Kind.BLOCK_ISSUE);
      const seen = session.elements('hists').flatMap(({ value }) => slots(value, 20).map((n, slot) => ({ n, slot })));
      return sums(
        countBy(
          seen.filter(({ n }) => n > 0),
          ({ slot }) => slot,
          ({ n }) => n,
        ),
        countBy(issued, ({ c }) => log2(c / 1024n)),
        issued.length,
      );
    },
  },
  {
    name: 'biopattern',
    workload: IO,
    compares: 'sequential and random requests, bytes, last sector',
    compare: (session) => {
      const model = { last: 0n, bytes: 0n, sequential: 0, random: 0 };
      for (const { b: sector, c: bytes } of completions(session)) {
        if (model.last !== 0n) {
          if (model.last === sector) model.sequential++;
          else model.random++;
          model.bytes += bytes;
        }
        model.last = sector + bytes / 512n;
      }
      const seen = session
        .elements('counters')
        .map(({ value }) => decode({ last: 'u64', bytes: 'u64', sequential: 'u32', random: 'u32' }, value))
        .map(({ last, bytes, sequential, random }) => String([last, bytes, sequential, random]));
      const expected = String([model.last, model.bytes, model.sequential, model.random]);
      return sums(seen, [expected], model.sequential + model.random);
    },
  },
  {
    name: 'filetop',
    workload: MIXED,
    variables: { regular_file_only: true },
    compares: 'reads, bytes read, writes and bytes written of each thread and file',
    compare: (session) => {
      const id = { inode: 'u64', dev: 'u32', rdev: 'u32', pid: 'u32', tid: 'u32' } as const;
      const stat = { reads: 'u64', read_bytes: 'u64', writes: 'u64', write_bytes: 'u64' } as const;
      const seen = session.elements('entries').flatMap(({ key, value }) => {
        const { inode, pid, tid } = decode(id, key);
        const each = decode(stat, value);
        return Object.entries(each)
          .filter(([, n]) => n > 0n)
          .map(([what, n]) => `${what} ${pid} ${tid} ${inode}: ${n}`);
      });
      const of = (entries: JournalEntry[], one: string, bytes: string): string[] => [
        ...countBy(entries, ({ a, b }) => `${one} ${tgidOf(a)} ${pidOf(a)} ${b}`),
        ...countBy(
          entries,
          ({ a, b }) => `${bytes} ${tgidOf(a)} ${pidOf(a)} ${b}`,
          ({ c }) => Number(c),
        ),
      ];
      const reads = session.journal(Kind.READ).filter(({ b }) => b > 1n);
      return sums(
        seen,
        [...of(reads, 'reads', 'read_bytes'), ...of(fileWrites(session), 'writes', 'write_bytes')],
        seen.length,
      );
    },
  },
  {
    name: 'fsdist',
    workload: IO,
    variables: { target_pid: 0 },
    without: [...FILE_KPROBES, 'getattr_entry', 'getattr_exit'],
    targets: EXT4 ?? {},
    compares: 'number of writes and of syncs',
    compare: (session) => {
      const [, writes, , syncs] = session.variable('hists') as unknown as readonly { slots: readonly number[] }[];
      const seen = [sum(writes?.slots ?? []), sum(syncs?.slots ?? [])];
      return sums(
        [String(seen)],
        [String([fileWrites(session).length, syscalls(session, SYS_FSYNC).length])],
        sum(seen),
      );
    },
  },
  {
    name: 'fsslower',
    workload: IO,
    variables: { min_lat_ns: 0n },
    without: FILE_KPROBES,
    targets: EXT4 ?? {},
    compares: 'process and bytes of each write, process of each sync',
    compare: (session) => {
      const seen = events(session, {
        delta_us: 'u64',
        end_ns: 'u64',
        offset: 'i64',
        size: 'i64',
        pid: 'u32',
        op: 'u32',
        file: 32,
        task: 16,
      });
      return rows(
        seen.flatMap(({ pid, op, size }) => (op === 1 ? [['write', pid, size]] : op === 3 ? [['sync', pid]] : [])),
        [
          ...fileWrites(session).map(({ a, d }) => ['write', tgidOf(a), d]),
          ...syscalls(session, SYS_FSYNC).map(({ a }) => ['sync', tgidOf(a)]),
        ],
      );
    },
  },
  {
    name: 'funclatency',
    workload: MIXED,
    targets: {
      dummy_kprobe: { kind: 'kprobe', symbol: 'vfs_read', offset: 0 },
      dummy_kretprobe: { kind: 'kretprobe', symbol: 'vfs_read', maxactive: 0 },
    },
    compares: 'calls of vfs_read',
    compare: (session) => {
      const seen = sum(session.variable('hist') as unknown as readonly number[]);
      return sums([String(seen)], [String(session.journal(Kind.READ).length)], seen);
    },
  },
  {
    name: 'slabratetop',
    workload: MIXED,
    compares: 'number of allocations from caches',
    compare: (session) => {
      const allocated = session.journal(Kind.CACHE_ALLOC);
      const of = (value: Uint8Array) => decode({ name: 32, count: 'u64', size: 'u64' }, value);
      return sums(
        countBy(
          session.elements('slab_entries'),
          () => 'all',
          ({ value }) => Number(of(value).count),
        ),
        [`all: ${allocated.length}`],
        allocated.length,
      );
    },
  },
  {
    name: 'sigsnoop',
    workload: MIXED,
    without: ['kill_entry', 'kill_exit', 'tkill_entry', 'tkill_exit', 'tgkill_entry', 'tgkill_exit'],
    compares: 'sender, receiver and number of each signal',
    compare: (session) =>
      rows(
        events(session, { pid: 'u32', tpid: 'u32', sig: 'i32', ret: 'i32', comm: 16 }).map(({ pid, tpid, sig }) => [
          pid,
          tpid,
          sig,
        ]),
        session.journal(Kind.SIGNAL_GENERATE).map(({ a, b, c }) => [tgidOf(a), pidOf(c), b]),
      ),
  },
  {
    name: 'statsnoop',
    workload: { script: 'repeat 12\nop stat:/etc/passwd stat:/etc/nothing.$i\nend\n', seed: 3 },
    without: ['statfs', 'statx', 'newfstatat', 'newlstat'].flatMap((each) => [
      `handle_${each}_entry`,
      `handle_${each}_return`,
    ]),
    compares: 'process and result of each stat',
    compare: (session) =>
      rows(
        events(session, { ts_ns: 'u64', pid: 'u32', ret: 'i32', comm: 16, pathname: 255 }).map(({ pid, ret }) => [
          pid,
          ret,
        ]),
        syscalls(session, SYS_STAT).map(({ a, c }) => [tgidOf(a), signed(c)]),
      ),
  },
  {
    name: 'gethostlatency',
    workload: { script: `httpd 80 12 &\nrepeat 12\ncurl 80 /etc/motd 62\nend\nwait\n`, seed: 3 },
    targets: {
      handle_entry: { kind: 'uprobe', path: '/lib/libc.so.6', symbol: 'getaddrinfo', offset: 0 },
      handle_return: { kind: 'uretprobe', path: '/lib/libc.so.6', symbol: 'getaddrinfo', offset: 0 },
    },
    compares: 'process of each look-up, which opens /etc/hosts',
    compare: (session) =>
      rows(
        events(session, { time: 'u64', pid: 'u32', comm: 16, host: 80 }).map(({ pid }) => pid),
        session
          .journal(Kind.OPEN)
          .filter(({ text }) => text === '/etc/hosts')
          .map(({ a }) => tgidOf(a)),
      ),
  },
  {
    name: 'vfsstat',
    workload: IO,
    without: ['read', 'write', 'fsync', 'open', 'create'].map((each) => `kprobe_vfs_${each}`),
    compares: 'reads, writes and syncs',
    compare: (session) => {
      const [reads, writes, syncs] = session.variable('stats') as unknown as readonly bigint[];
      const expected = [
        session.journal(Kind.READ).length,
        session.journal(Kind.WRITE).length,
        syscalls(session, SYS_FSYNC).length,
      ];
      return sums([String([reads, writes, syncs])], [String(expected)], sum(expected));
    },
  },
  {
    name: 'filelife',
    workload: { script: 'repeat 12\ncp /etc/motd /tmp/m.$i\nrm /tmp/m.$i\nend\n', seed: 3 },
    compares: 'name and process of each removed file',
    compare: (session) =>
      rows(
        events(session, { file: 32, task: 16, delta_ns: 'u64', tgid: 'u32' }).map(({ file, tgid }) => [file, tgid]),
        session
          .journal(Kind.UNLINK)
          .filter(({ c }) => c === 0n)
          .map(({ a, text }) => [text.replace(/.*\//, ''), tgidOf(a)]),
      ),
  },
];
