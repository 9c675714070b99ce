import { beforeEach, describe, expect, it } from 'vitest';
import { BpfProgType } from '../../src/base/index.js';
import { SymbolTable, type KernelSymbol } from '../../src/host/index.js';
import {
  KprobePrograms,
  KprobeRegistry,
  KretprobeRegistry,
  type KprobeLink,
  type Kprobe,
} from '../../src/kprobe/index.js';
import { CALLER, TestHost } from '../support/test-host.js';
import { fault, setTracing, TestRuntime, type TestProgramBody, type TestProgram } from '../support/test-runtime.js';
import { FRAME, LEAF } from '../support/text.js';
import { CpuBlock } from '../../src/runtime/cpu-block.js';
import { golden } from '../support/golden.js';

const { BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_XDP } = BpfProgType;

let host: TestHost;
let bpf: TestRuntime;
let programs: KprobePrograms;

beforeEach(() => {
  host = new TestHost({ functions: { frame: FRAME, leaf: LEAF } });
  bpf = new TestRuntime(host);
  const kprobes = new KprobeRegistry(host);
  programs = new KprobePrograms(bpf.runtime, kprobes, new KretprobeRegistry(kprobes));
});

function program(body: TestProgramBody = () => 0): TestProgram {
  return bpf.program(BPF_PROG_TYPE_KPROBE, body);
}

/** The slots of a context by name, as the program could read them. */
function context(ctx: number): string {
  const { names } = host.arch.ptRegs;
  return names
    .map(
      (name, i) =>
        `${name.padEnd(8)} ${bpf.memory.view
          .getBigUint64(ctx + 8 * i, true)
          .toString(16)
          .padStart(16, '0')}`,
    )
    .join('\n');
}

it('a kprobe program reads struct pt_regs of the entry', () => {
  let text = '';
  const { program: prog } = program((run, ctx) => ((text = `${context(ctx)}\nsize     ${run.ctxSize}`), 0));
  programs.attachKprobe(prog, { symbolName: 'frame' });
  host.call('frame', 0, [1n, 2n, 3n, 4n, 5n, 6n]);
  golden('hooks/kprobe-context.txt', text);
});

it('a kretprobe program reads struct pt_regs behind the return', () => {
  let text = '';
  const { program: prog } = program((run, ctx) => ((text = `${context(ctx)}\nsize     ${run.ctxSize}`), 0));
  programs.attachKretprobe(prog, { symbolName: 'frame' });
  host.call('frame', 0, [77n]);
  golden('hooks/kretprobe-context.txt', text);
  expect(text).toContain(CALLER.toString(16));
});

describe('what a run is told', () => {
  it.each([
    ['at an entry: its address', { symbolName: 'frame' }, 'kprobe', 'frame'],
    ['behind the entry: 0', { symbolName: 'frame', offset: 1 }, 'kprobe', ''],
    ['of a return probe: the entry', { symbolName: 'frame' }, 'kretprobe', 'frame'],
  ] as const)('%s', (_name, where, kind, ip) => {
    const told: string[] = [];
    const { program: prog } = program((run) => {
      told.push(`${run.funcIpHi >>> 0}:${run.funcIpLo >>> 0} ${run.cookieHi}:${run.cookieLo}`);
      expect(run.regs).not.toBeNull();
      return 0;
    });
    const attach = kind === 'kprobe' ? programs.attachKprobe.bind(programs) : programs.attachKretprobe.bind(programs);
    attach(prog, { ...where, cookie: 0x1_0000_0002n });
    host.call('frame');
    const address = ip === '' ? 0n : host.address(ip);
    expect(told).toEqual([`${address >> 32n}:${address & 0xffff_ffffn} 1:2`]);
  });
});

describe('sixteen programs on one probe', () => {
  it('all run, newest first, on one copy of the registers', () => {
    const order: number[] = [];
    const contexts = new Set<number>();
    for (let i = 0; i < 16; i++) {
      const { program: prog } = program((_run, ctx) => (contexts.add(ctx), order.push(i), 0));
      programs.attachKprobe(prog, { symbolName: 'frame' });
    }
    host.call('frame');
    expect(order).toEqual(Array.from({ length: 16 }, (_, i) => 15 - i));
    expect(contexts.size).toBe(1);
  });

  it('see what a handler between them changed', () => {
    const seen: bigint[] = [];
    const body: TestProgramBody = (_run, ctx) => (seen.push(bpf.memory.view.getBigUint64(ctx + 8 * 14, true)), 0);
    const kprobes = new KprobeRegistry(host);
    programs = new KprobePrograms(bpf.runtime, kprobes, new KretprobeRegistry(kprobes));
    programs.attachKprobe(program(body).program, { symbolName: 'frame' });
    kprobes.register({ symbolName: 'frame', preHandler: (_probe, regs) => (regs.put(14, 99n), 0) });
    programs.attachKprobe(program(body).program, { symbolName: 'frame' });
    host.call('frame', 0, [1n]);
    expect(seen).toEqual([1n, 99n]);
  });

  it('on different CPUs have contexts of their own', () => {
    const contexts = new Set<number>();
    programs.attachKprobe(program((_run, ctx) => (contexts.add(ctx), 0)).program, { symbolName: 'frame' });
    host.call('frame', 0);
    host.call('frame', 1);
    expect(contexts.size).toBe(2);
  });
});

