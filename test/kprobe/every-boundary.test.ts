import { describe, expect, it } from 'vitest';
import { BpfError, hi32, lo32 } from '../../src/base/index.js';
import { createSim, type SimHost } from '../../src/host/sim/index.js';
import { insnBoundaries, KprobeRegistry, KretprobeRegistry, type Kprobe } from '../../src/kprobe/index.js';

/** In the paths of files, memory, scheduling, timers, blocks and network; some are entered with interrupts off. */
const FUNCTIONS = [
  'do_sys_openat2',
  'path_openat',
  'link_path_walk',
  'lookup_fast',
  'vfs_open',
  'do_dentry_open',
  'vfs_read',
  'vfs_write',
  'ksys_read',
  'filemap_read',
  'do_unlinkat',
  'filp_close',
  'schedule',
  '__schedule',
  'try_to_wake_up',
  'enqueue_task_fair',
  'finish_task_switch',
  'scheduler_tick',
  'do_syscall_64',
  'syscall_trace_enter',
  'handle_mm_fault',
  'find_vma',
  'copy_process',
  'do_exit',
  'submit_bio',
  'blk_mq_submit_bio',
  'hrtimer_interrupt',
  '_copy_from_user',
  'copy_user_generic',
  'do_strncpy_from_user',
  'tcp_v4_connect',
  'tcp_sendmsg',
  'memcpy',
  '_raw_spin_lock_irqsave',
  'kmem_cache_alloc',
] as const;
/** What the first instructions of the kernel call as well. */
const BOOTING: ReadonlySet<string> = new Set(['memcpy', '_raw_spin_lock_irqsave', 'kmem_cache_alloc']);
/** As many as fit the simulator's executable pages at once. */
const BATCH = 9;
const TEXT = 0xffff_ffff_8100_0000n;

function textOf(host: SimHost, name: string): { address: bigint; bytes: Uint8Array } {
  const symbol = host.symbols.lookup(name);
  if (symbol === undefined) throw new Error(`the simulator has no ${name}`);
  const bytes = new Uint8Array(Number(symbol.size));
  expect(host.memory.readKernel(lo32(symbol.address), hi32(symbol.address), bytes, 0, bytes.length)).toBe(true);
  return { address: symbol.address, bytes };
}

/** Executed instructions of the text by address: what the processor says, not the probes. */
interface TextTrace {
  executed(address: bigint): number;
  /** Breakpoints that a processor has executed and whose trap has not reached the probes: a run may end there. */
  inFlight(address: bigint): number;
  handled(cpu: number): void;
}

function traceText(host: SimHost): TextTrace {
  const counts = new Uint32Array(1 << 20);
  const base = lo32(TEXT);
  const entry = host.symbols.lookup('asm_exc_int3');
  const isEntry = (offset: number): boolean => {
    const from = Number((entry?.address ?? 0n) - TEXT);
    return offset >= from && offset < from + Number(entry?.size ?? 0n);
  };
  const last = new Map<number, number>();
  host.traceInstructions(({ number }, lo, hi) => {
    const offset = (lo - base) | 0;
    if (hi !== -1 || offset < 0 || offset >= counts.length) return;
    counts[offset] = counts[offset] + 1;
    if (!isEntry(offset)) last.set(number, offset);
  });
  return {
    executed: (address) => counts[Number(address - TEXT)],
    inFlight: (address) => [...last.values()].filter((offset) => BigInt(offset) === address - TEXT).length,
    handled: (cpu) => void last.delete(cpu),
  };
}

interface Placed {
  readonly probes: Kprobe[];
  readonly refused: string[];
}

/** A probe on every instruction of a function, but for those that cannot be displaced. */
function probeEverywhere(host: SimHost, kprobes: KprobeRegistry, name: string, onHit: (cpu: number) => void): Placed {
  const placed: Placed = { probes: [], refused: [] };
  const { bytes } = textOf(host, name);
  for (const offset of insnBoundaries(host.arch.probing, bytes)) {
    try {
      placed.probes.push(
        kprobes.register({
          symbolName: name,
          offset,
          preHandler: (_probe, _regs, cpu) => (onHit(cpu), 0),
          readsOnly: true,
        }),
      );
    } catch (error) {
      if (!(error instanceof BpfError) || error.code !== 'EOPNOTSUPP') throw error;
      placed.refused.push(error.message);
    }
  }
  return placed;
}

const batches: string[][] = [];
for (let i = 0; i < FUNCTIONS.length; i += BATCH) batches.push(FUNCTIONS.slice(i, i + BATCH));

