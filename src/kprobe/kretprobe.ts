import type { PtRegs } from '../arch/index.js';
import { u64 } from '../base/index.js';
import type { Kprobe, KprobePlace } from './kprobe.js';

/** Called when the function is entered. Non-zero: do not follow this call to its return. 0 or nothing: follow it. */
export type KretprobeEntryHandler = (instance: KretprobeInstance, regs: PtRegs, cpu: number) => number | void;
/** Called when the function has returned; the pc in `regs` is the real return address. */
export type KretprobeHandler = (instance: KretprobeInstance, regs: PtRegs, cpu: number) => void;

export interface KretprobeSpec extends KprobePlace {
  readonly handler: KretprobeHandler;
  readonly entryHandler?: KretprobeEntryHandler;
  /** Calls followed at one time; 0 or absent: Linux's default, twice the CPUs but at least 10. */
  readonly maxactive?: number;
  readonly disabled?: boolean;
  /** As `KprobeSpec.layer`. */
  readonly layer?: number;
  /** Calls beyond `maxactive` are followed too, each with an instance made for it. */
  readonly grows?: boolean;
}

/**
 * Calls that did not reach the return handler, by cause, recursion at the entry aside (that is the entry probe's).
 */
export interface KretprobeMissed {
  /** All instances were in use: the kernel's `nmissed`. */
  maxactive: number;
  /** The return address could not be read or replaced, or there was no task yet to note it with. */
  fault: number;
  /** The frame was left without returning: longjmp, or a panic that unwound. */
  unwound: number;
  /** The task ended inside the function. */
  exited: number;
  /** The probe was removed while the call was under way. */
  unregistered: number;
}

/** One call being followed. Reused: valid only during a handler. */
export class KretprobeInstance {
  /** The probe it belongs to, as long as that is registered. */
  readonly kretprobe: Kretprobe;
  /** Return address found on entry: the real one, or the trampoline if another probe was there first. */
  retLo = 0;
  retHi = 0;
  frameLo = 0;
  frameHi = 0;
  /** The call that the task entered before this one. */
  next: KretprobeInstance | null = null;
  /** For the handlers: what one leaves at entry the other finds at return. */
  data: unknown = undefined;

  constructor(kretprobe: Kretprobe) {
    this.kretprobe = kretprobe;
  }

  get retAddr(): bigint {
    return u64(this.retLo, this.retHi);
  }
}

/**
 * A registered return probe. Calls = entry.nhit + entry.missed.recursion, and entry.nhit = nreturned + nskipped +
 * nactive + all of `missed`.
 */
export class Kretprobe {
  readonly handler: KretprobeHandler;
  readonly entryHandler: KretprobeEntryHandler | null;
  readonly maxactive: number;
  readonly grows: boolean;
  /** Returns handled. */
  nreturned = 0;
  /** Calls that the entry handler did not want. */
  nskipped = 0;
  /** Calls under way. */
  nactive = 0;
  readonly missed: KretprobeMissed = { maxactive: 0, fault: 0, unwound: 0, exited: 0, unregistered: 0 };
  /** The probe at the entry; set once by the registry. */
  entry!: Kprobe;
  registered = true;
  #free: KretprobeInstance | null = null;

  constructor(spec: KretprobeSpec, maxactive: number) {
    this.handler = spec.handler;
    this.entryHandler = spec.entryHandler ?? null;
    this.maxactive = maxactive;
    this.grows = spec.grows ?? false;
    for (let i = 0; i < maxactive; i++) this.giveBack(new KretprobeInstance(this));
  }

  /** As the kernel counts: calls for which no instance was left. */
  get nmissed(): number {
    return this.missed.maxactive;
  }

  /** An unused instance, or null. */
  take(): KretprobeInstance | null {
    const instance = this.#free;
    if (instance === null) return this.grows ? new KretprobeInstance(this) : null;
    this.#free = instance.next;
    instance.next = null;
    return instance;
  }

  giveBack(instance: KretprobeInstance): void {
    instance.data = undefined;
    instance.next = this.#free;
    this.#free = instance;
  }
}
