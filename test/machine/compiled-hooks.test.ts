import { describe, expect, it } from 'vitest';
import { JournalKind, type JournalEntry } from '../../src/host/sim/index.js';
import { isBalanced } from '../../src/runtime/index.js';
import { type HookEvent, HookSession } from './hook-session.js';

/** Every kind of hook with a program that clang compiled: what it sees against what the machine's journal knows. */

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

function journal({ host }: HookSession, kind: number): JournalEntry[] {
  return [...host.journal.entries(kind)];
}

function expectSound(session: HookSession): void {
  expect(session.faults).toEqual([]);
  for (const row of session.machine.finalLedgerRows()) expect([row, isBalanced(row)]).toEqual([row, true]);
}

describe('sched_switch, three ways', () => {
  const session = new HookSession(['on_tp_btf', 'on_raw_tp', 'on_tracepoint'], { workload: 'shell', seed: 8 }).run();
  const switches = journal(session, JournalKind.SWITCH).map(({ a, b, d }) => [d, a, b]);

  it.each([
    ['tp_btf', 100n],
    ['raw_tp', 101n],
  ])('%s: each switch of the journal, with the tasks as they are', (hook, cookie) => {
    const seen = session.of(hook);
    expect(switches.length).toBeGreaterThan(20);
    // What happens on two CPUs at once may come in either order.
    const texts = (rows: readonly unknown[][]): string[] => rows.map((row) => row.join(' ')).toSorted();
    expect(texts(seen.map(({ args: [preempt, prev, next] }) => [preempt, prev, next]))).toEqual(texts(switches));
    for (const event of seen) {
      expect(event.cookie).toBe(cookie);
      expect(session.stack(event)[0]).toMatch(/schedule/);
    }
  });

  it('tracepoint: the record of each exit, its cookie and stack', () => {
    const exits = journal(session, JournalKind.EXIT).map(({ a }) => a & 0xffff_ffffn);
    const seen = session.of('tracepoint');
    expect(exits.length).toBeGreaterThan(2);
    expect(seen.map(({ args }) => args[0])).toEqual(exits);
    for (const event of seen) {
      expect([event.cookie, event.text]).toEqual([102n, expect.stringMatching(/^\w/)]);
      expect(session.stack(event)).toContain('do_exit');
    }
    expectSound(session);
  });
});

describe('kprobe and kretprobe', () => {
  const session = new HookSession(['on_kprobe', 'on_kretprobe'], { workload: 'shell', seed: 9 }).run();
  const reads = journal(session, JournalKind.READ).filter(({ b }) => b !== 0n);

  it('see the arguments in registers, and the result', () => {
    const entered = session.of('kprobe');
    const left = session.of('kretprobe');
    expect(reads.length).toBeGreaterThan(3);
    expect(entered.map(({ pid_tgid: task, args }) => [task, args[2]])).toEqual(
      expect.arrayContaining(reads.map(({ a, c }) => [a, c])),
    );
    expect(left.map(({ pid_tgid: task, ret }) => [task, ret])).toEqual(
      expect.arrayContaining(reads.map(({ a, d }) => [a, signed(d)])),
    );
    expect(left).toHaveLength(entered.length);
  });

  it('have the function’s address, their cookies, and the stack of the function or its caller', () => {
    const ip = session.address('vfs_read');
    for (const event of session.events) {
      const isEntry = event.hook === 'kprobe';
      expect([event.ip, event.cookie]).toEqual([ip, isEntry ? 100n : 101n]);
      expect(session.stack(event)[0]).toBe(isEntry ? 'vfs_read' : 'ksys_read');
    }
    expectSound(session);
  });
});

describe('kprobe.multi', () => {
  const session = new HookSession(['on_kprobe_multi'], { workload: 'shell', seed: 9 }).run();

  it('runs at each function that the pattern names, and tells which', () => {
    const functions = new Map([...session.host.symbols].map(({ name, address }) => [address, name]));
    const names = session.of('kprobe.multi').map(({ ip }) => functions.get(ip) ?? '?');
    expect(new Set(names)).toEqual(new Set(names.filter((name) => name.startsWith('vfs_'))));
    expect(new Set(names).size).toBeGreaterThan(3);
    const opens = journal(session, JournalKind.OPEN).filter(({ d }) => signed(d) >= 0n);
    expect(names.filter((name) => name === 'vfs_open').length).toBeGreaterThanOrEqual(opens.length);
  });

  it('has one cookie, and the stack of each function', () => {
    for (const event of session.of('kprobe.multi')) {
      expect(event.cookie).toBe(100n);
      expect(event.stack[0] - event.ip).toBeLessThan(2n);
    }
    expectSound(session);
  });
});

it('kprobe.multi takes a cookie for each function', () => {
  const symbols = ['vfs_open', 'vfs_read'];
  const session = new HookSession(['on_kprobe_multi'], {
    workload: 'shell',
    attach: { on_kprobe_multi: { target: { kind: 'kprobe_multi', on: 'entry', symbols, cookies: [7n, 8n] } } },
  }).run();
  const cookies = session.of('kprobe.multi').map(({ ip, cookie }) => [ip, cookie]);
  expect(new Set(cookies.map(String))).toEqual(
    new Set([`${session.address('vfs_open')},7`, `${session.address('vfs_read')},8`]),
  );
});