describe('a probe on every instruction boundary', () => {
  it.each(batches.map((names) => ({ names, title: `${names[0]} … ${names.at(-1)}` })))(
    'of $title is hit as often as the processor executes it',
    ({ names }) => {
      const host = createSim({ workload: 'mixed', seed: 5 });
      const before = names.map((name) => textOf(host, name).bytes);
      const kprobes = new KprobeRegistry(host);
      const trace = traceText(host);
      let handled = 0;
      const onHit = (cpu: number): void => {
        handled++;
        trace.handled(cpu);
      };
      const all = names.map((name) => probeEverywhere(host, kprobes, name, onHit));
      expect(host.run({ instructions: 60_000_000 }), host.oops?.message).toBe('finished');

      const probes = all.flatMap((one) => one.probes);
      for (const probe of probes) {
        const where = `${probe.symbolName}+0x${probe.offset.toString(16)}`;
        const executed = trace.executed(probe.addr) - trace.inFlight(probe.addr);
        expect(`${where} ${probe.nhit + probe.nmissed}`).toBe(`${where} ${executed}`);
        expect(probe.missed.redirected).toBe(0);
      }
      expect(handled).toBe(probes.reduce((sum, probe) => sum + probe.nhit, 0));
      for (const [i, { probes: own, refused }] of all.entries()) {
        expect(own[0]?.nhit, `${names[i]} is entered`).toBeGreaterThan(0);
        // The journal and the devices are reached by hypercalls, which Linux refuses to probe.
        expect(refused.every((message) => message.includes('VM extensions'))).toBe(true);
      }

      kprobes.close();
      names.forEach((name, i) => expect(textOf(host, name).bytes, name).toEqual(before[i]));
      expect(host.text.allocExec(8192), 'all slots came back').not.toBeNull();
    },
  );

  it('sees what the processor executes without any probe, where the workload alone decides that', () => {
    const names = [
      'do_sys_openat2',
      'path_openat',
      'link_path_walk',
      'vfs_open',
      'vfs_write',
      'do_unlinkat',
      'filp_close',
    ];
    const script = 'op create:/tmp/x write:4096 close stat:/tmp/x unlink:/tmp/x\n';
    const plain = createSim({ script, cpus: 1 });
    const { executed } = traceText(plain);
    expect(plain.run({ instructions: 60_000_000 })).toBe('finished');

    const host = createSim({ script, cpus: 1 });
    const kprobes = new KprobeRegistry(host);
    const probes = names.flatMap((name) => probeEverywhere(host, kprobes, name, () => {}).probes);
    expect(host.run({ instructions: 60_000_000 })).toBe('finished');
    expect(host.console).toBe(plain.console);
    const hits = probes.map(({ symbolName, offset, nhit }) => `${symbolName}+${offset} ${nhit}`);
    expect(hits).toEqual(probes.map(({ symbolName, offset, addr }) => `${symbolName}+${offset} ${executed(addr)}`));
  });
});

it('return probes on many functions see each entry return, or its task end', () => {
  const host = createSim({ workload: 'mixed', seed: 6 });
  const kretprobes = new KretprobeRegistry(new KprobeRegistry(host));
  const { executed } = traceText(host);
  const probes = FUNCTIONS.map((symbolName) => kretprobes.register({ symbolName, maxactive: 64, handler: () => {} }));
  expect(host.run({ instructions: 60_000_000 }), host.oops?.message).toBe('finished');
  for (const { entry, missed, nreturned, nactive } of probes) {
    const name = entry.symbolName;
    expect(`${name} ${entry.nhit}`).toBe(`${name} ${executed(entry.addr)}`);
    // Booting calls some before there is a task.
    if (!BOOTING.has(name)) expect(missed.fault, name).toBe(0);
    expect(missed.fault, name).toBeLessThan(20);
    expect(`${name} ${nreturned + nactive + missed.exited + missed.fault}`).toBe(`${name} ${entry.nhit}`);
    if (['do_exit', '__schedule', 'do_syscall_64'].includes(name)) expect(missed.exited, name).toBeGreaterThan(0);
    if (name === 'do_exit') expect(nactive + missed.exited).toBe(entry.nhit);
    else expect(nreturned, name).toBeGreaterThan(0);
  }
});

it('return probes with one instance each on all functions that take them account for every call', () => {
  const host = createSim({ workload: 'web', seed: 3, cpus: 4 });
  const kretprobes = new KretprobeRegistry(new KprobeRegistry(host));
  const refused: string[] = [];
  for (const { name, address, size, type } of host.symbols) {
    if (!/^[tT]$/.test(type) || size === 0n || host.text.blacklisted(address) !== null) continue;
    try {
      kretprobes.register({ addr: address, maxactive: 1, handler: () => {} });
    } catch (error) {
      refused.push(`${name}: ${(error as BpfError).code}`);
    }
  }
  expect(refused).toEqual(['__switch_to: EINVAL']);
  const probes = [...kretprobes.probes];
  const { executed } = traceText(host);
  expect(host.run({ instructions: 60_000_000 }), host.oops?.message).toBe('finished');
  for (const { entry, missed, nreturned, nactive } of probes) {
    const name = entry.symbolName;
    expect(`${name} ${entry.nhit + entry.nmissed}`).toBe(`${name} ${executed(entry.addr)}`);
    const { exited, fault, maxactive } = missed;
    expect(`${name} ${nreturned + nactive + exited + fault + maxactive}`).toBe(`${name} ${entry.nhit}`);
  }
  // What runs before a processor has its first task cannot be followed.
  const early = probes.filter(({ missed }) => missed.fault > 0).map(({ entry }) => entry.symbolName);
  expect(early).toEqual(expect.arrayContaining(['start_kernel', 'start_secondary', 'init_idle']));
  expect(probes.length).toBeGreaterThan(500);
  expect(probes.reduce((sum, { nmissed }) => sum + nmissed, 0)).toBeGreaterThan(100);
});
