import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type JournalEntry, JournalKind as Kind } from '../../../src/host/sim/machine/sim-journal.js';
import { type SimHost, createSim } from '../../../src/host/sim/index.js';
import { journalOf, kernelSymbol, kernelWord, pidOf, runToEnd, signed, tgidOf } from './kernel-machine.js';
import { violations } from './journal-laws.js';

const diskRoot = new URL('../../../src/host/sim/root/', import.meta.url);
const fileOnDisk = (path: string): string => readFileSync(new URL(path, diskRoot), 'utf8');

/** Console of a script on two CPUs that has to end well. */
function consoleOf(script: string): string {
  const { host, stop, status } = journalOf({ cpus: 2, seed: 7, script });
  expect({ stop, status, oops: host.oops }).toEqual({ stop: 'finished', status: 0, oops: null });
  return host.console;
}

describe('workloads run to their end and keep every law of the journal', () => {
  const runs = ['shell', 'compile', 'web', 'io', 'mixed', 'storm'].flatMap((workload) =>
    [1, 2, 3, 4].map((cpus) => ({ workload, cpus, seed: 40 + cpus })),
  );
  test.each(runs)('$workload on $cpus CPUs', ({ workload, cpus, seed }) => {
    const { host, entries, stop, status } = journalOf({ workload, cpus, seed });
    expect({ stop, status, oops: host.oops }).toEqual({ stop: 'finished', status: 0, oops: null });
    expect(violations(entries, cpus)).toEqual([]);
  });
});

describe('the machine depends on nothing but its seed', () => {
  const run = (seed: number): Uint8Array => journalOf({ workload: 'mixed', cpus: 3, seed }).host.journal.bytes();
  test('the same seed gives the same journal, byte for byte', () => {
    expect(run(11)).toEqual(run(11));
  });
  test('another seed gives another', () => {
    expect(run(11)).not.toEqual(run(12));
  });
});

describe('files', () => {
  test('a file on the disk reads as it was put there', () => {
    expect(consoleOf('cat /src/parse.c')).toBe(fileOnDisk('src/parse.c'));
  });

  test('a copy has the contents of the original', () => {
    expect(consoleOf('cp /src/main.c /tmp/a\ncp /tmp/a /tmp/b\nrm /tmp/a\ncat /tmp/b')).toBe(fileOnDisk('src/main.c'));
  });

  test('what was synced comes back from the disk', () => {
    consoleOf('fio /tmp/x 32 5 &\nfio /tmp/y 17 6 &\nfio /tmp/z 1 7\nwait');
  });

  test('what nobody synced is written back by the kernel thread', () => {
    const { entries } = journalOf({ cpus: 1, seed: 3, script: 'op create:/tmp/x write:20000 close sleep:60000' });
    const written = entries
      .filter((e) => e.kind === Kind.BLOCK_ISSUE && e.d === 1n)
      .reduce((sum, e) => sum + Number(e.c), 0);
    const script = 1;
    expect(written).toBe((script + 5) * 4096);
  });

  const everybody =
    'op create:/tmp/x write:30000 fsync drop lseek:0 read:30000 lseek:5000 write:9000 close open:/tmp/x read:60000';
  const contention = `repeat 3\n${`${everybody} unlink:/tmp/x &\n`.repeat(8)}wait\nend`;
  test.each([1, 2, 3, 21])('many processes write, drop, truncate and unlink the same file at once: seed %i', (seed) => {
    const cpus = 6;
    const { host, entries, stop } = journalOf({ cpus, seed, script: contention });
    expect({ stop, oops: host.oops }).toEqual({ stop: 'finished', oops: null });
    expect(violations(entries, cpus)).toEqual([]);
  });

  test('an open file outlives its name', () => {
    const { entries } = journalOf({
      cpus: 1,
      seed: 3,
      script: 'op create:/tmp/x write:5000 unlink:/tmp/x lseek:0 read:5000 close open:/tmp/x',
    });
    const pid = pidOf(entries.find((e) => e.kind === Kind.UNLINK)?.a ?? 0n);
    const mine = entries.filter((e) => pidOf(e.a) === pid);
    expect(mine.filter((e) => e.kind === Kind.READ).map((e) => signed(e.d))).toEqual([5000]);
    expect(mine.filter((e) => e.kind === Kind.OPEN && e.text === '/tmp/x').map((e) => signed(e.d))).toEqual([3, -2]);
  });

  test.each([
    ['a missing file', 'open:/etc/none', -2],
    ['a missing directory', 'open:/none/x', -2],
    ['a file as directory', 'open:/etc/motd/x', -20],
    ['dots', 'open:/etc/../etc/./motd', 3],
    ['slashes', 'open://etc///motd', 3],
    ['a directory', 'open:/etc', 3],
    ['a directory to write', 'create:/etc', -21],
    ['a name too long', `open:/etc/${'x'.repeat(60)}`, -36],
  ])('open of %s', (_, operation, result) => {
    const { entries } = journalOf({ cpus: 1, seed: 1, script: `op ${operation}` });
    expect(signed(entries.filter((e) => e.kind === Kind.OPEN).at(-1)?.d ?? 0n)).toBe(result);
  });
});

