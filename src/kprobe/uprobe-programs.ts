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
import type { Uprobe, UprobeSpec } from './uprobe.js';
import type { UprobeRegistry } from './uprobe-registry.js';

/** Where and how to attach; `onFault` hears of runs that had to stop. */
export interface UprobeAttachment
  extends
    Pick<UprobeSpec, 'path' | 'offset' | 'refCtrOffset' | 'pid'>,
    Pick<AttachmentOptions, 'cookie' | 'onFault' | 'funcIp'> {
  /** Run the program when the function that begins there has returned. */
  readonly onReturn?: boolean;
}

/** A program attached to a uprobe of its own, until `detach`. */
export interface UprobeLink {
  readonly probe: Uprobe;
  readonly program: BpfProgram;
  readonly counts: AttachmentCounts;
  /** Idempotent, and safe from inside the program's own run. */
  detach(): void;
}

/**
 * BPF programs on uprobes and uretprobes. Each attachment has its own probe, as each perf event has in Linux; all programs
 * of one hit read one copy of the registers. What a program returns is not looked at.
 */
export class UprobePrograms {
  readonly #runtime: Runtime;
  readonly #uprobes: UprobeRegistry;
  readonly #contexts: ContextSlots;
  readonly #hook: HookContext;
  /** Per CPU, the generation of the registers that stand in its slot. */
  readonly #copied: Float64Array;

  constructor(runtime: Runtime, uprobes: UprobeRegistry) {
    this.#runtime = runtime;
    this.#uprobes = uprobes;
    this.#contexts = new ContextSlots(runtime.memory, runtime.cpus, runtime.host.arch.ptRegs.size);
    this.#hook = { size: this.#contexts.size, regs: null };
    this.#copied = new Float64Array(runtime.cpus).fill(-1);
  }

  /** Errors as UprobeRegistry.register, and EINVAL for a program that is not of type kprobe. */
  attach(program: BpfProgram, where: UprobeAttachment): UprobeLink {
    if (program.type !== BpfProgType.BPF_PROG_TYPE_KPROBE) {
      throw new BpfError('EINVAL', `attaching ${program.name} to a uprobe`, {
        value: program.type,
        remedy: 'only programs of type kprobe run there',
      });
    }
    const call = new ProgramAttachment(this.#runtime, program, this.#hook, where);
    const run = (_probe: Uprobe, regs: PtRegs, cpu: number): void => this.#run(call, regs, cpu);
    const handlers = where.onReturn === true ? { retHandler: run } : { handler: run };
    let probe: Uprobe;
    try {
      probe = this.#uprobes.register({ ...placeOf(where), ...handlers });
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
        this.#uprobes.unregister(probe);
        call.dispose();
      },
    };
  }

  /** Gives the context slots back; nothing may be attached any more. */
  close(): void {
    this.#contexts.free();
  }

  #run(call: ProgramAttachment, regs: PtRegs, cpu: number): void {
    if (call.misses(cpu)) return;
    const { generation } = this.#uprobes.traps;
    const ctx = this.#contexts.at(cpu);
    if (this.#copied[cpu] !== generation) {
      this.#copied[cpu] = generation;
      regs.copyTo(this.#runtime.memory.i32, ctx >> 2);
    }
    this.#hook.regs = regs;
    call.hit(ctx, cpu);
  }
}

function placeOf({ path, offset, refCtrOffset, pid }: UprobeAttachment): UprobeSpec {
  return {
    path,
    offset,
    ...(refCtrOffset === undefined ? {} : { refCtrOffset }),
    ...(pid === undefined ? {} : { pid }),
  };
}
