import { describe, expect, it } from 'vitest';
import { decodeInsn, X86Slot } from '../../../src/arch/index.js';
import { hi32, lo32, u64 } from '../../../src/base/index.js';
import {
  createSim,
  JournalKind,
  type JournalEntry,
  type RunLimits,
  type SimHost,
  type StopReason,
} from '../../../src/host/sim/index.js';
import { startTracing, type TracepointHit } from './sim-fixture.js';
import { userName } from './user-name.js';

const INT3 = Uint8Array.of(0xcc);
const NOP5 = Uint8Array.of(0x0f, 0x1f, 0x44, 0x00, 0x00);

function address(host: SimHost, name: string): bigint {
  const symbol = host.symbols.lookup(name);
  if (symbol === undefined) throw new Error(`no symbol ${name}`);
  return symbol.address;
}

function readText(host: SimHost, at: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  expect(host.memory.readKernel(lo32(at), hi32(at), bytes, 0, length)).toBe(true);
  return bytes;
}

/** Addresses of the calls to `callee` in `caller`, found by decoding its text. */
function callsTo(host: SimHost, caller: string, callee: string): bigint[] {
  const symbol = host.symbols.lookup(caller);
  const target = address(host, callee);
  if (symbol === undefined) throw new Error(`no symbol ${caller}`);
  const text = readText(host, symbol.address, Number(symbol.size));
  const found: bigint[] = [];
  for (let at = 0; at < text.length;) {
    const insn = decodeInsn(text, at);
    if (insn === null) throw new Error(`${caller}+${at} does not decode`);
    const next = symbol.address + BigInt(at + insn.length);
    if (insn.class === 'call-rel' && next + BigInt(insn.imm) === target) found.push(symbol.address + BigInt(at));
    at += insn.length;
  }
  return found;
}

const entriesOf = (host: SimHost, kind: number): JournalEntry[] => [...host.journal.entries(kind)];

describe('the simulated machine', () => {
  it.each(['shell', 'compile', 'web', 'io', 'mixed'])('runs the workload %s to its end', (workload) => {
    const host = createSim({ workload });
    expect(host.run({ instructions: 60_000_000 })).toBe('finished');
    expect(host.oops).toBeNull();
  });

  it('is refused limits that it would never reach, and ticks of no length', () => {
    const host = createSim({ workload: 'shell' });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as JavaScript passes them
    for (const ns of [Number.NaN, '5', 5n] as number[]) {
      expect(() => host.run({ ns })).toThrowError(new RangeError(`a run to ns ${ns}: give a number`));
      expect(() => host.run({ instructions: ns })).toThrowError(RangeError);
    }
    expect(host.executed).toBe(0);
    for (const tickNs of [0n, -1n]) expect(() => createSim({ tickNs })).toThrowError(/tickNs: .*from 1n/);
  });

  it('runs on one CPU and on eight', () => {
    for (const cpus of [1, 8]) {
      const host = createSim({ workload: 'mixed', cpus });
      expect(host.run({ instructions: 100_000_000 }), `${cpus} CPUs`).toBe('finished');
    }
  });

  it('gives the same bytes for the same seed, and others for another', () => {
    const runs = [7, 7, 8].map((seed) => {
      const host = createSim({ workload: 'mixed', seed });
      host.run();
      return { journal: host.journal.bytes(), memory: host.memoryDigest(), executed: host.executed };
    });
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]?.memory).not.toBe(runs[0]?.memory);
    expect(runs[2]?.executed).not.toBe(runs[0]?.executed);
  });

  it.each([
    ['of a number of instructions', (): RunLimits => ({ instructions: 997 })],
    ['of a length of time', (): RunLimits => ({ ns: 12_345 })],
    ['whenever asked', (): RunLimits => ({ until: alternating() })],
  ])('is not changed by being run in pieces %s', (_name, limits) => {
    const whole = createSim({ workload: 'shell' });
    whole.run();
    const pieces = createSim({ workload: 'shell' });
    for (let why: StopReason = 'until'; why !== 'finished'; why = pieces.run(limits())) {
      if (why === 'oops' || why === 'stalled') throw new Error(why);
    }
    expect(pieces.journal.bytes()).toEqual(whole.journal.bytes());
    expect(pieces.memoryDigest()).toBe(whole.memoryDigest());
  });

  it('stops at a limit of instructions, of time, or when asked', () => {
    const host = createSim({ workload: 'endless' });
    expect(host.run({ instructions: 1000 })).toBe('instructions');
    expect(host.executed).toBe(1000);
    const now = new Int32Array(2);
    expect(host.run({ ns: 5_000_000 })).toBe('time');
    host.clock.monotonic(now);
    const passed = u64(now[0], now[1]);
    expect(passed).toBeGreaterThanOrEqual(5_010_000n);
    expect(passed).toBeLessThan(5_010_010n);
    expect(host.run({ until: () => host.journal.length > 100 })).toBe('until');
  });
});