describe('memory', () => {
  /** Free pages after so many rounds of everything. */
  function freePages(rounds: number): bigint {
    const script = `httpd 80 0 &\nop mkdir:/obj\nrepeat ${rounds}
cc1 /src/main.c /obj/a.o 5\nfio /tmp/a 9 $i\ncurl 80 /etc/motd 62\ncat /etc/motd
op create:/tmp/p write:9000 unlink:/tmp/p touch:9 fork threads:2 stat:/etc/motd connect:81 brk:7\nend\nsleep 60000`;
    const host = createSim({ cpus: 2, seed: 5, script });
    expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
    return kernelWord(host, kernelSymbol(host, 'zone').address + 8n + 16n * 11n);
  }

  test('nothing is lost however long it runs', () => {
    expect(Math.abs(Number(freePages(12) - freePages(3)))).toBeLessThanOrEqual(2);
  });

  test('pages that nobody has touched fault in, in user mode and in copies of the kernel', () => {
    const { entries } = journalOf({ cpus: 1, seed: 1, script: 'op touch:5 open:/src/parse.c read:4096' });
    const faults = entries.filter((e) => e.kind === Kind.FAULT);
    expect(faults.some((e) => e.c === 1n)).toBe(true);
    expect(faults.some((e) => e.c === 0n)).toBe(true);
    expect(faults.every((e) => signed(e.d) >= 0)).toBe(true);
  });

  test('a bad user pointer is EFAULT, not an oops', () => {
    const { host, entries } = journalOf({ cpus: 1, seed: 1, script: 'op poke:syscall' });
    expect(host.oops).toBeNull();
    expect(entries.some((e) => e.kind === Kind.SYSCALL_EXIT && signed(e.c) === -14)).toBe(true);
  });

  test('a process that touches what is not its own dies of SIGSEGV, and only it', () => {
    const { host, entries, stop } = journalOf({ cpus: 2, seed: 1, script: 'op poke:user\ncat /etc/motd' });
    expect(stop).toBe('finished');
    expect(host.console).toBe(fileOnDisk('etc/motd'));
    expect(entries.filter((e) => e.kind === Kind.REAP).map((e) => Number(e.c))).toContain(11);
  });

  test('nor may it touch the kernel, or execute its instructions', () => {
    const { entries } = journalOf({ cpus: 1, seed: 1, script: 'op poke:kernel\nop poke:hlt' });
    expect(entries.filter((e) => e.kind === Kind.REAP).map((e) => Number(e.c))).toEqual(
      expect.arrayContaining([11, 11]),
    );
  });
});

