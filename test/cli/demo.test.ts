import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { JournalKind } from '../../src/host/sim/index.js';
import { type CliResult, kscope } from './capture-io.js';
import { all, type Entry, readJournal } from './journal-file.js';

/** Every row and count the demo prints, against what the simulated kernel itself wrote down. */

interface Step {
  readonly args: readonly string[];
}

const SYS_OPENAT = 257n;
/** A frame with its symbol, or what stands for a stack whose place in the map another one has. */
const NAMED = /^[\w.]+\+0x[0-9a-f]+( \[(libc\.so\.6|ld\.so)\])?$|^\[Missed kernel stack: EEXIST\]$/;
const steps = JSON.parse(readFileSync('scripts/demo.json', 'utf8')) as Step[];
const stepOf = (tool: string): Step => steps.find(({ args }) => args[1] === `examples/${tool}.bpf.o`) as Step;

describe('opensnoop', () => {
  let result: CliResult;
  let journal: Entry[];
  beforeAll(async () => ({ result, journal } = await runStep('opensnoop')));

  it('prints one row for each openat, in order, with the values the kernel saw', () => {
    const [header = '', ...rows] = result.out.slice(0, result.out.indexOf(''));
    expect(header.split(/ +/)).toEqual(['TS', 'PID', 'PPID', 'UID', 'RET', 'FLAGS', 'COMM', 'FNAME']);
    const printed = rows
      .map((row) => row.split(/ +/))
      .map(([, pid, , , ret, flags, , name]) => ({ pid, ret, flags, name }));
    const opened = opens(journal).map(({ a, c, d, text }) => ({
      pid: String(a >> 32n),
      ret: String(BigInt.asIntN(32, d)),
      flags: String(BigInt.asIntN(32, c)),
      name: text,
    }));
    expect(printed.length).toBeGreaterThan(20);
    expect(printed).toEqual(opened);
  });

  it('prints the parent and the name of the process, and a time within the call', () => {
    const rows = result.out.slice(1, result.out.indexOf('')).map((row) => row.split(/ +/));
    const parents = new Map(all(journal, 'FORK').map(({ a, b }) => [b & 0xffff_ffffn, a >> 32n]));
    const names = commsByPid(journal);
    for (const [ts, pid, ppid, uid, , , comm] of rows as [string, string, string, string, string, string, string][]) {
      expect(BigInt(ppid)).toBe(parents.get(BigInt(pid)) ?? 0n);
      expect(names(BigInt(pid), BigInt(ts))).toBe(comm);
      expect(uid).toBe('0');
      expect(journal.some((entry) => isOpenatCall(entry, BigInt(pid)) && entry.time <= BigInt(ts))).toBe(true);
    }
  });

  it('accounts for every system call and record', () => {
    const calls = all(journal, 'SYSCALL_ENTER').filter(({ b }) => b === SYS_OPENAT).length;
    const returns = all(journal, 'SYSCALL_EXIT').filter(({ b }) => b === SYS_OPENAT).length;
    expect(ledger(result)).toEqual([
      ['probe tracepoint:syscalls:sys_enter_openat trace_enter', calls, calls],
      ['probe tracepoint:syscalls:sys_exit_openat trace_exit', returns, returns],
      ['ring events', opens(journal).length, opens(journal).length],
    ]);
  });
});

describe('biolatency', () => {
  let result: CliResult;
  let journal: Entry[];
  beforeAll(async () => ({ result, journal } = await runStep('biolatency')));

  it('puts every request into the bucket of the time it took', () => {
    const times = requestTimes(journal).map((ns) => ns / 1000n);
    expect(times.length).toBeGreaterThan(100);
    expectHistogram(histograms(result)['vda'] ?? [], times, 2n);
  });

  it('accounts for every issue and completion', () => {
    const [issued, completed] = [all(journal, 'BLOCK_ISSUE').length, all(journal, 'BLOCK_COMPLETE').length];
    expect(ledger(result)).toEqual([
      ['probe tp_btf:block_rq_issue block_rq_issue', issued, issued],
      ['probe tp_btf:block_rq_complete block_rq_complete', completed, completed],
    ]);
  });
});