/** Result of the only stat(2) in the journal. */
function statResult(host: SimHost): bigint | undefined {
  return entriesOf(host, JournalKind.SYSCALL_EXIT)
    .filter((entry) => entry.b === 4n)
    .map((entry) => BigInt.asIntN(64, entry.c))[0];
}

function alternating(): () => boolean {
  let calls = 0;
  return () => calls++ > 0;
}

describe('state lives in simulated memory', () => {
  it('shows a tgid written through the host wherever it is read', () => {
    const host = createSim({ workload: 'endless' });
    const seen: number[] = [];
    const out = new Int32Array(2);
    const task = new Int32Array(2);
    const tgidAt = host.btf.member(host.btf.findByName('task_struct', 'struct')?.id ?? 0, 'tgid')?.bitOffset ?? 0;
    startTracing(host, ['sys_enter'], () => {
      host.tasks.pidTgid(out);
      seen.push(out[1]);
      if (seen.length > 1) return;
      host.tasks.current(task);
      const field = u64(task[0], task[1]) + BigInt(tgidAt / 8);
      host.memory.writeKernel(lo32(field), hi32(field), Uint8Array.of(0x39, 0x30, 0, 0), 0, 4);
      host.tasks.pidTgid(out);
      expect(out[1]).toBe(0x3039);
    });
    host.run({ until: () => seen.length > 20 });
    // init, whose tgid it was, goes on under its new number; and the kernel's own journal sees it too.
    const first = entriesOf(host, JournalKind.SYSCALL_EXIT)[0];
    expect((first?.a ?? 0n) >> 32n).toBe(0x3039n);
    expect(seen[1]).toBe(0x3039);
  });

  it('names tasks by pid from the kernel list', () => {
    const host = createSim({ workload: 'endless' });
    host.run({ ns: 20_000_000 });
    expect(host.tasks.commOf(1)).toBe('init');
    expect(host.tasks.commOf(0)).toMatch(/^swapper/);
    expect(host.tasks.commOf(31_337)).toBeUndefined();
  });

  it('leaves a file where the call that unlinks it is replaced by NOPs', () => {
    const script = 'op create:/tmp/x write:5 close unlink:/tmp/x stat:/tmp/x\n';
    const plain = createSim({ script });
    expect(plain.run()).toBe('finished');
    expect(statResult(plain)).toBe(-2n);
    const host = createSim({ script });
    const [call] = callsTo(host, 'do_unlinkat', 'vfs_unlink');
    if (call === undefined) throw new Error('no call');
    expect(host.text.patch(call, readText(host, call, 5), NOP5)).toBe(true);
    expect(host.run()).toBe('finished');
    expect(statResult(host)).toBe(0n);
  });

  it('keeps user memory apart from the kernel', () => {
    const host = createSim({ workload: 'shell' });
    const bytes = new Uint8Array(8);
    const ids = new Int32Array(2);
    const results = new Set<string>();
    startTracing(host, ['sys_enter'], () => {
      // The first program is linked to run there.
      host.tasks.pidTgid(ids);
      if (ids[0] !== 1) return;
      const user = host.memory.readUser(0x40_0000, 0, bytes, 0, 8);
      results.add(`user ${user}`);
      results.add(`kernel text as user ${host.memory.readUser(lo32(0xffff_ffff_8100_0000n), -1, bytes, 0, 8)}`);
      results.add(`absent page ${host.memory.readUser(0x1234_5000, 0, bytes, 0, 8)}`);
      results.add(`user as kernel ${host.memory.readKernel(0x40_0000, 0, bytes, 0, 8)}`);
    });
    host.run({ instructions: 300_000 });
    expect([...results].toSorted()).toEqual([
      'absent page false',
      'kernel text as user false',
      'user as kernel false',
      'user true',
    ]);
  });
});

