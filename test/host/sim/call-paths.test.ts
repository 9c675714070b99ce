import { beforeAll, describe, expect, it } from 'vitest';
import { decodeInsn, type PtRegs, X86Slot } from '../../../src/arch/index.js';
import { hi32, lo32, u64 } from '../../../src/base/index.js';
import type { KernelSymbol } from '../../../src/host/index.js';
import { createSim, type SimHost } from '../../../src/host/sim/index.js';
import { kernelSymbol, runToEnd } from './kernel-machine.js';

const DEPTH = 40;
const PUSH_RBP = 0x55;
const INT3 = 0xcc;

/** Functions of Linux with callers, inner ones first, that some call of them must have on its stack. */
const paths: readonly (readonly [name: string, callers: readonly string[]])[] = [
  ['vfs_open', ['do_filp_open', 'do_sys_openat2', '__x64_sys_openat', 'do_syscall_64']],
  ['vfs_read', ['ksys_read', 'do_syscall_64']],
  ['vfs_write', ['ksys_write', 'do_syscall_64']],
  ['do_unlinkat', ['do_syscall_64']],
  ['wake_up_process', ['do_syscall_64']],
  ['schedule', ['do_nanosleep', 'do_syscall_64']],
  ['submit_bio', ['vfs_read', 'ksys_read', 'do_syscall_64']],
  ['tcp_v4_connect', ['do_syscall_64']],
  ['kernel_clone', ['do_syscall_64']],
  ['do_execveat_common', ['do_syscall_64']],
  ['do_exit', ['do_syscall_64']],
];

describe('kernel functions are reached from system calls', () => {
  const stacks = new Map<string, Set<string>>(paths.map(([name]) => [name, new Set()]));
  const executed = new Set<string>();

  beforeAll(() => {
    for (const workload of ['mixed', 'web']) traceEntries(createSim({ workload, seed: 5 }), stacks, executed);
  }, 120_000);

  it.each(paths)('%s below %j', (name, callers) => {
    const inOrder = new RegExp(callers.map((caller) => `\\b${caller}\\b`).join('.* '));
    const seen = [...(stacks.get(name) ?? [])];
    expect(
      seen.some((stack) => inOrder.test(stack)),
      seen.slice(0, 5).join('\n'),
    ).toBe(true);
  });

  it('at least 60 of those that run have eight instructions and a branch or more', () => {
    const host = createSim();
    const worthProbing = [...executed].filter((name) => {
      const { insns, branches } = shapeOf(host, kernelSymbol(host, name));
      return insns >= 8 && branches > 0;
    });
    expect(worthProbing.length).toBeGreaterThanOrEqual(60);
  });
});

/** Breaks into every function whose first instruction can be done in its place, and notes who runs, called by whom. */
function traceEntries(host: SimHost, stacks: ReadonlyMap<string, Set<string>>, executed: Set<string>): void {
  const names = new Map<bigint, string>();
  const frames = new Int32Array(2 * DEPTH);
  host.run({ until: () => host.journal.length > 20 });
  host.text.setTrapHandler(({ kind, regs }) => {
    const name = names.get(regs.ip - 1n);
    if (kind !== 'breakpoint' || name === undefined) return false;
    executed.add(name);
    const count = stacks.has(name) ? host.stacks.kernel(regs, frames, DEPTH) : 0;
    stacks.get(name)?.add(callersOf(host, frames, count));
    pushFramePointer(host, regs);
    return true;
  });
  for (const { name, type, address, size } of host.symbols) {
    if (!/t/i.test(type) || size === 0n || host.text.blacklisted(address) !== null) continue;
    if (host.text.patch(address, Uint8Array.of(PUSH_RBP), Uint8Array.of(INT3))) names.set(address, name);
  }
  expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
}

/** `push rbp`, which the breakpoint displaced. */
function pushFramePointer(host: SimHost, regs: PtRegs): void {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, regs.get(X86Slot.bp), true);
  regs.sp -= 8n;
  expect(host.memory.writeKernel(lo32(regs.sp), hi32(regs.sp), bytes, 0, 8)).toBe(true);
}

/** Names of the functions on a stack, innermost first. */
function callersOf(host: SimHost, frames: Int32Array, count: number): string {
  const addresses = Array.from({ length: count }, (_, i) => u64(frames[2 * i], frames[2 * i + 1]));
  return addresses.map((address) => host.symbols.at(address - 1n)?.name ?? '?').join(' ');
}

function shapeOf(host: SimHost, { address, size }: KernelSymbol): { insns: number; branches: number } {
  const text = new Uint8Array(Number(size));
  expect(host.memory.readKernel(lo32(address), hi32(address), text, 0, text.length)).toBe(true);
  let [insns, branches] = [0, 0];
  for (let at = 0; at < text.length; insns++) {
    const insn = decodeInsn(text, at);
    if (insn === null) throw new Error(`0x${(address + BigInt(at)).toString(16)} does not decode`);
    if (insn.class === 'jcc') branches++;
    at += insn.length;
  }
  return { insns, branches };
}