it('kprobe.session runs at entry and return of the same calls', () => {
  const session = new HookSession(['on_session'], { workload: 'shell', seed: 9 }).run();
  const seen = session.of('kprobe.session');
  const reads = journal(session, JournalKind.READ).filter(({ b }) => b !== 0n);
  const isEntry = (event: HookEvent): boolean => session.stack(event)[0] === 'vfs_read';
  expect(seen.filter(isEntry)).toHaveLength(seen.length / 2);
  const returned = seen.filter((event) => !isEntry(event)).map(({ pid_tgid: task, ret }) => [task, ret]);
  expect(returned).toEqual(expect.arrayContaining(reads.map(({ a, d }) => [a, signed(d)])));
  for (const { ip, cookie } of seen) expect([ip, cookie]).toEqual([session.address('vfs_read'), 100n]);
  expectSound(session);
});

describe('uprobe and uretprobe', () => {
  const script = ['op open:/etc/motd open:/etc/none close', 'op open:/etc/passwd'].join('\n');
  const session = new HookSession(['on_uprobe', 'on_uretprobe'], { script }).run();
  const names = (event: HookEvent): (string | undefined)[] =>
    event.stack
      .slice(0, Number(event.frames) / 8)
      .map((address) => session.host.programs.get('/bin/op')?.at(address)?.name);

  it('see the arguments and the result of functions of programs', () => {
    const opened = journal(session, JournalKind.OPEN).filter(({ text }) => /^\/etc\/(motd|none|passwd)$/.test(text));
    expect(session.of('uprobe')).toHaveLength(3);
    expect(session.of('uprobe').map(({ pid_tgid: task }) => task)).toEqual(opened.map(({ a }) => a));
    expect(session.of('uretprobe').map(({ ret }) => ret)).toEqual(
      opened.map(({ d }) => (signed(d) < 0n ? expect.any(BigInt) : signed(d))),
    );
  });

  it('have addresses, cookies and user stacks', () => {
    const address = session.host.programs.get('/bin/op')?.lookup('open')?.address;
    for (const event of session.of('uprobe')) {
      expect([event.ip, event.cookie]).toEqual([address, 100n]);
      expect(names(event)[0]).toBe('open');
    }
    for (const event of session.of('uretprobe')) {
      expect([event.ip, event.cookie]).toEqual([address, 101n]);
      expect(names(event)[0]).not.toBe('open');
    }
    expectSound(session);
  });
});

describe('perf_event', () => {
  it('by frequency: samples with registers, period, cookie and stack', () => {
    const session = new HookSession(['on_sample'], {
      workload: 'compile',
      attach: { on_sample: { frequency: 10_000 } },
    }).run(60_000_000);
    const samples = session.of('perf_event');
    expect(samples.length).toBeGreaterThan(50);
    for (const { args, cookie } of samples) expect([args[0], cookie]).toEqual([100_000n, 100n]);
    const kernel = samples.filter(({ ip }) => ip >> 63n === 1n);
    expect(kernel.length).toBeGreaterThan(0);
    for (const event of kernel) expect(event.stack[0]).toBe(event.ip);
    expectSound(session);
  });

  it('of context switches: each of the journal, on behalf of the task that is left', () => {
    // One CPU: several tell of what they do at once in either order.
    const session = new HookSession(['on_sample'], {
      workload: 'shell',
      cpus: 1,
      attach: { on_sample: { event: 'context-switches' } },
    }).run();
    const left = journal(session, JournalKind.SWITCH).map(({ a }) => a);
    const samples = session.of('perf_event');
    expect(samples.map(({ pid_tgid: task }) => task & 0xffff_ffffn)).toEqual(left);
    for (const event of samples) {
      expect([event.args[0], event.cookie]).toEqual([1n, 100n]);
      expect(session.stack(event)[0]).toBe('__schedule');
      expect(event.ip).toBe(event.stack[0]);
    }
    expectSound(session);
  });

  it('of every tenth context switch', () => {
    const attach = { on_sample: { event: 'context-switches', period: 10n, cpus: [0] } } as const;
    const session = new HookSession(['on_sample'], { workload: 'shell', attach }).run();
    const switches = journal(session, JournalKind.SWITCH).filter(({ cpu }) => cpu === 0);
    expect(session.of('perf_event')).toHaveLength(Math.floor(switches.length / 10));
    for (const { args } of session.of('perf_event')) expect(args[0]).toBe(10n);
  });

  it('of migrations: of the task that moved, where it first runs', () => {
    const session = new HookSession(['on_sample'], {
      workload: 'mixed',
      cpus: 4,
      attach: { on_sample: { event: 'cpu-migrations' } },
    }).run();
    const { links } = session.machine;
    expect(links.map(({ info }) => info.hook)).toEqual(['perf_event:cpu-migrations']);
    expect(session.of('perf_event').length).toBeGreaterThan(0);
    expectSound(session);
  });

  it('of page faults: the address, and the registers of the instruction that met it', () => {
    const session = new HookSession(['on_sample'], {
      workload: 'shell',
      attach: { on_sample: { event: 'page-faults' } },
    }).run();
    const faults = journal(session, JournalKind.FAULT);
    const samples = session.of('perf_event').map(({ pid_tgid: task, args }) => [task, args[1]].join());
    expect(faults.length).toBeGreaterThan(20);
    // The kernel's own faults at addresses of programs are among them, told from what it handles as such.
    expect(samples).toEqual(expect.arrayContaining(faults.map(({ a, b }) => [a, b].join())));
    const inPrograms = session.of('perf_event').filter(({ ip }) => ip >> 47n === 0n);
    expect(inPrograms.length).toBeGreaterThan(10);
    expectSound(session);
  });

  it('by period', () => {
    const session = new HookSession(['on_sample'], {
      workload: 'compile',
      attach: { on_sample: { periodNs: 50_000n, cpus: [1] } },
    }).run(20_000_000);
    expect(session.of('perf_event').length).toBeGreaterThan(20);
    for (const { args } of session.of('perf_event')) expect(args[0]).toBe(50_000n);
    expectSound(session);
  });
});