describe('processes', () => {
  test('threads share a tgid and are not reaped', () => {
    const { entries } = journalOf({ cpus: 3, seed: 2, script: 'op threads:4' });
    const threads = entries.filter((e) => e.kind === Kind.EXIT && pidOf(e.a) !== tgidOf(e.a));
    expect(threads.length).toBe(4);
    expect(new Set(threads.map((e) => tgidOf(e.a))).size).toBe(1);
  });

  test('more tasks than CPUs share them: each is switched from while it could still run', () => {
    const script = `${'op compute:100000 &\n'.repeat(5)}wait`;
    const { entries } = journalOf({ cpus: 2, seed: 4, script });
    const preempted = new Set(
      entries.filter((e) => e.kind === Kind.SWITCH && e.a !== 0n && e.c === 0n).map((e) => Number(e.a)),
    );
    expect(preempted.size).toBeGreaterThanOrEqual(5);
  });

  test('the kernel itself is preempted', () => {
    const script = `${'op touch:200 &\n'.repeat(4)}wait`;
    const { entries } = journalOf({ cpus: 1, seed: 4, script });
    expect(entries.some((e) => e.kind === Kind.SWITCH && e.d === 1n)).toBe(true);
  });

  test('tasks wake up on other CPUs, by reschedule interrupts', () => {
    const { entries } = journalOf({ cpus: 4, seed: 4, workload: 'mixed' });
    expect(entries.some((e) => e.kind === Kind.IRQ_ENTER && e.a === 0xfdn)).toBe(true);
    expect(entries.some((e) => e.kind === Kind.WAKEUP && Number(e.c) !== e.cpu)).toBe(true);
  });

  test('a sleep takes as long as was asked for, and not much longer', () => {
    const { entries } = journalOf({ cpus: 1, seed: 4, script: 'op sleep:7000' });
    const nanosleep = entries.filter(
      (e) => (e.kind === Kind.SYSCALL_ENTER || e.kind === Kind.SYSCALL_EXIT) && e.b === 35n,
    );
    const slept = Number((nanosleep[1]?.time ?? 0n) - (nanosleep[0]?.time ?? 0n));
    expect(slept).toBeGreaterThanOrEqual(7_000_000);
    expect(slept).toBeLessThan(7_100_000);
  });

  test('what the script leaves running is killed and reaped', () => {
    const { entries, stop } = journalOf({
      cpus: 2,
      seed: 4,
      script: 'httpd 80 0 &\nop sleep:9000000 &\nop compute:900000000 &\nsleep 500',
    });
    expect(stop).toBe('finished');
    expect(entries.filter((e) => e.kind === Kind.REAP && e.c === 15n).length).toBe(3);
  });
});

describe('signals', () => {
  /** Deliveries of a signal to a handler, by the journal, of a script that has to end well. */
  function delivered(script: string, signal: bigint): number {
    const { entries, stop, status } = journalOf({ cpus: 2, seed: 4, script });
    expect({ stop, status }).toEqual({ stop: 'finished', status: 0 });
    expect(violations(entries, 2)).toEqual([]);
    return entries.filter((e) => e.kind === Kind.SIGNAL_DELIVER && e.b === signal && e.c > 1n).length;
  }

  test('a handler runs, and the program goes on where it was', () => {
    expect(delivered('op handle:10 raise:10 raise:10 handled:2 open:/etc/motd read:20 exit:0', 10n)).toBe(2);
  });

  test('a blocked signal waits, once, until it is unblocked', () => {
    expect(delivered('op handle:10 block:10 raise:10 raise:10 handled:0 unblock:10 handled:1', 10n)).toBe(1);
  });

  test('a fault with a handler reaches it; without one the process dies of it', () => {
    const { entries } = journalOf({ cpus: 1, seed: 4, script: 'op poke:user' });
    expect(entries.some((e) => e.kind === Kind.SIGNAL_GENERATE && e.b === 11n)).toBe(true);
    expect(entries.some((e) => e.kind === Kind.EXIT && e.b === 11n)).toBe(true);
  });

  test('a parent is told of its child, and ignores it', () => {
    const { entries } = journalOf({ cpus: 1, seed: 4, script: 'op fork' });
    const told = entries.filter((e) => e.kind === Kind.SIGNAL_GENERATE && e.b === 17n);
    expect(told.length).toBeGreaterThan(1);
    expect(told.every((e) => e.d === 1n)).toBe(true);
  });
});

