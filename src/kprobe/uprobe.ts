import type { PtRegs } from '../arch/index.js';
import type { UserFile } from '../host/index.js';

/** Called at the probed instruction, with the pc at its address on every architecture, as Linux shows it. */
export type UprobeHandler = (uprobe: Uprobe, regs: PtRegs, cpu: number) => void;

/** Called when the function has returned, with the pc at the real return address. */
export type UretprobeHandler = (uprobe: Uprobe, regs: PtRegs, cpu: number) => void;

/** A place in a file that programs execute. */
export interface UprobePlace {
  readonly path: string;
  /** Offset in the file, not an address. */
  readonly offset: number;
}

export interface UprobeSpec extends UprobePlace {
  /** Offset in the file of a 16-bit counter that is one more while the probe is registered: a USDT semaphore. 0: none. */
  readonly refCtrOffset?: number;
  /** Only hits of this process (its tgid); absent: of all. */
  readonly pid?: number;
  readonly handler?: UprobeHandler;
  /** Makes it a return probe of the function that begins at `offset`. */
  readonly retHandler?: UretprobeHandler;
  /** Registers it without arming it. */
  readonly disabled?: boolean;
}

/** Hits or returns that did not reach a handler, by cause. */
export interface UprobeMissed {
  /** The task was in too many followed calls already. */
  readonly depth: number;
  /** The return address could not be read or replaced. */
  readonly fault: number;
  /** Calls that were left without a return: longjmp. */
  readonly unwound: number;
  /** Calls of tasks that ended or became another program inside. */
  readonly exited: number;
  /** Calls that were under way when the probe was removed. */
  readonly unregistered: number;
}

/** A registered uprobe. Every call that a return probe follows is in `nreturned`, `nactive` or `missed`. */
export class Uprobe {
  readonly file: UserFile;
  readonly offset: number;
  readonly refCtrOffset: number;
  readonly pid: number | null;
  readonly handler: UprobeHandler | null;
  readonly retHandler: UretprobeHandler | null;
  /** Hits that were its to handle. */
  nhit = 0;
  nreturned = 0;
  /** Calls that are followed and have not returned. */
  nactive = 0;
  readonly missed: { -readonly [K in keyof UprobeMissed]: number } = {
    depth: 0,
    fault: 0,
    unwound: 0,
    exited: 0,
    unregistered: 0,
  };
  /** Both are the registry's to change. */
  enabled: boolean;
  registered = true;

  constructor(file: UserFile, spec: UprobeSpec) {
    this.file = file;
    this.offset = spec.offset;
    this.refCtrOffset = spec.refCtrOffset ?? 0;
    this.pid = spec.pid ?? null;
    this.handler = spec.handler ?? null;
    this.retHandler = spec.retHandler ?? null;
    this.enabled = spec.disabled !== true;
  }

  /** Whether a hit of process `tgid` is its to handle. */
  wants(tgid: number): boolean {
    return this.enabled && this.registered && (this.pid === null || this.pid === tgid);
  }
}
