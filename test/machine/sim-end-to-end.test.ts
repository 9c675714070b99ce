import { describe, expect, it } from 'vitest';
import { BpfProgType, PerfEventSampleFormat as F, PerfSwIds, u64 } from '../../src/base/index.js';
import { createSim, JournalKind } from '../../src/host/sim/index.js';
import { Machine } from '../../src/machine/index.js';
import { perfEventAttr, PerfReader, type PerfReaderSample } from '../../src/perf/index.js';
import { eventDecoder, exit, isBalanced, mov64Imm } from '../../src/runtime/index.js';
import { SimSession } from './sim-session.js';

const SYS_OPENAT = 257n;
const tgid = (task: bigint): number => Number(task >> 32n);

/** The sum of all slots of the histograms in a map. */
function histogramTotal(session: SimSession, map: string): number {
  let total = 0;
  for (const [, value] of session.elements(map)) {
    const slots = new Uint32Array(value.buffer, value.byteOffset, value.length / 4);
    total += slots.reduce((sum, count) => sum + count, 0);
  }
  return total;
}

function expectBalanced(session: SimSession): void {
  expect(session.faults).toEqual([]);
  for (const row of session.machine.finalLedgerRows()) expect([row, isBalanced(row)]).toEqual([row, true]);
}

describe('opensnoop on the simulated machine', () => {
  const session = new SimSession('opensnoop.bpf.o', { workload: 'mixed', seed: 3 }).run();

  it('prints one row for each openat that the journal knows, with its result, flags and path', () => {
    const expected: unknown[] = [];
    const opened = new Map<bigint, { text: string; flags: number }>();
    for (const { kind, a, b, c, text } of session.host.journal.entries()) {
      if (kind === JournalKind.OPEN) opened.set(a, { text, flags: Number(BigInt.asIntN(32, c)) });
      else if (kind === JournalKind.SYSCALL_EXIT && b === SYS_OPENAT) {
        const { text: fname, flags } = opened.get(a) ?? { text: '', flags: 0 };
        expected.push({ pid: tgid(a), ret: Number(BigInt.asIntN(32, c)), flags, fname });
      }
    }
    const { btf } = session.collection.spec;
    if (btf === null) throw new Error('the object has no BTF');
    const decode = eventDecoder(btf, 'event');
    const rows = session.records.map(({ data }) => decode(data));
    expect(expected.length).toBeGreaterThan(5);
    expect(rows).toMatchObject(expected);
    expect(rows).toHaveLength(expected.length);
  });

  it('lost nothing, and the books say so', () => {
    expectBalanced(session);
    const rows = session.machine.finalLedgerRows();
    const entered = session.journal(JournalKind.SYSCALL_ENTER).filter(({ b }) => b === SYS_OPENAT).length;
    expect(rows).toContainEqual(
      expect.objectContaining({
        name: 'tracepoint:syscalls:sys_enter_openat trace_enter',
        seen: entered,
        delivered: entered,
      }),
    );
    expect(rows).toContainEqual(
      expect.objectContaining({ name: 'events', seen: session.records.length, delivered: session.records.length }),
    );
  });

  it('leaves the machine as it was', () => {
    session.machine.close();
    expect(session.machine.links).toEqual([]);
  });
});

describe('biolatency on the simulated machine', () => {
  it('counts each request that the journal saw issued and completed', () => {
    const session = new SimSession('biolatency.bpf.o', { workload: 'io', seed: 5 }).run();
    const completed = session.journal(JournalKind.BLOCK_COMPLETE).length;
    expect(completed).toBeGreaterThan(10);
    expect(histogramTotal(session, 'usecs')).toBe(completed);
    expectBalanced(session);
  });
});