describe('the ledger of an attachment', () => {
  function attach(body: TestProgramBody): KprobeLink<Kprobe> {
    return programs.attachKprobe(program(body).program, { symbolName: 'frame' });
  }

  it('counts runs', () => {
    const link = attach(() => 5);
    host.call('frame');
    expect(link.counts).toEqual({ hits: 1, runs: 1, recursion: 0, nesting: 0, faults: 0 });
  });

  it('counts a hit while another tracing program runs on the CPU, for link and program', () => {
    const missed = program();
    const link = programs.attachKprobe(missed.program, { symbolName: 'frame' });
    setTracing(bpf, 1, true);
    host.call('frame', 1);
    host.call('frame', 0);
    expect(link.counts).toEqual({ hits: 2, runs: 1, recursion: 1, nesting: 0, faults: 0 });
    expect(missed.recursionMisses).toBe(1n);
  });

  it('counts a hit for which no run context was left', () => {
    const link = attach(() => 0);
    const held = [1, 2, 3, 4].map(() => bpf.enter(0));
    host.call('frame');
    held.forEach((run) => bpf.leave(run as never));
    expect(link.counts).toMatchObject({ hits: 1, runs: 0, nesting: 1 });
  });

  it('counts and reports a run that had to stop', () => {
    const faults: string[] = [];
    const { program: prog } = program((run) => ((run.fault = fault('out of budget')), 0));
    const link = programs.attachKprobe(prog, {
      symbolName: 'frame',
      onFault: ({ reason }) => void faults.push(reason),
    });
    host.call('frame');
    expect(link.counts).toMatchObject({ runs: 1, faults: 1 });
    expect(faults).toEqual(['out of budget']);
  });

  it('leaves no run open', () => {
    attach(() => 0);
    host.call('frame');
    const active = [0, 1].map((cpu) => bpf.memory.u32[(bpf.cpuBlocks + cpu * CpuBlock.stride + CpuBlock.active) >>> 2]);
    expect([bpf.open, ...active]).toEqual([0, 0, 0]);
  });
});

describe('attaching', () => {
  it('refuses programs of another type, and keeps no reference', () => {
    const other = bpf.program(BPF_PROG_TYPE_XDP, () => 0);
    expect(() => programs.attachKprobe(other.program, { symbolName: 'frame' })).toThrowError(/EINVAL/);
    expect(() => programs.attachKretprobe(other.program, { symbolName: 'frame' })).toThrowError(/EINVAL/);
    expect(other.references).toBe(1);
  });

  it('keeps no reference where the probe cannot be placed', () => {
    const prog = program();
    expect(() => programs.attachKprobe(prog.program, { symbolName: 'frame', offset: 2 })).toThrowError(/EILSEQ/);
    expect(() => programs.attachKretprobe(prog.program, { symbolName: 'frame', offset: 1 })).toThrowError(/EINVAL/);
    expect(prog.references).toBe(1);
  });

  it('refuses a name that several functions have, as perf_event_open does, but not their addresses', () => {
    const twins = [...host.symbols].map((symbol) => ({ ...symbol, name: 'twin' }));
    Object.assign(host, { symbols: new SymbolTable(twins) });
    expect(() => programs.attachKprobe(program().program, { symbolName: 'twin' })).toThrowError(
      /EADDRNOTAVAIL.*2 symbols/,
    );
    expect(() => programs.attachKretprobe(program().program, { symbolName: 'twin' })).toThrowError(/EADDRNOTAVAIL/);
    const { address } = twins[1] as KernelSymbol;
    expect(programs.attachKprobe(program().program, { addr: address }).probe.addr).toBe(address);
  });

  it('holds the program until detached, also from inside its run', () => {
    const prog = program(() => {
      link.detach();
      expect(prog.references).toBe(2);
      return 0;
    });
    const link = programs.attachKprobe(prog.program, { symbolName: 'frame' });
    host.call('frame');
    host.call('frame');
    link.detach();
    expect(prog.references).toBe(1);
    expect(link.counts.runs).toBe(1);
  });
});

it('closing gives the memory back', () => {
  programs.close();
  expect(bpf.memory.used).toBe(bpf.ownBytes);
});
