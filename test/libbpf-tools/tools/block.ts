import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import type { Call, Watch } from '../execution.js';
import { decode, slots } from '../layout.js';
import type { Task } from '../story.js';
import { events, histogram, histograms, IO, rows, slotOf, sums, type Tool } from '../tool.js';
import type { ToolSession } from '../tool-session.js';

/** /dev/vda: major 253, minor 0. */
const DISK = { major: 253, minor: 0, dev: 253 << 20 };
const REQ_OP_MASK = 0xffn;
/** Of a name the tools that copy `sizeof(&comm)` bytes keep seven letters. */
const short = (comm: string): string => comm.slice(0, 7);

const STARTED: Watch = { symbol: 'blk_account_io_start' };
const DONE: Watch = { symbol: 'blk_account_io_done' };
const ISSUED: Watch = {
  symbol: 'blk_mq_start_request',
  enter: (look) => BigInt(look.u32(look.member(look.argument(0), 'request', 'cmd_flags'))),
};

/** One request's way, from the journal; the moments of programs on the tracepoints and functions that it passes. */
interface Request {
  readonly sector: bigint;
  readonly bytes: bigint;
  /** Operation and flags; the operation is the journal's. */
  readonly flags: bigint;
  readonly issued: bigint;
  readonly completed: bigint;
  /** Calls of its accounting at both ends, and of the function that issues it. */
  readonly start: Call;
  readonly issue: Call;
  readonly done: Call;
  readonly starter: Task;
}

/** The last call with that request that began before the journal's entry. */
function callBefore(session: ToolSession, symbol: string, request: bigint, index: number): Call {
  const found = session.execution.callsOf(symbol).findLast(({ args, begun }) => args[0] === request && begun <= index);
  if (found === undefined) throw new RangeError(`no call of ${symbol} before entry ${index}`);
  return found;
}

/** Requests in the order in which they were completed. */
function requests(session: ToolSession): Request[] {
  const starts = session.execution.callsOf(STARTED.symbol);
  const starters = session.tasksOf(starts);
  const issues = session.passes(Kind.BLOCK_ISSUE, 'block_rq_issue');
  const completions = session.passes(Kind.BLOCK_COMPLETE, 'block_rq_complete');
  const waiting = new Map<bigint, { start: Call; issue: Call; issued: bigint; flags: bigint }>();
  return session.story(({ kind, index, a, b, c, d }): Request[] => {
    if (kind === Kind.BLOCK_ISSUE) {
      const start = callBefore(session, STARTED.symbol, a, index);
      const issue = callBefore(session, ISSUED.symbol, a, index);
      const flags = ((issue.seen as bigint) & ~REQ_OP_MASK) | d;
      waiting.set(a, { start, issue, flags, issued: issues.get(index)?.time ?? 0n });
    }
    if (kind !== Kind.BLOCK_COMPLETE) return [];
    const begun = waiting.get(a);
    const done = session.execution.callsOf(DONE.symbol).find(({ args, begun: at }) => args[0] === a && at > index);
    const starter = begun === undefined ? undefined : starters.get(begun.start);
    if (begun === undefined || done === undefined || starter === undefined) return [];
    return [{ ...begun, sector: b, bytes: c, done, starter, completed: completions.get(index)?.time ?? 0n }];
  });
}

const WATCHES = [STARTED, ISSUED, DONE];

