import { beforeEach, describe, expect, it } from 'vitest';
import { BpfAttachType, BpfProgType } from '../../src/base/index.js';
import { type Kprobe, KprobePrograms, KprobeRegistry, KretprobeRegistry } from '../../src/kprobe/index.js';
import { TestHost } from '../support/test-host.js';
import { TestRuntime } from '../support/test-runtime.js';
import { FRAME, FRAME_SLOT_INSN, LEAF } from '../support/text.js';

let host: TestHost;
let kprobes: KprobeRegistry;
/** What the host does when it is asked to drain. */
let onDrain: () => void;

beforeEach(() => {
  host = new TestHost({ functions: { frame: FRAME, leaf: LEAF, other: LEAF } });
  onDrain = () => undefined;
  const drain = (): void => {
    host.text.log.push('drain');
    onDrain();
  };
  Object.assign(host.text, { drain });
  kprobes = new KprobeRegistry(host);
});

/** What was done to the text, without the places. */
function steps(): string[] {
  return host.text.log.map((line) =>
    line.startsWith('patch') ? `patch ${line.split(' -> ')[1]}` : (line.split(' ')[0] ?? ''),
  );
}

describe('a probe that is taken away', () => {
  it('is published before it is armed, and disarmed and drained before it is freed', () => {
    const probe = kprobes.register({ symbolName: 'frame', offset: FRAME_SLOT_INSN });
    kprobes.unregister(probe);
    // The slot is written, then the breakpoint; the breakpoint goes, then the slot.
    const [alloc, slot, arm, ...rest] = steps();
    expect([alloc, arm, ...rest]).toEqual(['alloc', 'patch cc', 'patch f3', 'drain', 'free']);
    expect(slot).toMatch(/^patch f390cc/);
  });

  it('has a trap that was under way executed anew while draining', () => {
    const called: string[] = [];
    const probe = kprobes.register({ symbolName: 'leaf', preHandler: () => (called.push('handler'), 0) });
    const regs = host.enter('leaf');
    regs.ip += 1n; // The CPU has met the breakpoint.
    onDrain = () => expect(host.text.trap(1, regs)).toBe(true);
    kprobes.unregister(probe);
    expect(regs.ip).toBe(host.address('leaf'));
    expect(called).toEqual([]);
  });

  it('keeps its slot for a hit that is in it, however long draining takes', () => {
    const probe = kprobes.register({ symbolName: 'frame', offset: FRAME_SLOT_INSN });
    const regs = host.enter('frame', [5n]);
    host.run(0, regs, host.address('frame', FRAME_SLOT_INSN));
    host.step(0, regs);
    kprobes.unregister(probe);
    expect(steps().at(-1)).toBe('drain');
    host.run(0, regs);
    expect(regs.get(10)).toBe(5n);
    expect(steps().at(-1)).toBe('free');
  });

  it('is freed once where draining brings the last hit out of its slot', () => {
    const probe = kprobes.register({ symbolName: 'frame', offset: FRAME_SLOT_INSN });
    const regs = host.enter('frame');
    host.run(0, regs, host.address('frame', FRAME_SLOT_INSN));
    host.step(0, regs);
    onDrain = () => host.run(0, regs);
    kprobes.unregister(probe);
    expect(steps().filter((step) => step === 'free')).toHaveLength(1);
    expect(host.text.allocated).toBe(0);
  });

  it('by a handler, waits for nothing: the host is in the middle of a trap', () => {
    const self: Kprobe = kprobes.register({ symbolName: 'leaf', preHandler: () => (kprobes.unregister(self), 0) });
    host.call('leaf');
    const after: Kprobe = kprobes.register({ symbolName: 'leaf', postHandler: () => kprobes.unregister(after) });
    host.call('leaf');
    expect(steps()).not.toContain('drain');
    expect(host.memory.view(host.address('leaf'), 2)).toEqual(Uint8Array.from(LEAF));
  });

  it('by a return handler, likewise', () => {
    const kretprobes = new KretprobeRegistry(kprobes);
    const probe = kretprobes.register({ symbolName: 'leaf', handler: () => kretprobes.unregister(probe) });
    host.call('leaf');
    expect(steps()).not.toContain('drain');
    expect([...kretprobes.probes]).toEqual([]);
  });

  it('shares its point with others as long as they are there, and there is nothing to drain', () => {
    const first = kprobes.register({ symbolName: 'leaf' });
    const second = kprobes.register({ symbolName: 'leaf' });
    kprobes.unregister(first);
    expect(steps()).toEqual(['patch cc']);
    kprobes.unregister(second);
    expect(steps()).toEqual(['patch cc', 'patch 90', 'drain']);
  });
});

describe('many probes that are taken away', () => {
  it('together wait once', () => {
    const probes = ['frame', 'leaf', 'other'].map((symbolName) => kprobes.register({ symbolName }));
    kprobes.unregisterAll(probes);
    kprobes.unregisterAll(probes);
    expect(steps().slice(3)).toEqual(['patch 55', 'patch 90', 'patch 90', 'drain']);
  });

  it('with their registry wait once', () => {
    for (const symbolName of ['frame', 'leaf', 'other']) kprobes.register({ symbolName });
    kprobes.close();
    expect(steps().filter((step) => step === 'drain')).toHaveLength(1);
  });

  it('with their link wait once', () => {
    const bpf = new TestRuntime(host);
    const programs = new KprobePrograms(bpf.runtime, kprobes, new KretprobeRegistry(kprobes));
    const program = bpf.program(BpfProgType.BPF_PROG_TYPE_KPROBE, () => 0);
    program.executable = { expectedAttachType: BpfAttachType.BPF_TRACE_KPROBE_MULTI };
    for (const on of ['entry', 'return'] as const) programs.attachMulti(program.program, { on, pattern: '*' }).detach();
    expect(steps().filter((step) => step === 'drain')).toHaveLength(2);
  });
});

it('jump optimisation is refused by name', () => {
  expect(kprobes.optimization).toBe(false);
  kprobes.optimization = false;
  expect(() => (kprobes.optimization = true)).toThrowError(
    /EOPNOTSUPP; jump optimisation is left out: every probe is a breakpoint/,
  );
});
