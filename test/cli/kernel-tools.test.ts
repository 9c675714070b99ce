import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/host/sim/index.js';
import { offCpuSpans, queuedSpans, signed } from '../libbpf-tools/journal-models.js';
import { kscope } from './capture-io.js';
import { all, type Entry } from './journal-file.js';
import { pidOf, runTool, tgidOf, type ToolRun } from './run-tool.js';

/** What tools on the kernel say, against the simulator's journal. */

interface Element {
  readonly key: unknown;
  readonly value: Readonly<Record<string, number>>;
}
interface Histogram {
  readonly key: { readonly comm: string };
  readonly buckets: readonly { readonly max: number; readonly count: number }[];
}

/** A program reads its clock a few instructions before or after the kernel writes its journal. */
const CLOCK_US = 3;

const byText = (a: unknown, b: unknown): number => (String(a) < String(b) ? -1 : 1);
const dataOf = ({ maps }: ToolRun, name: string): unknown => maps.find(({ map }) => map === name)?.data ?? [];
const asModel = (journal: readonly Entry[]): JournalEntry[] => journal as unknown as JournalEntry[];

describe('exitsnoop', () => {
  const processes = (journal: readonly Entry[]): Entry[] =>
    all(journal, 'EXIT').filter((exit) => pidOf(exit) === tgidOf(exit));

  it('prints each process that ends, with its status and its signal', async () => {
    const { rows, journal } = await runTool('exitsnoop', 'mixed');
    const ends = processes(journal);
    expect(ends.length).toBeGreaterThan(10);
    expect(rows.map(({ pid, status, signal }) => [pid, status, signal])).toEqual(
      ends.map((exit) => [tgidOf(exit), Number(exit.b >> 8n), Number(exit.b & 0x7fn)]),
    );
  });

  it('tells how long each has lived, by the time of its fork', async () => {
    const { rows, journal } = await runTool('exitsnoop', 'compile');
    const born = new Map(all(journal, 'FORK').map(({ b, time }) => [Number(b & 0xffff_ffffn), time]));
    const lives = rows.filter(({ pid }) => born.has(Number(pid)));
    expect(lives.length).toBeGreaterThan(7);
    for (const { pid, ts, age_us: age } of lives) {
      const sinceFork = BigInt(ts) - (born.get(Number(pid)) ?? 0n);
      expect(Number(sinceFork) / 1000 - Number(age)).toBeLessThan(20);
    }
  });

  it('leaves out who ended well when told', async () => {
    const { rows, journal } = await runTool('exitsnoop', 'mixed', '--set', 'failed_only=true');
    const failed = processes(journal).filter(({ b }) => b !== 0n);
    expect(rows.map(({ pid }) => pid)).toEqual(failed.map(tgidOf));
  });
});

describe('execsnoop', () => {
  it('prints each program that is executed, with the words of its command', async () => {
    const { rows, journal } = await runTool('execsnoop', 'shell');
    const execs = all(journal, 'EXEC').filter((exec) => tgidOf(exec) !== 1);
    expect(execs.length).toBeGreaterThan(10);
    expect(rows.map(({ pid, ret, args }) => [pid, ret, `/bin/${String(args).split(' ')[0]}`])).toEqual(
      execs.map((exec) => [tgidOf(exec), 0, exec.text]),
    );
    expect(rows.map(({ args }) => args)).toContain('cat /etc/motd');
  });
});

describe('runqlat', () => {
  it('counts each wait for a CPU in the slot of its microseconds', async () => {
    const run = await runTool('runqlat', 'mixed');
    const [{ buckets }] = dataOf(run, 'usecs') as readonly Histogram[];
    const waits = queuedSpans(asModel(run.journal)).map(({ ns }) => Number(ns / 1000n));
    expect(waits.length).toBeGreaterThan(50);
    let below = 0;
    for (const { max, count } of buckets) {
      below += count;
      expect(below).toBeGreaterThanOrEqual(waits.filter((us) => us <= max - CLOCK_US).length);
      expect(below).toBeLessThanOrEqual(waits.filter((us) => us <= max + CLOCK_US).length);
    }
    expect(below).toBe(waits.length);
  });

  it('keeps the names apart when told', async () => {
    const run = await runTool('runqlat', 'mixed', '--set', 'by_name=true');
    const names = (dataOf(run, 'usecs') as readonly Histogram[]).map(({ key }) => key.comm);
    expect(names).toEqual(expect.arrayContaining(['init', 'sh', 'httpd']));
    const total = (dataOf(run, 'usecs') as readonly Histogram[]).flatMap(({ buckets }) =>
      buckets.map(({ count }) => count),
    );
    expect(total.reduce((sum, count) => sum + count)).toBe(queuedSpans(asModel(run.journal)).length);
  });
});

