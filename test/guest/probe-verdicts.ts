import { expect } from 'vitest';
import { BpfError, errnoName, hex64, hi32, lo32 } from '../../src/base/index.js';
import { PatchSites } from '../../src/host/guest/index.js';
import type { Host, KernelSymbol } from '../../src/host/index.js';
import { insnBoundaries, KprobeRegistry } from '../../src/kprobe/index.js';
import type { GuestSession } from './guest-session.js';

/** Places asked of a table. */
const ENTRIES = 40;
/** How far into a function, and how often, a place is looked for that can be probed. */
const LOOKED_AT = 64;
const TRIES = 8;

/** What the guest's kernel and ours answer to probes at a place: an errno, null where they take it. */
export interface ProbeVerdict {
  readonly place: string;
  readonly theirs: string | null;
  readonly ours: string | null;
}

/** Asks a guest's kernel, through its kprobe_events, and ours. */
export class ProbeVerdicts {
  readonly #host: Host;
  readonly #session: GuestSession;
  readonly #kprobes: KprobeRegistry;
  readonly #traced = new Map<bigint, boolean>();
  #events = 0;

  constructor(host: Host, session: GuestSession) {
    this.#host = host;
    this.#session = session;
    this.#kprobes = new KprobeRegistry(host);
  }

  /** Those on some of `all`, in functions that the guest's kprobe_events take probes in. */
  of(all: readonly bigint[]): readonly ProbeVerdict[] {
    const { symbols } = this.#host;
    const some = all.filter((_, i) => i % Math.ceil(all.length / ENTRIES) === 0);
    const asked = some.filter((address) => this.#isTraced(symbols.at(address)));
    expect(asked.length).toBeGreaterThan(10);
    return asked.map((addr) => ({
      place: symbols.format(addr),
      theirs: this.#theirs(addr),
      ours: this.#kprobes.refusal({ addr })?.code ?? null,
    }));
  }

  /** Whether it takes probes in a function at all: near its beginning, where ftrace has no place. */
  #isTraced(symbol: KernelSymbol | undefined): boolean {
    if (symbol === undefined) return false;
    const { address } = symbol;
    const known = this.#traced.get(address);
    if (known !== undefined) return known;
    const { memory, arch } = this.#host;
    const text = new Uint8Array(Math.min(Number(symbol.size), LOOKED_AT));
    memory.readKernel(lo32(address), hi32(address), text, 0, text.length);
    const places = insnBoundaries(arch.probing, text).slice(0, TRIES);
    const answer = places.some((offset) => this.#theirs(address + BigInt(offset)) === null);
    this.#traced.set(address, answer);
    return answer;
  }

  #theirs(address: bigint): string | null {
    try {
      this.#session.run(`kprobe p:asked${this.#events++} ${hex64(address)}`);
      return null;
    } catch (error) {
      const errno = /errno (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
      if (errno === undefined || error instanceof BpfError) throw error;
      return errnoName(Number(errno)) ?? errno;
    }
  }
}

/** Of what the kernel patches itself, `what` is refused by both. */
export function expectPatchSitesRefused({ memory, symbols, arch }: Host, verdicts: ProbeVerdicts, what: string): void {
  const { sites } = new PatchSites(memory, symbols, arch.pointerSize);
  const all = [...sites].filter(([, why]) => why.endsWith(what)).map(([address]) => address);
  expect(all.length, what).toBeGreaterThan(1000);
  expect(verdicts.of(all).filter(({ theirs, ours }) => theirs !== 'EINVAL' || ours !== 'EINVAL')).toEqual([]);
}