describe('funclatency on the simulated machine', () => {
  it.each([1, 4])('counts each vfs_read and vfs_write that returned, on %d CPUs', (cpus) => {
    const session = new SimSession('funclatency.bpf.o', { workload: 'mixed', seed: 7, cpus });
    const { symbols } = session.host;
    const entries = new Map(
      ['vfs_read', 'vfs_write'].map((name) => [symbols.lookup(name)?.address, { name, hits: 0 }]),
    );
    session.host.traceInstructions((_cpu, lo, hi) => {
      const entry = entries.get(u64(lo, hi));
      if (entry !== undefined) entry.hits++;
    });
    session.run();
    const executed = [...entries.values()].reduce((sum, { hits }) => sum + hits, 0);
    expect(executed).toBeGreaterThan(20);
    const rows = session.machine.finalLedgerRows().filter(({ kind }) => kind === 'probe');
    const seenBy = (kind: string): number =>
      rows.filter(({ name }) => name.startsWith(kind)).reduce((sum, { seen }) => sum + seen, 0);
    expect(seenBy('kprobe:')).toBe(executed);
    expect(seenBy('kretprobe:')).toBe(executed);
    const returned = rows
      .filter(({ name }) => name.startsWith('kretprobe:'))
      .reduce((sum, { delivered }) => sum + delivered, 0);
    expect(histogramTotal(session, 'nsecs')).toBe(returned);
    expectBalanced(session);
  });

  it('lets calls that are under way return after it has left', () => {
    const session = new SimSession('funclatency.bpf.o', { workload: 'web', seed: 3 });
    const { host, machine } = session;
    expect(host.run({ until: () => machine.kretprobes.tasksInCalls > 1, ns: 200_000_000 })).toBe('until');
    const rows = machine.links.map((link) => link.ledgerRow());
    expect(rows.reduce((sum, { pending }) => sum + pending, 0)).toBeGreaterThan(1);
    machine.close();
    expect(host.run()).toBe('finished');
    expect(host.oops).toBeNull();
    const detached = machine.finalLedgerRows().reduce((sum, { dropped }) => sum + (dropped.detached ?? 0), 0);
    expect(detached).toBeGreaterThan(1);
  });

  it('restores the text it patched', () => {
    const bytesOf = (session: SimSession): number[] => {
      const bytes = new Uint8Array(16);
      const address = session.host.symbols.lookup('vfs_read')?.address ?? 0n;
      session.host.memory.readKernel(
        Number(BigInt.asIntN(32, address)),
        Number(BigInt.asIntN(32, address >> 32n)),
        bytes,
        0,
        16,
      );
      return [...bytes];
    };
    const session = new SimSession('funclatency.bpf.o', { workload: 'shell' });
    const patched = bytesOf(session);
    session.run();
    session.machine.close();
    const restored = bytesOf(session);
    expect(patched).toContain(0xcc);
    expect(restored).not.toEqual(patched);
    expect(restored).toEqual(bytesOf(new SimSession('opensnoop.bpf.o')));
  });
});

describe('profile on the simulated machine', () => {
  it('counts each sample that is not of the idle task', () => {
    const session = new SimSession('profile.bpf.o', { workload: 'compile', seed: 2 }, { periodNs: 100_000n }).run();
    const [row] = session.machine.finalLedgerRows();
    let counted = 0;
    for (const [, value] of session.elements('counts'))
      counted += Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0, true));
    expect(counted).toBeGreaterThan(50);
    expect(counted).toBeLessThanOrEqual(row?.delivered ?? 0);
    expectBalanced(session);
  });

  it('samples the thread that the journal has on that CPU at that time', () => {
    const host = createSim({ workload: 'mixed', seed: 11, cpus: 2 });
    const machine = new Machine(host);
    const events = [0, 1].map((cpu) => {
      const event = machine.perf.open(
        perfEventAttr({
          type: 1,
          config: BigInt(PerfSwIds.PERF_COUNT_SW_CPU_CLOCK),
          samplePeriod: 50_000n,
          sampleType: F.PERF_SAMPLE_TID | F.PERF_SAMPLE_TIME | F.PERF_SAMPLE_CPU,
        }),
        { pid: -1, cpu },
      );
      event.mmap(64);
      return event;
    });
    expect(host.run()).toBe('finished');
    const samples: PerfReaderSample[] = [];
    new PerfReader(events).poll((record) => samples.push(record));
    expect(samples.length).toBeGreaterThan(100);
    const switches = [...host.journal.entries(JournalKind.SWITCH)];
    const wrong = samples.filter(({ cpu, sample }) => {
      const last = switches.findLast((entry) => entry.cpu === cpu && entry.time <= (sample.time ?? 0n));
      return Number(last?.b ?? 0n) !== sample.tid;
    });
    expect(wrong).toEqual([]);
    machine.close();
  });
});

describe('counting programs on trace events', () => {
  it.each([
    ['sched', 'sched_switch', JournalKind.SWITCH],
    ['sched', 'sched_process_fork', JournalKind.FORK],
    ['sched', 'sched_process_exec', JournalKind.EXEC],
    ['block', 'block_rq_issue', JournalKind.BLOCK_ISSUE],
    ['block', 'block_rq_complete', JournalKind.BLOCK_COMPLETE],
    ['raw_syscalls', 'sys_enter', JournalKind.SYSCALL_ENTER],
    ['raw_syscalls', 'sys_exit', JournalKind.SYSCALL_EXIT],
    ['irq', 'irq_handler_entry', undefined],
    ['timer', 'timer_expire_entry', JournalKind.TIMER_ENTER],
  ] as const)('%s:%s sees what the journal has', (system, name, kind) => {
    const host = createSim({ workload: 'mixed', seed: 13 });
    const machine = new Machine(host);
    const program = machine.runtime.loadProgram({
      name: 'count',
      type: BpfProgType.BPF_PROG_TYPE_TRACEPOINT,
      expectedAttachType: 0,
      license: 'GPL',
      maps: [],
      insns: [mov64Imm(0, 0), exit()],
    });
    const link = machine.attach(program, { kind: 'tracepoint', system, name });
    expect(host.run()).toBe('finished');
    const journal = [...host.journal.entries(kind ?? JournalKind.IRQ_ENTER)].filter(
      (entry) => kind !== undefined || entry.a === 24n,
    );
    expect(journal.length).toBeGreaterThan(0);
    expect(link.ledgerRow()).toMatchObject({ seen: journal.length, delivered: journal.length });
    expect(program.runCount).toBe(BigInt(journal.length));
    machine.close();
  });
});