describe('funclatency', () => {
  let result: CliResult;
  let journal: Entry[];
  beforeAll(async () => ({ result, journal } = await runStep('funclatency')));

  it.each([
    ['VFS_READ', 'READ'],
    ['VFS_WRITE', 'WRITE'],
  ] as const)('counts each %s the kernel made', (name, kind) => {
    const counted = (histograms(result)[name] ?? []).reduce((sum, { count }) => sum + count, 0);
    expect(counted).toBeGreaterThan(10);
    expect(counted).toBe(all(journal, kind).length);
  });

  it('accounts for every call, return and call that was still under way', () => {
    const reads = all(journal, 'READ').length;
    const writes = all(journal, 'WRITE').length;
    const rows = Object.fromEntries(ledger(result).map(([name, seen, delivered]) => [name, { seen, delivered }]));
    expect(rows['probe kretprobe:vfs_read vfs_read_return']?.delivered).toBe(reads);
    expect(rows['probe kretprobe:vfs_write vfs_write_return']?.delivered).toBe(writes);
    expect(rows['probe kprobe:vfs_read vfs_read_entry']?.seen).toBe(
      rows['probe kretprobe:vfs_read vfs_read_return']?.seen,
    );
    expect(rows['probe kprobe:vfs_write vfs_write_entry']?.seen).toBe(
      rows['probe kretprobe:vfs_write vfs_write_return']?.seen,
    );
  });
});

describe('profile', () => {
  let result: CliResult;
  let journal: Entry[];
  beforeAll(async () => ({ result, journal } = await runStep('profile')));

  it('names only processes that ran, with symbols for every frame', () => {
    const pids = new Set(all(journal, 'SWITCH').flatMap(({ a, b }) => [String(a), String(b)]));
    const stacks = sampledStacks(result);
    expect(stacks.length).toBeGreaterThan(5);
    for (const { pid, frames } of stacks) {
      expect(pids).toContain(pid);
      expect(frames.length).toBeGreaterThan(0);
      for (const frame of frames) expect(frame).toMatch(NAMED);
    }
  });

  it('sees each process about as often as it was on a CPU', async () => {
    const step = stepOf('profile');
    const json = await kscope([...step.args, '--json']);
    const data = json.out.map((line) => JSON.parse(line) as { type: string; data: unknown });
    const stacks = data.find(({ type }) => type === 'stacks')?.data as { key: { pid: number }; count: number }[];
    const counts = new Map<number, number>();
    for (const { key, count } of stacks) counts.set(key.pid, (counts.get(key.pid) ?? 0) + count);
    const frequency = Number(step.args.at(-1));
    const running = timeOnCpu(journal);
    for (const [pid, ns] of running) {
      const expected = (Number(ns) * frequency) / 1e9;
      if (pid !== 0) expect(Math.abs((counts.get(pid) ?? 0) - expected), `pid ${pid}`).toBeLessThan(3 + expected * 0.2);
    }
  });
});

async function runStep(tool: string): Promise<{ result: CliResult; journal: Entry[] }> {
  const result = await kscope([...stepOf(tool).args, '--journal', 'journal.json']);
  expect(result.err.filter((line) => !line.startsWith('attached'))).toEqual([]);
  expect(result.code).toBe(0);
  return { result, journal: readJournal(result.files.get('journal.json') ?? '[]') };
}

function isOpenatCall(entry: Entry, pid: bigint): boolean {
  return entry.kind === JournalKind.SYSCALL_ENTER && entry.b === SYS_OPENAT && entry.a >> 32n === pid;
}

/** Opens by openat, in the order in which the calls returned. */
function opens(journal: readonly Entry[]): Entry[] {
  const done: Entry[] = [];
  const last = new Map<bigint, Entry>();
  for (const entry of journal) {
    if (entry.kind === JournalKind.OPEN) last.set(entry.a, entry);
    if (entry.kind === JournalKind.SYSCALL_EXIT && entry.b === SYS_OPENAT) done.push(last.get(entry.a) as Entry);
  }
  return done;
}

