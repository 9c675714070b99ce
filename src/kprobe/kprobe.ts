import type { PtRegs } from '../arch/index.js';

/**
 * Called at the trap with the registers as the kernel's handlers see them (on x86 the pc is that of the probe
 * plus 1). They may be changed. Non-zero: the pc was changed too, resume there instead of running the probed
 * instruction; probes of the same point that come later are not called. 0 or nothing: the instruction is run.
 */
export type KprobePreHandler = (probe: Kprobe, regs: PtRegs, cpu: number) => number | void;
/** Called after the probed instruction was executed. */
export type KprobePostHandler = (probe: Kprobe, regs: PtRegs, cpu: number) => void;

/** Where to put a probe: `symbolName` or `addr`, exactly one of them, and an offset from it. */
export interface KprobePlace {
  readonly symbolName?: string;
  readonly addr?: bigint;
  readonly offset?: number;
}

export interface KprobeSpec extends KprobePlace {
  readonly preHandler?: KprobePreHandler;
  readonly postHandler?: KprobePostHandler;
  /** Register it without arming it. */
  readonly disabled?: boolean;
  /**
   * Called behind all probes of a lower layer at that place, whenever they came; default 0. Those above 0 serve another hook:
   * they are not among `KprobeRegistry.probes`.
   */
  readonly layer?: number;
  /** Promise that `preHandler` changes no registers, so that copies made of them for one probe serve the next. */
  readonly readsOnly?: boolean;
}

/** Hits that did not reach the handler, by cause. */
export interface KprobeMissed {
  /** The CPU was busy with another probe's hit: the kernel's `nmissed`. */
  readonly recursion: number;
  /** An earlier probe of the same point sent the pc elsewhere. */
  readonly redirected: number;
}

/** A registered probe. Every hit while it is enabled is in `nhit` or in `missed`. */
export class Kprobe {
  /** The probed address. */
  readonly addr: bigint;
  /** Symbol that holds the address, and the distance from its start. */
  readonly symbolName: string;
  readonly offset: number;
  readonly preHandler: KprobePreHandler | null;
  readonly postHandler: KprobePostHandler | null;
  readonly readsOnly: boolean;
  readonly layer: number;
  /** Hits handled. */
  nhit = 0;
  readonly missed: { recursion: number; redirected: number } & KprobeMissed = { recursion: 0, redirected: 0 };
  /** Both are the registry's to change. */
  enabled: boolean;
  registered = true;

  constructor(addr: bigint, symbolName: string, offset: number, spec: KprobeSpec) {
    this.addr = addr;
    this.symbolName = symbolName;
    this.offset = offset;
    this.preHandler = spec.preHandler ?? null;
    this.postHandler = spec.postHandler ?? null;
    this.readsOnly = spec.readsOnly ?? spec.preHandler === undefined;
    this.layer = spec.layer ?? 0;
    this.enabled = spec.disabled !== true;
  }

  /** As the kernel counts: hits while the CPU was busy with a probe. */
  get nmissed(): number {
    return this.missed.recursion;
  }

  /** Whether it stands at the first instruction of its function (KPROBE_FLAG_ON_FUNC_ENTRY). */
  get onFunctionEntry(): boolean {
    return this.offset === 0;
  }
}