describe('tcp', () => {
  test('what the device loses is sent again, and every byte arrives', () => {
    const script = 'httpd 80 6 &\nrepeat 6\ncurl 80 /src/parse.c 4213\nend\nwait';
    const size = fileOnDisk('src/parse.c').length;
    const host = createSim({ cpus: 2, seed: 9, packetLoss: 120, script: script.replace('4213', `${size}`) });
    expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
    const kinds = [...host.journal.entries()].map((e) => e.kind);
    expect(kinds.filter((kind) => kind === Kind.TCP_RETRANSMIT).length).toBeGreaterThan(2);
    expect(violations([...host.journal.entries()], 2)).toEqual([]);
  });

  test('clients get the file the server reads', () => {
    const size = fileOnDisk('src/main.c').length;
    const { entries, status } = journalOf({
      cpus: 2,
      seed: 9,
      script: `httpd 80 3 &\nrepeat 3\ncurl 80 /src/main.c ${size}\nend\nwait`,
    });
    expect(status).toBe(0);
    expect(entries.filter((e) => e.kind === Kind.TCP_ACCEPT).length).toBe(3);
  });

  test('nobody listens: ECONNREFUSED', () => {
    const { entries } = journalOf({ cpus: 1, seed: 9, script: 'op connect:99' });
    expect(entries.filter((e) => e.kind === Kind.SYSCALL_EXIT && e.b === 42n).map((e) => signed(e.c))).toEqual([-111]);
  });
});

describe('tracepoints', () => {
  const pairs: readonly [string, number, (entry: JournalEntry) => boolean][] = [
    ['sys_enter', Kind.SYSCALL_ENTER, () => true],
    ['sys_exit', Kind.SYSCALL_EXIT, () => true],
    ['sched_switch', Kind.SWITCH, () => true],
    ['sched_wakeup', Kind.WAKEUP, ({ d }) => d === 0n],
    ['sched_wakeup_new', Kind.WAKEUP, ({ d }) => d === 1n],
    ['sched_process_fork', Kind.FORK, () => true],
    ['sched_process_exec', Kind.EXEC, () => true],
    ['sched_process_exit', Kind.EXIT, () => true],
    ['block_rq_insert', Kind.BLOCK_INSERT, () => true],
    ['block_rq_issue', Kind.BLOCK_ISSUE, () => true],
    ['block_rq_complete', Kind.BLOCK_COMPLETE, () => true],
    ['irq_handler_entry', Kind.IRQ_ENTER, ({ a }) => a === 24n],
    ['irq_handler_exit', Kind.IRQ_EXIT, ({ a }) => a === 24n],
    ['local_timer_entry', Kind.IRQ_ENTER, ({ a }) => a === 0xecn],
    ['softirq_entry', Kind.SOFTIRQ_ENTER, () => true],
    ['softirq_exit', Kind.SOFTIRQ_EXIT, () => true],
    ['timer_start', Kind.TIMER_START, () => true],
    ['timer_expire_entry', Kind.TIMER_ENTER, () => true],
    ['timer_expire_exit', Kind.TIMER_EXIT, () => true],
    ['hrtimer_expire_entry', Kind.HRTIMER_ENTER, () => true],
    ['hrtimer_expire_exit', Kind.HRTIMER_EXIT, () => true],
  ];
  const host = createSim({ cpus: 3, seed: 14, workload: 'mixed' });
  const hits = new Array<number>(host.tracepoints.list.length).fill(0);
  host.tracepoints.setSink((index) => (hits[index] += 1));
  host.tracepoints.list.forEach((_, index) => host.tracepoints.setEnabled(index, true));
  runToEnd(host);

  test.each(pairs)('%s is hit as often as the journal says', (name, kind, counts) => {
    const index = host.tracepoints.list.findIndex((tracepoint) => tracepoint.name === name);
    const expected = [...host.journal.entries(kind)].filter(counts).length;
    expect(expected).toBeGreaterThan(0);
    expect(hits[index]).toBe(expected);
  });

  test('being traced changes nothing but the time it takes', () => {
    const plain = journalOf({ cpus: 1, seed: 14, workload: 'io' });
    const traced = createSim({ cpus: 1, seed: 14, workload: 'io' });
    traced.tracepoints.list.forEach((_, index) => traced.tracepoints.setEnabled(index, true));
    expect(runToEnd(traced)).toEqual({ stop: 'finished', status: 0 });
    const execs = (entries: Iterable<JournalEntry>): string[] =>
      [...entries].filter((e) => e.kind === Kind.EXEC).map((e) => e.text);
    expect(execs(traced.journal.entries())).toEqual(execs(plain.entries));
  });
});