describe('text and traps', () => {
  it('refuses patches that do not find the expected bytes, or that leave the text', () => {
    const host = createSim();
    const entry = address(host, 'vfs_open');
    expect(host.text.patch(entry, Uint8Array.of(0x90), INT3)).toBe(false);
    expect(host.text.patch(address(host, 'init_task'), Uint8Array.of(0), INT3)).toBe(false);
    expect(readText(host, entry, 1)).toEqual(Uint8Array.of(0x55));
  });

  it('calls a breakpoint that nobody registered an oops', () => {
    const host = createSim({ workload: 'shell' });
    const entry = address(host, 'vfs_open');
    expect(host.text.patch(entry, Uint8Array.of(0x55), INT3)).toBe(true);
    expect(host.run()).toBe('oops');
    expect(host.oops?.reason).toBe('int3');
    expect(host.oops?.message).toContain('RIP: vfs_open+0x1');
    expect(host.oops?.message).toContain('do_filp_open');
    expect(host.run()).toBe('oops');
  });

  it('traps as often as the instruction trace passes, with the registers of that moment', () => {
    const host = createSim({ workload: 'mixed' });
    const entry = address(host, 'vfs_read');
    let traced = 0;
    let trapped = 0;
    const callers = new Set<string>();
    host.traceInstructions((_cpu, lo, hi) => {
      if (lo === lo32(entry) && hi === hi32(entry)) traced++;
    });
    expect(host.text.patch(entry, Uint8Array.of(0x55), INT3)).toBe(true);
    const stack = new Uint8Array(8);
    host.text.setTrapHandler((frame) => {
      if (frame.kind !== 'breakpoint') return false;
      trapped++;
      // push rbp, in place of the byte under the breakpoint.
      const { regs } = frame;
      expect(regs.ip).toBe(entry + 1n);
      host.memory.readKernel(regs.lo(X86Slot.sp), regs.hi(X86Slot.sp), stack, 0, 8);
      callers.add(host.symbols.format(new DataView(stack.buffer).getBigUint64(0, true)).replace(/\+.*/, ''));
      regs.sp -= 8n;
      new DataView(stack.buffer).setBigUint64(0, regs.get(X86Slot.bp), true);
      return host.memory.writeKernel(lo32(regs.sp), hi32(regs.sp), stack, 0, 8);
    });
    expect(host.run()).toBe('finished');
    expect(trapped).toBeGreaterThan(20);
    expect(traced).toBe(trapped);
    expect([...callers]).toContain('ksys_read');
  });

  it('single-steps a displaced instruction in a slot', () => {
    const host = createSim({ workload: 'shell' });
    const entry = address(host, 'vfs_open');
    const slot = host.text.allocExec(16);
    if (slot === null) throw new Error('no slot');
    expect(host.text.patch(slot, readText(host, slot, 1), Uint8Array.of(0x55))).toBe(true);
    expect(host.text.patch(entry, Uint8Array.of(0x55), INT3)).toBe(true);
    const kinds: string[] = [];
    host.text.setTrapHandler((frame) => {
      if (frame.kind === 'fault') return false;
      kinds.push(frame.kind);
      if (frame.kind === 'breakpoint') {
        frame.regs.ip = slot;
        host.text.singleStep(frame);
      } else {
        expect(frame.regs.ip).toBe(slot + 1n);
        frame.regs.ip = entry + 1n;
      }
      return true;
    });
    expect(host.run()).toBe('finished');
    expect(kinds.slice(0, 4)).toEqual(['breakpoint', 'step', 'breakpoint', 'step']);
    expect(kinds.length % 2).toBe(0);
  });

  it('refuses probes on entry code, the trap path, its own slots and outside the text', () => {
    const host = createSim();
    const reasons = [
      'exc_int3',
      'entry_SYSCALL_64',
      'kprobe_insn_pages',
      'arch_rethook_trampoline',
      'init_task',
      'vfs_read',
    ];
    expect(reasons.map((name) => host.text.blacklisted(address(host, name)))).toEqual([
      'part of the trap path',
      'entry code',
      'room for displaced instructions',
      'the return trampoline',
      'not kernel text',
      null,
    ]);
  });

  it('hands out slots first fit and takes them back', () => {
    const host = createSim();
    const first = host.text.allocExec(20) ?? 0n;
    expect(first).toBe(address(host, 'kprobe_insn_pages'));
    expect(host.text.allocExec(16)).toBe(first + 32n);
    host.text.freeExec(first, 20);
    expect(host.text.allocExec(30)).toBe(first);
    expect(host.text.allocExec(1 << 20)).toBeNull();
  });
});

