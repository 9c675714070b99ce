import { type JournalEntry, JournalKind as Kind } from '../../../src/host/sim/index.js';
import { countBy, log2 } from '../journal-models.js';
import { decode, slots } from '../layout.js';
import { events, IO, rows, sums, type Tool, totals } from '../tool.js';
import type { ToolSession } from '../tool-session.js';

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

export const blockTools: readonly Tool[] = [
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
];
