import type { PtRegs } from '../arch/index.js';
import { BpfError, BpfProgType } from '../base/index.js';
import {
  ContextSlots,
  ProgramAttachment,
  type AttachmentCounts,
  type AttachmentOptions,
  type BpfProgram,
  type HookContext,
  type Runtime,
} from '../runtime/index.js';
import type { Kprobe, KprobePlace } from './kprobe.js';
import type { KprobeRegistry } from './kprobe-registry.js';
import type { Kretprobe } from './kretprobe.js';
import type { KretprobeRegistry } from './kretprobe-registry.js';
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
 * BPF programs on kprobes and kretprobes. Each attachment has its own probe, as each perf event has in Linux; all
 * programs of one trap read one copy of the registers, made in the CPU's context slot when the first of them runs.
 * What a program returns is not looked at.
 */
export class KprobePrograms {
  readonly #runtime: Runtime;
  readonly #kprobes: KprobeRegistry;
  readonly #kretprobes: KretprobeRegistry;
  readonly #contexts: ContextSlots;
  readonly #hook: HookContext;
  /** Per CPU, the generation of the registers that stand in its slot. */
  readonly #copied: Float64Array;

  constructor(runtime: Runtime, kprobes: KprobeRegistry, kretprobes: KretprobeRegistry) {
    this.#runtime = runtime;
    this.#kprobes = kprobes;
    this.#kretprobes = kretprobes;
    this.#contexts = new ContextSlots(runtime.memory, runtime.cpus, runtime.host.arch.ptRegs.size);
    this.#hook = { size: this.#contexts.size, regs: null };
    this.#copied = new Float64Array(runtime.cpus).fill(-1);
  }

  /**
   * Errors as KprobeRegistry.register, and those of perf_event_open: EINVAL for a program that is not of type kprobe,
   * EADDRNOTAVAIL for a name that several functions have.
   */
  attachKprobe(program: BpfProgram, where: KprobeAttachment): KprobeLink<Kprobe> {
    checkType(program);
    const place = this.#resolve(where);
    const call = this.#call(program, where, place.offset === 0 ? place.addr : 0n);
    const preHandler = (_probe: Kprobe, regs: PtRegs, cpu: number): number => this.#run(call, regs, cpu);
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
      handler: (_instance: unknown, regs: PtRegs, cpu: number) => void this.#run(call, regs, cpu),
    };
    return this.#link(
      call,
      () => this.#kretprobes.register(spec),
      (probe) => this.#kretprobes.unregister(probe),
    );
  }

  /** Gives the context slots back; nothing may be attached any more. */
  close(): void {
    this.#contexts.free();
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
    return new ProgramAttachment(this.#runtime, program, this.#hook, { ...where, funcIp });
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

  #run(call: ProgramAttachment, regs: PtRegs, cpu: number): number {
    if (call.misses(cpu)) return 0;
    const { generation } = this.#kprobes.traps;
    const ctx = this.#contexts.at(cpu);
    if (this.#copied[cpu] !== generation) {
      this.#copied[cpu] = generation;
      regs.copyTo(this.#runtime.memory.i32, ctx >> 2);
    }
    this.#hook.regs = regs;
    call.hit(ctx, cpu);
    return 0;
  }
}

function checkType(program: BpfProgram): void {
  if (program.type === BpfProgType.BPF_PROG_TYPE_KPROBE) return;
  throw new BpfError('EINVAL', `attaching ${program.name} to a kprobe`, {
    value: program.type,
    remedy: 'only programs of type kprobe run there',
  });
}
