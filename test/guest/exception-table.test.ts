import { describe, expect, it } from 'vitest';
import { BpfError, hex64, hi32, lo32 } from '../../src/base/index.js';
import { ExceptionTable } from '../../src/host/guest/index.js';
import type { KernelSymbol } from '../../src/host/index.js';
import type { QemuHost } from '../../src/host/qemu/index.js';
import { insnBoundaries, KprobeRegistry } from '../../src/kprobe/index.js';
import type { GuestSession } from './guest-session.js';
import { bootQemuLinux, type LinuxArch } from './qemu-linux.js';

const MINUTES = 60_000;
const ENTRIES = 40;
/** How far into a function, and how often, a place is looked for that can be probed. */
const LOOKED_AT = 64;
const TRIES = 8;
/** Entries that a kernel of that architecture takes probes on: arm64 refuses them all. */
const TAKES: readonly (readonly [LinuxArch, boolean])[] = [
  ['x86_64', true],
  ['arm64', false],
  ['riscv64', true],
];

describe.each(TAKES)('instructions with an entry in the exception table: %s', (arch, takes) => {
  it('are taken and refused as the guest’s own kernel does', { timeout: 3 * MINUTES }, async () => {
    const { host, session } = await bootQemuLinux(arch, 'stub', { cpus: 1 });
    try {
      const kprobes = new KprobeRegistry(host);
      const all = [...new ExceptionTable(host.memory, host.symbols).addresses];
      expect(all.length).toBeGreaterThan(400);
      const some = all.filter((_, i) => i % Math.ceil(all.length / ENTRIES) === 0);
      const asked = some.filter((address) => isTraced(session, host, host.symbols.at(address)));
      expect(asked.length).toBeGreaterThan(10);
      const answers = asked.map((addr) => ({
        place: host.symbols.format(addr),
        theirs: errnoOf(session, addr),
        ours: -(kprobes.refusal({ addr })?.errno ?? 0) + 0,
      }));
      expect(answers.filter(({ theirs, ours }) => theirs !== Math.abs(ours))).toEqual([]);
      expect(answers.some(({ theirs }) => theirs === 0)).toBe(takes);
    } finally {
      host.close();
    }
  });
});

let events = 0;
const traced = new Map<bigint, boolean>();

/** Whether the guest's kprobe_events take probes in a function at all: near its beginning, where ftrace has no place. */
function isTraced(session: GuestSession, host: QemuHost, symbol: KernelSymbol | undefined): boolean {
  if (symbol === undefined) return false;
  const { address } = symbol;
  const known = traced.get(address);
  if (known !== undefined) return known;
  const text = new Uint8Array(Math.min(Number(symbol.size), LOOKED_AT));
  host.memory.readKernel(lo32(address), hi32(address), text, 0, text.length);
  const places = insnBoundaries(host.arch.probing, text).slice(0, TRIES);
  const answer = places.some((offset) => errnoOf(session, address + BigInt(offset)) === 0);
  traced.set(address, answer);
  return answer;
}

/** What the guest's kernel answers to a probe of its own: an errno, 0 where it takes it. */
function errnoOf(session: GuestSession, address: bigint): number {
  try {
    session.run(`kprobe p:asked${events++} ${hex64(address)}`);
    return 0;
  } catch (error) {
    const errno = /errno (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    if (errno === undefined || error instanceof BpfError) throw error;
    return Number(errno);
  }
}
