import { expect, it } from 'vitest';
import { X86Slot, type PtRegs } from '../../src/arch/index.js';
import { BpfProgType } from '../../src/base/index.js';
import { createSim } from '../../src/host/sim/index.js';
import { KprobePrograms, KprobeRegistry, KretprobeRegistry } from '../../src/kprobe/index.js';
import { BpfRuntime, exit, ldx, mov64Imm, type Insn, type ProgramInput } from '../../src/runtime/index.js';
import { golden } from '../support/golden.js';

const WORKLOAD = { workload: 'mixed', seed: 3 } as const;
const LINES = 12;

function setUp() {
  const host = createSim(WORKLOAD);
  const runtime = new BpfRuntime(host);
  const kprobes = new KprobeRegistry(host);
  const kretprobes = new KretprobeRegistry(kprobes);
  return { host, runtime, kprobes, kretprobes, programs: new KprobePrograms(runtime, kprobes, kretprobes) };
}

function input(insns: readonly Insn[]): ProgramInput {
  return {
    name: 'probe',
    type: BpfProgType.BPF_PROG_TYPE_KPROBE,
    expectedAttachType: 0,
    license: 'GPL',
    insns,
    maps: [],
  };
}

it('entry, inside and return of vfs_read: pc, arguments, result', () => {
  const { host, kprobes, kretprobes } = setUp();
  const lines: string[] = [];
  const note = (what: string, regs: PtRegs, cpu: number, shown: string): number => {
    if (lines.length < LINES) lines.push(`cpu ${cpu} ${what} ip=${host.symbols.format(regs.ip)} ${shown}`);
    return 0;
  };
  kprobes.register({
    symbolName: 'vfs_read',
    preHandler: (_probe, regs, cpu) => note('entry', regs, cpu, `count=${regs.get(X86Slot.dx)}`),
  });
  const inside = kprobes.register({
    symbolName: 'vfs_read',
    offset: 1,
    preHandler: (_probe, regs, cpu) => note('inside', regs, cpu, `count=${regs.get(X86Slot.dx)}`),
  });
  const returns = kretprobes.register({
    symbolName: 'vfs_read',
    handler: (_instance, regs, cpu) =>
      void note(
        'return',
        regs,
        cpu,
        `ax=${BigInt.asIntN(64, regs.get(X86Slot.ax))} orig_ax=${BigInt.asIntN(64, regs.get(X86Slot.orig_ax))}`,
      ),
  });
  expect(host.run({ instructions: 60_000_000 }), host.oops?.message).toBe('finished');
  golden('hooks/simulator-vfs-read.txt', lines.join('\n'));
  expect(inside.nhit).toBe(returns.nreturned + returns.nactive);
  expect([inside.nmissed, returns.nmissed]).toEqual([0, 0]);
});

it('programs run once per hit, and what a program cannot read stops it', () => {
  const { host, runtime, programs } = setUp();
  const good = runtime.loadProgram(input([ldx(8, 0, 1, 112), exit()]));
  const bad = runtime.loadProgram(input([ldx(8, 0, 1, 168), mov64Imm(0, 0), exit()]));
  const entry = programs.attachKprobe(good, { symbolName: 'vfs_read' });
  const entryToo = programs.attachKprobe(bad, { symbolName: 'vfs_read' });
  const back = programs.attachKretprobe(good, { symbolName: 'vfs_read' });
  expect(host.run({ instructions: 60_000_000 }), host.oops?.message).toBe('finished');
  const hits = entry.probe.nhit;
  expect(hits).toBeGreaterThan(20);
  expect(entry.counts).toEqual({ hits, runs: hits, recursion: 0, nesting: 0, faults: 0 });
  expect(entryToo.counts).toEqual({ hits, runs: hits, recursion: 0, nesting: 0, faults: hits });
  expect(back.counts).toMatchObject({ hits: back.probe.nreturned, faults: 0 });
});

it('probes come and go while the machine runs', () => {
  const { host, kprobes, kretprobes } = setUp();
  let rounds = 0;
  while (host.run({ instructions: 20_000 }) === 'instructions') {
    rounds++;
    const probe = kprobes.register({ symbolName: 'try_to_wake_up', offset: 1, preHandler: () => 0 });
    const returns = kretprobes.register({ symbolName: 'schedule', handler: () => {} });
    host.run({ instructions: 7_000 });
    kprobes.unregister(probe);
    kretprobes.unregister(returns);
  }
  expect(host.oops?.message).toBeUndefined();
  expect(rounds).toBeGreaterThan(50);
  expect([...kprobes.probes]).toEqual([]);
});