describe('stacks and samples', () => {
  it('walks kernel and user frames from a tracepoint', () => {
    const host = createSim({ workload: 'compile' });
    const kernelStacks = new Set<string>();
    const userFrames = new Set<string>();
    const out = new Int32Array(64);
    startTracing(host, ['block_rq_issue', 'sched_process_fork'], (hit: TracepointHit) => {
      const count = host.stacks.kernel(null, out, 32);
      kernelStacks.add(`${hit.name}: ${names(host, out, count).join(' ')}`);
      const depth = host.stacks.user(null, out, 32);
      const comm = new Uint8Array(16);
      host.tasks.comm(comm, 0);
      if (hit.name !== 'sched_process_fork' || comm[0] !== 's'.charCodeAt(0) || comm[1] !== 'h'.charCodeAt(0)) return;
      for (let i = 0; i < depth; i++) {
        const frame = u64(out[2 * i], out[2 * i + 1]);
        userFrames.add(userName(host, frame));
      }
    });
    host.run();
    const all = [...kernelStacks].join('\n');
    expect(all).toMatch(/block_rq_issue: blk_mq_start_request .*submit_bio.*vfs_read.*do_syscall_64 entry_SYSCALL_64/);
    expect(all).toMatch(/sched_process_fork: kernel_clone .*do_syscall_64 entry_SYSCALL_64/);
    for (const name of ['libc.so.6 fork', 'sh run_command', 'sh main', 'libc.so.6 __libc_start_main', 'sh _start'])
      expect([...userFrames]).toContain(name);
  });

  it('samples each CPU in proportion to the time it does not sleep', () => {
    const host = createSim({ workload: 'endless' });
    const samples = [0, 0];
    let user = 0;
    const stops = [0, 1].map((cpu) =>
      host.sampler.start(cpu, 100_000n, (frame) => {
        expect(frame.cpu).toBe(cpu);
        expect(frame.regs.ip >> 63n).toBe(frame.user ? 0n : 1n);
        samples[cpu] = samples[cpu] + 1;
        if (frame.user) user++;
      }),
    );
    host.run({ ns: 100_000_000 });
    for (const count of samples) {
      expect(count).toBeGreaterThan(50);
      expect(count).toBeLessThanOrEqual(1001);
    }
    expect(user).toBeGreaterThan(0);
    stops.forEach((stop) => stop());
    const before = [...samples];
    host.run({ ns: 10_000_000 });
    expect(samples).toEqual(before);
  });
});

function names(host: SimHost, out: Int32Array, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    host.symbols.format(u64(out[2 * i], out[2 * i + 1])).replace(/\+.*/, ''),
  );
}
