import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import { countBy, pidOf, tgidOf } from '../journal-models.js';
import { decode, slots } from '../layout.js';
import { events, IO, MIXED, rows, sum, sums, type Tool, u32, WEB } from '../tool.js';

const DISK_IRQ = 24n;

export const systemTools: readonly Tool[] = [
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
];
