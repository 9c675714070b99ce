import { expect, it } from 'vitest';
import { BpfProgType, hi32, lo32 } from '../../src/base/index.js';
import { createSim, type SimHost } from '../../src/host/sim/index.js';
import { insnBoundaries, KprobeRegistry } from '../../src/kprobe/index.js';
import { Machine } from '../../src/machine/index.js';
import { type BpfProgram, exit, mov64Imm } from '../../src/runtime/index.js';

/** Functions that sleep, recurse through others, never return, or are in all paths. */
const FUNCTIONS = ['schedule', 'vfs_read', 'ksys_read', 'try_to_wake_up', 'do_exit', 'do_syscall_64'];

function program(machine: Machine): BpfProgram {
  return machine.runtime.loadProgram({
    name: 'nothing',
    type: BpfProgType.BPF_PROG_TYPE_KPROBE,
    expectedAttachType: 0,
    license: 'GPL',
    insns: [mov64Imm(0, 0), exit()],
    maps: [],
  });
}

function text(host: SimHost, name?: string): Uint8Array {
  const symbols = [...host.symbols].filter(({ type }) => /^[tT]$/.test(type));
  const wanted = name === undefined ? symbols : symbols.filter((symbol) => symbol.name === name);
  const bytes = wanted.map(({ address, size }) => {
    const code = new Uint8Array(Number(size));
    host.memory.readKernel(lo32(address), hi32(address), code, 0, code.length);
    return [...code];
  });
  return Uint8Array.from(bytes.flat());
}

it('every place that the list offers can be probed, as far as its name and address go', () => {
  const machine = new Machine(createSim());
  const offered = machine.list('kprobe:*').filter(({ refused }) => refused === null);
  expect(offered.length).toBeGreaterThan(500);
  for (const { name } of offered) machine.kprobes.resolve({ symbolName: name.slice('kprobe:'.length) });
  machine.close();
});

it('machines take turns on one host, each leaving while calls and hits of it are under way', () => {
  const host = createSim({ workload: 'mixed', seed: 3 });
  const before = text(host);
  let reason = 'instructions';
  let left = 0;
  for (let round = 0; reason === 'instructions'; round++) {
    const machine = new Machine(host);
    for (const symbol of FUNCTIONS) {
      machine.attach(program(machine), { kind: 'kprobe', symbol, offset: 1 });
      machine.attach(program(machine), { kind: 'kretprobe', symbol, maxactive: 0 });
    }
    reason = host.run({ instructions: 16_001 + (round % 97) });
    left += machine.kretprobes.tasksInCalls;
    machine.close();
  }
  expect(reason, host.oops?.message).toBe('finished');
  expect(left).toBeGreaterThan(100);
  expect(text(host)).toEqual(before);
});

it('a registry that closes while a displaced instruction is in its slot takes the trap behind it', () => {
  const host = createSim({ workload: 'shell', seed: 3 });
  host.run({ instructions: 200_000 });
  const places = ['update_curr', 'pick_next_task_fair', 'vfs_read', 'memcpy'].flatMap((symbolName) =>
    insnBoundaries(host.arch.probing, text(host, symbolName)).map((offset) => ({ symbolName, offset })),
  );
  const before = text(host);
  for (let round = 0; round < 200; round++) {
    const registry = new KprobeRegistry(host);
    for (const place of places) registry.register({ ...place, preHandler: () => 0 });
    const first = [...registry.probes];
    host.run({ until: () => first.some(({ nhit }) => nhit > 0), ns: 5_000_000 });
    host.run({ instructions: round % 50 });
    registry.close();
    expect(host.run({ instructions: 300 }), host.oops?.message).not.toBe('oops');
  }
  expect(text(host)).toEqual(before);
});