export const blockTools: readonly Tool[] = [
  {
    name: 'biolatency',
    workload: IO,
    variables: { targ_per_disk: true, targ_per_flag: true },
    without: ['block_rq_insert', 'block_rq_issue', 'block_rq_complete'],
    watches: WATCHES,
    compares: 'histogram of microseconds by disk and flags',
    compare: (session) => {
      const done = requests(session);
      return sums(
        session.elements('hists').map(({ key, value }) => {
          const { flags, dev } = decode({ flags: 'u32', dev: 'u32' }, key);
          return histogram(`${dev} ${flags}`, slots(value, 27));
        }),
        histograms(
          done,
          ({ flags }) => `${DISK.dev} ${flags}`,
          ({ issued, completed }) => slotOf((completed - issued) / 1000n, 27),
        ),
        done.length,
      );
    },
  },
  {
    name: 'biosnoop',
    workload: IO,
    without: ['blk_account_io_merge_bio'],
    watches: WATCHES,
    compares: 'every request: name, nanoseconds, time, sector, bytes, process, flags, disk',
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
        }).map((event) => Object.values(event)),
        requests(session).map(({ starter: { comm, pid }, issued, completed, sector, bytes, flags }) => [
          short(comm),
          completed - issued,
          0,
          completed,
          sector,
          bytes,
          pid,
          flags,
          DISK.dev,
        ]),
      ),
  },
  {
    name: 'biostacks',
    workload: IO,
    without: ['blk_account_io_merge_bio'],
    watches: [{ ...STARTED, enter: (look) => look.callers() }, ISSUED, DONE],
    compares: 'histogram of microseconds by thread, name, stack and disk',
    compare: (session) => {
      const done = requests(session);
      const entry = session.host.symbols.lookup(STARTED.symbol)?.address;
      return sums(
        session.elements('hists').map(({ key, value }) => {
          const { pid, size } = decode({ pid: 'u32', size: 'u32' }, key);
          const { comm, dev } = decode({ comm: 16, dev: 'u32' }, key.subarray(168));
          const view = new DataView(key.buffer, key.byteOffset + 8, size);
          const stack = Array.from({ length: size / 8 }, (_, i) => view.getBigUint64(8 * i, true));
          return histogram(`${pid} ${comm} ${dev} ${stack.join(' ')}`, slots(value, 20));
        }),
        histograms(
          done,
          ({ starter: { pid, comm }, start }) => {
            const stack = [entry, ...(start.seen as bigint[])].slice(0, 20);
            return `${pid} ${short(comm)} ${DISK.dev} ${stack.join(' ')}`;
          },
          ({ start, done: end }) => slotOf((end.entered - start.entered) / 1000n, 20),
        ),
        done.length,
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
    watches: WATCHES,
    compares: 'bytes, microseconds and requests by process, name, direction and disk',
    compare: (session) => {
      const done = requests(session);
      const totals = new Map<string, { bytes: bigint; us: bigint; io: number }>();
      for (const { starter, bytes: each, flags, issue, done: end } of done) {
        const write = (flags & REQ_OP_MASK) === 1n ? 1 : 0;
        const key = String([starter.tgid, write, DISK.major, DISK.minor, starter.comm]);
        const { bytes, us, io } = totals.get(key) ?? { bytes: 0n, us: 0n, io: 0 };
        totals.set(key, { bytes: bytes + each, us: us + (end.entered - issue.entered) / 1000n, io: io + 1 });
      }
      return sums(
        session.elements('counts').map(({ key, value }) => {
          const info = decode({ pid: 'u32', rwflag: 'i32', major: 'i32', minor: 'i32', name: 16 }, key);
          const { bytes, us, io } = decode({ bytes: 'u64', us: 'u64', io: 'u32' }, value);
          return `${String(Object.values(info))}: ${bytes} ${us} ${io}`;
        }),
        [...totals].map(([key, { bytes, us, io }]) => `${key}: ${bytes} ${us} ${io}`),
        done.length,
      );
    },
  },
  {
    name: 'bitesize',
    workload: IO,
    compares: 'histogram of kilobytes by name of who issued',
    compare: (session) => {
      const issued = session.story(({ kind, task, c }) => (kind === Kind.BLOCK_ISSUE ? [{ task, bytes: c }] : []));
      return sums(
        session.elements('hists').map(({ key, value }) => histogram(decode({ comm: 16 }, key).comm, slots(value, 20))),
        histograms(
          issued,
          ({ task }) => task.comm,
          ({ bytes }) => slotOf(bytes / 1024n, 20),
        ),
        issued.length,
      );
    },
  },
  {
    name: 'biopattern',
    workload: IO,
    compares: 'sequential and random requests, bytes and last sector of each disk',
    compare: (session) => {
      const model = { last: 0n, bytes: 0n, sequential: 0, random: 0 };
      for (const { b: sector, c: bytes } of session.journal(Kind.BLOCK_COMPLETE)) {
        if (model.last !== 0n) {
          if (model.last === sector) model.sequential++;
          else model.random++;
          model.bytes += bytes;
        }
        model.last = sector + bytes / 512n;
      }
      const seen = session.elements('counters').map(({ key, value }) => {
        const found = decode({ last: 'u64', bytes: 'u64', sequential: 'u32', random: 'u32' }, value);
        return String([decode({ dev: 'u32' }, key).dev, ...Object.values(found)]);
      });
      const expected = String([DISK.dev, model.last, model.bytes, model.sequential, model.random]);
      return sums(seen, [expected], model.sequential + model.random);
    },
  },
];
