import type { ProbePlan, PtRegs } from '../arch/index.js';
import { hi32, lo32 } from '../base/index.js';
import type { Kprobe } from './kprobe.js';

export type ExecutablePlan = Exclude<ProbePlan, { kind: 'refuse' }>;

/** Out-of-line copy of a displaced instruction, followed by a breakpoint. */
export interface InsnSlot {
  readonly address: bigint;
  readonly lo: number;
  readonly hi: number;
  /** Address of the breakpoint behind the copy. */
  readonly endLo: number;
  readonly endHi: number;
}

/** One patched place in the text, shared by all probes at that address. */
export class KprobePoint {
  readonly addr: bigint;
  readonly lo: number;
  readonly hi: number;
  /** Address of the next instruction. */
  readonly nextLo: number;
  readonly nextHi: number;
  /** The whole instruction as it was before any probe. */
  readonly original: Uint8Array;
  readonly breakpoint: Uint8Array;
  readonly plan: ExecutablePlan;
  readonly slot: InsnSlot | null;
  /** Copy on write, by layer, the newest first as in Linux. */
  probes: readonly Kprobe[] = [];
  /** Whether the breakpoint is in the text. */
  armed = false;
  /** Hits that are being handled or stepped. */
  inFlight = 0;

  constructor(addr: bigint, original: Uint8Array, breakpoint: Uint8Array, plan: ExecutablePlan, slot: InsnSlot | null) {
    const next = addr + BigInt(original.length);
    this.addr = addr;
    this.lo = lo32(addr);
    this.hi = hi32(addr);
    this.nextLo = lo32(next);
    this.nextHi = hi32(next);
    this.original = original;
    this.breakpoint = breakpoint;
    this.plan = plan;
    this.slot = slot;
  }

  get wanted(): boolean {
    return this.probes.some((probe) => probe.enabled);
  }

  add(probe: Kprobe): void {
    const behind = this.probes.findIndex(({ layer }) => layer >= probe.layer);
    this.probes = this.probes.toSpliced(behind < 0 ? this.probes.length : behind, 0, probe);
  }

  remove(probe: Kprobe): void {
    this.probes = this.probes.filter((other) => other !== probe);
  }

  /** Counts a hit that could not be handled because the CPU was busy. */
  missRecursion(): void {
    for (const probe of this.probes) if (probe.enabled) probe.missed.recursion++;
  }

  runPostHandlers(regs: PtRegs, cpu: number): void {
    const { probes } = this;
    for (let i = 0; i < probes.length; i++) {
      const probe = probes[i];
      if (probe.postHandler !== null && probe.enabled && probe.registered) probe.postHandler(probe, regs, cpu);
    }
  }
}
