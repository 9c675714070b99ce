import { describe, expect, it } from 'vitest';
import { u64, hi32, lo32 } from '../../../src/base/index.js';
import { createSim, type SimHost } from '../../../src/host/sim/index.js';
import { insnBoundaries, type Kprobe, KprobeRegistry } from '../../../src/kprobe/index.js';

/** Functions of all parts of the kernel, on paths that the workloads take. */
const FUNCTIONS = [
  'do_syscall_64',
  'ksys_read',
  'ksys_write',
  'vfs_read',
  'vfs_write',
  'do_sys_openat2',
  'do_filp_open',
  'path_openat',
  'vfs_open',
  'filp_close',
  'do_unlinkat',
  'vfs_unlink',
  'filemap_read',
  'generic_perform_write',
  '_copy_from_user',
  '_copy_to_user',
  'copy_user_generic',
  'do_strncpy_from_user',
  'schedule',
  '__schedule',
  'try_to_wake_up',
  'wake_up_process',
  'pick_next_task_fair',
  'update_curr',
  'enqueue_task_fair',
  'dequeue_task_fair',
  'submit_bio',
  'blk_mq_start_request',
  'hrtimer_start',
  '__run_hrtimer',
  'kernel_clone',
  'copy_process',
  'do_exit',
  'kernel_wait4',
  'handle_mm_fault',
  'find_vma',
  'do_user_addr_fault',
  'memcpy',
  'memset',
  'kmem_cache_alloc',
  'dup_fd',
  'do_execveat_common',
];

interface Probed {
  readonly probe: Kprobe;
  traced: number;
}

/** Puts a probe on every instruction of `name`, those that the registry refuses apart. */
function probeAll(host: SimHost, registry: KprobeRegistry, name: string, into: Map<bigint, Probed>): string[] {
  const symbol = host.symbols.lookup(name);
  if (symbol === undefined) return [`${name}: no such function`];
  const text = new Uint8Array(Number(symbol.size));
  host.memory.readKernel(lo32(symbol.address), hi32(symbol.address), text, 0, text.length);
  const refused: string[] = [];
  for (const offset of insnBoundaries(host.arch.probing, text)) {
    try {
      const probe = registry.register({ symbolName: name, offset, preHandler: () => 0, readsOnly: true });
      into.set(probe.addr, { probe, traced: 0 });
    } catch (error) {
      refused.push(`${name}+${offset}: ${(error as Error).message}`);
    }
  }
  return refused;
}

describe('a probe on every instruction', () => {
  it.each(['shell', 'mixed'])('is hit exactly as often as the instruction trace says: %s', (workload) => {
    const plain = createSim({ workload });
    expect(plain.run()).toBe('finished');
    const host = createSim({ workload });
    const registry = new KprobeRegistry(host);
    const probed = new Map<bigint, Probed>();
    const present = FUNCTIONS.filter((name) => host.symbols.lookup(name) !== undefined);
    const refused = present.flatMap((name) => probeAll(host, registry, name, probed));
    // vmcall is the machine's own device access; nothing else in these functions cannot be displaced.
    expect(refused.filter((message) => !message.includes('VM extensions'))).toEqual([]);
    // The breakpoint that each CPU executed last: the machine may have ended before its handler was reached.
    const last = new Map<number, Probed>();
    host.traceInstructions((cpu, lo, hi) => {
      const found = probed.get(u64(lo, hi));
      if (found === undefined) return;
      found.traced++;
      last.set(cpu.number, found);
    });
    expect(host.run({ instructions: 200_000_000 }), host.oops?.message).toBe('finished');
    const underWay = new Set(last.values());
    const wrong = [...probed.values()].filter((each) => {
      const unseen = each.traced - each.probe.nhit - each.probe.missed.recursion;
      return unseen !== 0 && !(unseen === 1 && underWay.has(each));
    });
    expect(
      wrong.map(({ probe, traced }) => `${probe.symbolName}+${probe.offset}: ${probe.nhit} for ${traced}`),
    ).toEqual([]);
    const hitFunctions = new Set(
      [...probed.values()].filter(({ probe }) => probe.nhit > 0).map(({ probe }) => probe.symbolName),
    );
    expect(hitFunctions.size).toBeGreaterThanOrEqual(30);
    expect(probed.size).toBeGreaterThan(1000);
    expect(host.console).toBe(plain.console);
  });
});