describe('offcputime', () => {
  interface Sleep {
    readonly key: { readonly pid: number; readonly comm: string };
    readonly stack: readonly string[];
    readonly count: number;
  }

  it('adds up the time that threads were away from a CPU, below the stacks in which they left it', async () => {
    const run = await runTool('offcputime', 'io');
    const sleeps = dataOf(run, 'usecs') as readonly Sleep[];
    const away = offCpuSpans(asModel(run.journal)).filter(({ ns }) => ns >= 1000n);
    expect(away.length).toBeGreaterThan(20);
    const told = sleeps.reduce((sum, { count }) => sum + count, 0);
    const model = away.reduce((sum, { ns }) => sum + Number(ns / 1000n), 0);
    expect(Math.abs(told - model)).toBeLessThanOrEqual(CLOCK_US * away.length);
    for (const { stack } of sleeps) expect(stack[0]).toMatch(/^__schedule\+/);
    const writing = sleeps.filter(({ key }) => key.comm === 'fio').flatMap(({ stack }) => stack);
    expect(writing.map((frame) => frame.replace(/\+.*/, ''))).toContain('ext4_sync_file');
  });
});

describe('syscount', () => {
  /** Ends of calls whose beginning was seen as well. */
  function wholeCalls(journal: readonly Entry[]): Entry[] {
    const [enters, exits] = [all(journal, 'SYSCALL_ENTER'), all(journal, 'SYSCALL_EXIT')].map((each) => new Set(each));
    const inside = new Set<bigint>();
    return journal.filter((entry) => {
      if (enters.has(entry)) inside.add(entry.a);
      return exits.has(entry) && inside.delete(entry.a);
    });
  }

  it('counts calls, failures and nanoseconds of each system call by name', async () => {
    const run = await runTool('syscount', 'shell');
    const whole = wholeCalls(run.journal);
    const calls = dataOf(run, 'calls') as readonly Element[];
    const sum = (field: string): number => calls.reduce((total, { value }) => total + (value[field] ?? 0), 0);
    expect(sum('calls')).toBe(whole.length);
    expect(sum('failed')).toBe(whole.filter(({ c }) => signed(c) < 0).length);
    const opens = whole.filter(({ b }) => b === 257n);
    const open = calls.find(({ key }) => key === 'SYS_openat')?.value;
    expect(open).toMatchObject({ calls: opens.length, failed: opens.filter(({ c }) => signed(c) < 0).length });
    expect(open?.['ns']).toBeGreaterThan(0);
  });
});

/** Whether an address in the journal is of version 4. */
const isMapped = ({ b, c }: { readonly b: bigint; readonly c: bigint }): boolean =>
  b === 0n && (c & 0xffff_ffffn) === 0xffff_0000n;

describe('tcpconnect', () => {
  it('prints each connection with its ends and its result', async () => {
    const { rows, journal } = await runTool('tcpconnect', 'web');
    const connects = all(journal, 'TCP_CONNECT').filter((connect) => {
      const peer = all(journal, 'SOCK_PEER').findLast(({ cpu, time }) => cpu === connect.cpu && time <= connect.time);
      return peer !== undefined && isMapped(peer);
    });
    expect(connects.length).toBeGreaterThan(9);
    expect(rows.map(({ pid, sport, dport, ret }) => [pid, sport, dport, ret])).toEqual(
      connects.map((each) => [tgidOf(each), Number(each.b), Number(each.c), signed(each.d)]),
    );
    for (const { daddr } of rows) expect(daddr).toEqual([127, 0, 0, 1]);
  });

  it('leaves other ports out when told', async () => {
    const { rows } = await runTool('tcpconnect', 'web', '--set', 'target_port=81');
    expect(rows).toEqual([]);
  });
});