/** The comm of a process at a time: that of its last exec, or its parent's. */
function commsByPid(journal: readonly Entry[]): (pid: bigint, at: bigint) => string | undefined {
  const names = new Map<bigint, { from: bigint; comm: string }[]>();
  const nameOf = (pid: bigint, at: bigint): string | undefined =>
    names.get(pid)?.findLast(({ from }) => from <= at)?.comm;
  for (const { kind, a, b, time, text } of journal) {
    const pid = kind === JournalKind.FORK ? b & 0xffff_ffffn : a & 0xffff_ffffn;
    const comm = kind === JournalKind.FORK ? nameOf(a & 0xffff_ffffn, time) : text.split('/').at(-1);
    if ((kind !== JournalKind.EXEC && kind !== JournalKind.FORK) || comm === undefined) continue;
    names.set(pid, [...(names.get(pid) ?? []), { from: time, comm }]);
  }
  return nameOf;
}

function requestTimes(journal: readonly Entry[]): bigint[] {
  const issued = new Map<bigint, bigint>();
  const times: bigint[] = [];
  for (const { kind, a, time } of journal) {
    if (kind === JournalKind.BLOCK_ISSUE) issued.set(a, time);
    if (kind === JournalKind.BLOCK_COMPLETE) times.push(time - (issued.get(a) ?? 0n));
  }
  return times;
}

function timeOnCpu(journal: readonly Entry[]): Map<number, bigint> {
  const since = new Map<number, bigint>();
  const total = new Map<number, bigint>();
  for (const { cpu, time, a } of all(journal, 'SWITCH')) {
    const pid = Number(a);
    total.set(pid, (total.get(pid) ?? 0n) + time - (since.get(cpu) ?? time));
    since.set(cpu, time);
  }
  return total;
}

interface Bucket {
  readonly low: bigint;
  readonly high: bigint;
  readonly count: number;
}

/** The printed histograms by the key above them. */
function histograms(result: CliResult): Record<string, Bucket[]> {
  const found: Record<string, Bucket[]> = {};
  let key = '';
  for (const line of result.out) {
    key = /^\[(.*)\]$/.exec(line)?.[1] ?? key;
    const row = /^ +(\d+) -> (\d+) +: (\d+) /.exec(line);
    if (row !== null) (found[key] ??= []).push({ low: BigInt(row[1]), high: BigInt(row[2]), count: Number(row[3]) });
  }
  return found;
}

/** Exact but for values so near to a bucket's edge that the program, a few instructions later, may see the next one. */
function expectHistogram(buckets: readonly Bucket[], values: readonly bigint[], slack: bigint): void {
  expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
  for (const { low, high, count } of buckets) {
    const surely = values.filter((value) => value >= low + slack && value <= high - slack).length;
    const perhaps = values.filter((value) => value >= low - slack && value <= high + slack).length;
    expect(count, `${low} -> ${high}`).toBeGreaterThanOrEqual(surely);
    expect(count, `${low} -> ${high}`).toBeLessThanOrEqual(perhaps);
  }
}

function ledger(result: CliResult): [name: string, seen: number, delivered: number][] {
  return result.out.flatMap((line) => {
    const row = /^(probe|ring) +(.*?) +seen (\d+) = (\d+) delivered/.exec(line);
    return row === null ? [] : [[`${row[1]} ${row[2]}`, Number(row[3]), Number(row[4])] as [string, number, number]];
  });
}

function sampledStacks(result: CliResult): { pid: string; frames: string[] }[] {
  const stacks: { pid: string; frames: string[] }[] = [];
  let frames: string[] = [];
  for (const line of result.out) {
    const end = /^ {4}\[(\d+), .*\]: \d+$/.exec(line);
    if (end !== null) stacks.push({ pid: end[1], frames });
    else if (/^ {4}\S/.test(line) && !line.startsWith('    and ')) frames.push(line.trim());
    if (end !== null) frames = [];
  }
  return stacks;
}

describe('npm run demo', () => {
  it('has a step for each of the examples, which --all shows', () => {
    const objects = readdirSync('examples').filter((name) => name.endsWith('.bpf.o') && !/-(arm64|riscv64)/.test(name));
    expect(steps.map(({ args }) => args[1]).toSorted()).toEqual(objects.map((name) => `examples/${name}`).toSorted());
  });

  it('runs the first four', () => {
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { stdio: 'pipe' });
    const text = execFileSync(process.execPath, ['scripts/demo.mjs'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const shown = text.split('\n').filter((line) => line.startsWith('$ '));
    expect(shown).toEqual(steps.slice(0, 4).map(({ args }) => `$ kscope ${args.join(' ')}`));
    expect(text.match(/ seen \d+ = /g)?.length).toBeGreaterThanOrEqual(10);
  });
});
