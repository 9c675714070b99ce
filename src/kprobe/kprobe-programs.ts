import type { PtRegs } from '../arch/index.js';
import { BpfError, BpfProgType } from '../base/index.js';
import {
  ProgramAttachment,
  type AttachmentCounts,
  type AttachmentOptions,
  type BpfProgram,
  type Runtime,
} from '../runtime/index.js';
import { KprobeMulti, type KprobeMultiAttachment, type KprobeMultiLink } from './kprobe-multi.js';
import type { Kprobe, KprobePlace } from './kprobe.js';
import type { KprobeRegistry } from './kprobe-registry.js';
import type { Kretprobe } from './kretprobe.js';
import type { KretprobeRegistry } from './kretprobe-registry.js';
import { ProbeRuns } from './probe-runs.js';
import type { ResolvedPlace } from './resolve.js';

/** Where and how to attach; `onFault` hears of runs that had to stop. */
export interface KprobeAttachment extends KprobePlace, Pick<AttachmentOptions, 'cookie' | 'onFault'> {}

export interface KretprobeAttachment extends KprobeAttachment {
  readonly maxactive?: number;
}

/** A program attached to a probe of its own, until `detach`. */
export interface KprobeLink<Probe> {
  readonly probe: Probe;
  readonly program: BpfProgram;
  readonly counts: AttachmentCounts;
  /** Idempotent, and safe from inside the program's own run. */
  detach(): void;
}

/**
 * BPF programs on kprobes and kretprobes. Each attachment has its own probe, as each perf event has in Linux. What a program
 * returns is not looked at, but in a session.
 */
export class KprobePrograms {
  readonly #runtime: Runtime;
  readonly #kprobes: KprobeRegistry;
  readonly #kretprobes: KretprobeRegistry;
  readonly #runs: ProbeRuns;
  readonly #multi: KprobeMulti;

  constructor(runtime: Runtime, kprobes: KprobeRegistry, kretprobes: KretprobeRegistry) {
    this.#runtime = runtime;
    this.#kprobes = kprobes;
    this.#kretprobes = kretprobes;
    this.#runs = new ProbeRuns(runtime, kprobes.traps);
    this.#multi = new KprobeMulti(runtime, kprobes, kretprobes, this.#runs);
  }

  /**
   * Errors as KprobeRegistry.register, and those of perf_event_open: EINVAL for a program that is not of type kprobe,
   * EADDRNOTAVAIL for a name that several functions have.
   */
  attachKprobe(program: BpfProgram, where: KprobeAttachment): KprobeLink<Kprobe> {
    checkType(program);
    const place = this.#resolve(where);
    const call = this.#call(program, where, place.offset === 0 ? place.addr : 0n);
    const preHandler = (_probe: Kprobe, regs: PtRegs, cpu: number): number => {
      this.#runs.run(call, regs, cpu);
      return 0;
    };
    return this.#link(
      call,
      () => this.#kprobes.register({ addr: place.addr, preHandler, readsOnly: true }),
      (probe) => this.#kprobes.unregister(probe),
    );
  }

  /** Errors as KretprobeRegistry.register, and as `attachKprobe`. */
  attachKretprobe(program: BpfProgram, where: KretprobeAttachment): KprobeLink<Kretprobe> {
    checkType(program);
    const place = this.#resolve(where);
    const call = this.#call(program, where, place.addr);
    const spec = {
      addr: place.addr,
      maxactive: where.maxactive ?? 0,
      handler: (_instance: unknown, regs: PtRegs, cpu: number) => void this.#runs.run(call, regs, cpu),
    };
    return this.#link(
      call,
      () => this.#kretprobes.register(spec),
      (probe) => this.#kretprobes.unregister(probe),
    );
  }

  /** One program on many functions. Errors as `KprobeMulti`. */
  attachMulti(program: BpfProgram, where: KprobeMultiAttachment): KprobeMultiLink {
    checkType(program);
    return this.#multi.attach(program, where);
  }

  /** Gives the context slots back; nothing may be attached any more. */
  close(): void {
    this.#runs.close();
  }

  #resolve(where: KprobeAttachment): ResolvedPlace {
    const same = where.symbolName === undefined ? [] : this.#runtime.host.symbols.lookupAll(where.symbolName);
    if (same.length < 2) return this.#kprobes.resolve(where);
    throw new BpfError('EADDRNOTAVAIL', `attaching to ${String(where.symbolName)}`, {
      value: same.map(({ address }) => `0x${address.toString(16)}`).join(' '),
      remedy: `${same.length} symbols have this name: give the address of the one that is meant`,
    });
  }

  #call(program: BpfProgram, where: KprobeAttachment, funcIp: bigint): ProgramAttachment {
    return new ProgramAttachment(this.#runtime, program, this.#runs.hook, { ...where, funcIp });
  }

  #link<Probe>(call: ProgramAttachment, register: () => Probe, unregister: (probe: Probe) => void): KprobeLink<Probe> {
    let probe: Probe;
    try {
      probe = register();
    } catch (error) {
      call.dispose();
      throw error;
    }
    return {
      probe,
      program: call.program,
      get counts() {
        return call.counts;
      },
      detach: () => {
        unregister(probe);
        call.dispose();
      },
    };
  }
}

function checkType(program: BpfProgram): void {
  if (program.type === BpfProgType.BPF_PROG_TYPE_KPROBE) return;
  throw new BpfError('EINVAL', `attaching ${program.name} to a kprobe`, {
    value: program.type,
    remedy: 'only programs of type kprobe run there',
  });
}