describe('filetop', () => {
  it('adds up reads, writes and bytes of each process', async () => {
    const run = await runTool('filetop', 'io');
    const files = dataOf(run, 'files') as readonly Element[] as readonly (Element & {
      readonly key: { readonly pid: number };
    })[];
    const sums = new Map<number, number[]>();
    for (const { key, value } of files) {
      const sum = sums.get(key.pid) ?? [0, 0, 0, 0];
      const { reads = 0, read_bytes: readBytes = 0, writes = 0, written_bytes: writtenBytes = 0 } = value;
      sums.set(
        key.pid,
        [reads, readBytes, writes, writtenBytes].map((each, i) => each + (sum[i] ?? 0)),
      );
    }
    const truth = new Map<number, number[]>();
    for (const [kind, at] of [
      ['READ', 0],
      ['WRITE', 2],
    ] as const) {
      for (const entry of all(run.journal, kind).filter(({ b, d }) => b !== 0n && signed(d) >= 0)) {
        const sum = truth.get(tgidOf(entry)) ?? [0, 0, 0, 0];
        sum[at] = (sum[at] ?? 0) + 1;
        sum[at + 1] = (sum[at + 1] ?? 0) + signed(entry.d);
        truth.set(tgidOf(entry), sum);
      }
    }
    expect([...sums].toSorted(byText)).toEqual([...truth].toSorted(byText));
  });
});

describe('biosnoop', () => {
  it('prints each request with its place, its direction and the times it took', async () => {
    const { rows, journal } = await runTool('biosnoop', 'io');
    const at = (kind: 'BLOCK_INSERT' | 'BLOCK_ISSUE', done: Entry): Entry | undefined =>
      all(journal, kind).findLast(({ a, time }) => a === done.a && time <= done.time);
    const truth = all(journal, 'BLOCK_COMPLETE').map((done) => {
      const [inserted, issued] = [at('BLOCK_INSERT', done), at('BLOCK_ISSUE', done)];
      const us = (from: Entry | undefined, to: bigint): number => Number((to - (from?.time ?? to)) / 1000n);
      return [
        issued?.d === 1n ? 'WRITE' : 'READ',
        Number(done.b),
        Number(done.c),
        us(inserted, issued?.time ?? 0n),
        us(issued, done.time),
      ];
    });
    expect(truth.length).toBeGreaterThan(50);
    expect(rows.map(({ op, sector, bytes }) => [op, sector, bytes])).toEqual(truth.map((row) => row.slice(0, 3)));
    for (const [i, { queued_us: queued, us }] of rows.entries()) {
      const [, , , wantedQueued, wanted] = truth[i] ?? [];
      expect(Math.abs(Number(queued) - Number(wantedQueued))).toBeLessThanOrEqual(CLOCK_US);
      expect(Math.abs(Number(us) - Number(wanted))).toBeLessThanOrEqual(CLOCK_US);
    }
    for (const { disk } of rows) expect(disk).toBe('vda');
  });
});

describe('tasks', () => {
  it('lists the threads that live and the files that are open in them', async () => {
    const args = ['iter', 'examples/tasks.bpf.o', '--workload', 'web', '--duration', '0.012'];
    const { out } = await kscope(args);
    const begin = out.indexOf('   PID  FD COMM             FILE');
    const tasks = out.slice(1, begin).map((line) => line.trim().split(/ +/));
    const files = out.slice(begin + 1).map((line) => line.trim().split(/ +/));
    expect(tasks.find(([pid]) => pid === '1')).toEqual(['1', '1', '0', '1', 'init']);
    expect(tasks.map(([, , , , comm]) => comm)).toContain('httpd');
    const pids = new Set(tasks.map(([pid]) => pid));
    expect(files.length).toBeGreaterThan(5);
    for (const [pid] of files) expect(pids).toContain(pid);
    expect(files.filter(([pid]) => pid === '1')).toEqual(['0', '1', '2'].map((fd) => ['1', fd, 'init', 'console']));
  });
});