describe('breakpoints', () => {
  /** Puts int3 into `symbol` once init runs. */
  function patch(symbol: string): SimHost {
    const host = createSim({ cpus: 2, seed: 1, workload: 'shell' });
    host.run({ until: () => host.journal.length > 20 });
    expect(host.text.patch(kernelSymbol(host, symbol).address, Uint8Array.of(0x55), Uint8Array.of(0xcc))).toBe(true);
    return host;
  }

  test('one that nobody registered is an oops', () => {
    const host = patch('vfs_read');
    expect(host.run({ instructions: 20_000_000 })).toBe('oops');
    expect(host.oops?.reason).toBe('int3');
    expect(host.oops?.regs?.ip).toBe(kernelSymbol(host, 'vfs_read').address + 1n);
  });

  test('one at the entry of every function at once, each displaced push emulated: the machine works as ever', () => {
    const cpus = 3;
    const host = createSim({ cpus, seed: 8, workload: 'mixed' });
    const hits = new Map<bigint, number>();
    const { ip, sp, fp } = host.arch.ptRegs;
    host.run({ until: () => host.journal.length > 20 });
    const word = new Uint8Array(8);
    host.text.setTrapHandler(({ kind, regs }) => {
      const address = regs.ip - 1n;
      if (kind !== 'breakpoint' || !hits.has(address)) return false;
      hits.set(address, (hits.get(address) ?? 0) + 1);
      const stack = regs.get(sp) - 8n;
      new DataView(word.buffer).setBigUint64(0, regs.get(fp), true);
      regs.put(sp, stack);
      return (
        host.memory.writeKernel(Number(stack & 0xffff_ffffn) | 0, Number(stack >> 32n) | 0, word, 0, 8) &&
        regs.get(ip) !== 0n
      );
    });
    for (const { type, address, size } of host.symbols) {
      if (!/t/i.test(type) || size === 0n || host.text.blacklisted(address) !== null) continue;
      if (host.text.patch(address, Uint8Array.of(0x55), Uint8Array.of(0xcc))) hits.set(address, 0);
    }
    expect(hits.size).toBeGreaterThan(500);
    expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
    expect(violations([...host.journal.entries()], cpus)).toEqual([]);
    expect([...hits.values()].filter((count) => count > 0).length).toBeGreaterThan(400);
  });
});

describe('the laws', () => {
  const cpus = 2;
  const { entries } = journalOf({ cpus, seed: 21, workload: 'mixed' });
  const cases: readonly [string, number][] = [
    ['switchesChain', Kind.SWITCH],
    ['sleepersAreWoken', Kind.WAKEUP],
    ['syscallsPair', Kind.SYSCALL_ENTER],
    ['processesAreReaped', Kind.REAP],
    ['processesAreReaped', Kind.FORK],
    ['requestsComplete', Kind.BLOCK_ISSUE],
    ['interruptsNest', Kind.IRQ_EXIT],
    ['interruptsNest', Kind.SOFTIRQ_ENTER],
    ['timersWereStarted', Kind.TIMER_START],
  ];
  test.each(cases)('%s notices that an entry of kind %i is missing', (law, kind) => {
    const first = entries.findIndex((entry) => entry.kind === kind);
    const broken = violations(entries.toSpliced(first, 1), cpus);
    expect(broken.some((what) => what.startsWith(`${law}:`))).toBe(true);
  });
});
