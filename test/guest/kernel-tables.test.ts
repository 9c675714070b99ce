import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BpfError, errnoName, hex64, hi32, lo32 } from '../../src/base/index.js';
import { ExceptionTable, PatchSites } from '../../src/host/guest/index.js';
import type { KernelSymbol } from '../../src/host/index.js';
import type { QemuHost } from '../../src/host/qemu/index.js';
import { insnBoundaries, KprobeRegistry } from '../../src/kprobe/index.js';
import type { GuestSession } from './guest-session.js';
import { bootQemuLinux, type LinuxArch, type QemuLinux } from './qemu-linux.js';

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

describe.each(TAKES)('what a kernel’s tables say of its instructions: %s', (arch, takes) => {
  let linux: QemuLinux;
  let kprobes: KprobeRegistry;

  beforeAll(async () => {
    linux = await bootQemuLinux(arch, 'stub', { cpus: 1 });
    kprobes = new KprobeRegistry(linux.host);
    traced.clear();
  }, 3 * MINUTES);

  afterAll(() => linux?.host.close());

  /** What the guest's kernel and ours answer to probes at some of `all`, in functions that take probes. */
  function answersFor(all: readonly bigint[]): readonly Answer[] {
    const { host, session } = linux;
    const some = all.filter((_, i) => i % Math.ceil(all.length / ENTRIES) === 0);
    const asked = some.filter((address) => isTraced(session, host, host.symbols.at(address)));
    expect(asked.length).toBeGreaterThan(10);
    return asked.map((addr) => ({
      place: host.symbols.format(addr),
      theirs: errnoOf(session, addr),
      ours: kprobes.refusal({ addr })?.code ?? null,
    }));
  }

  it(
    'entries in the exception table are taken and refused as the guest’s own kernel does',
    { timeout: 3 * MINUTES },
    () => {
      const { memory, symbols } = linux.host;
      const all = [...new ExceptionTable(memory, symbols).addresses];
      expect(all.length).toBeGreaterThan(400);
      const answers = answersFor(all);
      expect(answers.filter(({ theirs, ours }) => theirs !== ours)).toEqual([]);
      expect(answers.some(({ theirs }) => theirs === null)).toBe(takes);
    },
  );

  it('jumps of static keys and static calls are refused as by the guest’s own kernel', { timeout: 3 * MINUTES }, () => {
    const { memory, symbols } = linux.host;
    const { sites } = new PatchSites(memory, symbols);
    for (const what of arch === 'x86_64' ? ['static key', 'static call'] : ['static key']) {
      const all = [...sites].filter(([, why]) => why.endsWith(what)).map(([address]) => address);
      expect(all.length, what).toBeGreaterThan(1000);
      const answers = answersFor(all);
      expect(answers.filter(({ theirs, ours }) => theirs !== 'EINVAL' || ours !== 'EINVAL')).toEqual([]);
    }
  });
});

interface Answer {
  readonly place: string;
  readonly theirs: string | null;
  readonly ours: string | null;
}

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
  const answer = places.some((offset) => errnoOf(session, address + BigInt(offset)) === null);
  traced.set(address, answer);
  return answer;
}

/** What the guest's kernel answers to a probe of its own: an errno, null where it takes it. */
function errnoOf(session: GuestSession, address: bigint): string | null {
  try {
    session.run(`kprobe p:asked${events++} ${hex64(address)}`);
    return null;
  } catch (error) {
    const errno = /errno (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    if (errno === undefined || error instanceof BpfError) throw error;
    return errnoName(Number(errno)) ?? errno;
  }
}
