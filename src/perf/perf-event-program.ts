import { BpfError, BpfProgType, hi32, lo32 } from '../base/index.js';
import {
  type AttachmentCounts,
  type AttachmentOptions,
  type BpfProgram,
  ContextSlots,
  type HookContext,
  ProgramAttachment,
  type Runtime,
} from '../runtime/index.js';
import type { SoftwareHit } from './software-source.js';

/** What a program said of a sample, or that it was not asked. */
export type PerfVerdict = 'keep' | 'drop' | 'missed';

/**
 * A BPF_PROG_TYPE_PERF_EVENT program on one event, with the `struct bpf_perf_event_data` it is shown:
 * the interrupted registers, then sample_period and addr as u64. One context per CPU, allocated up front.
 */
export class PerfEventProgram {
  readonly program: BpfProgram;
  readonly #call: ProgramAttachment;
  readonly #hook: HookContext;
  readonly #contexts: ContextSlots;
  readonly #runtime: Runtime;
  readonly #regsSize: number;
  #running = 0;
  #disposed = false;

  /** Takes a reference to the program. EINVAL for a program of another type. */
  constructor(runtime: Runtime, program: BpfProgram, options: AttachmentOptions) {
    if (program.type !== BpfProgType.BPF_PROG_TYPE_PERF_EVENT) {
      throw new BpfError('EINVAL', `attaching ${program.name} to a perf event`, {
        value: `program type ${program.type}`,
        remedy: 'the program must be of type perf_event: SEC("perf_event")',
      });
    }
    this.#runtime = runtime;
    this.#regsSize = runtime.host.arch.ptRegs.size;
    this.#contexts = new ContextSlots(runtime.memory, runtime.cpus, this.#regsSize + 16);
    this.#hook = { size: this.#contexts.size, regs: null };
    this.#call = new ProgramAttachment(runtime, program, this.#hook, options);
    this.program = program;
  }

  get counts(): AttachmentCounts {
    return this.#call.counts;
  }

  /** Shows one sample to the program; a run that had to stop keeps no record. */
  run(frame: SoftwareHit, period: bigint): PerfVerdict {
    if (this.#call.misses(frame.cpu)) return 'missed';
    const context = this.#fill(frame, period);
    this.#hook.regs = frame.stackRegs;
    this.#running++;
    const result = this.#call.hit(context, frame.cpu);
    if (--this.#running === 0 && this.#disposed) this.#free();
    return result === 0 ? 'drop' : 'keep';
  }

  /** Drops the program, once no run of it is under way. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#running === 0) this.#free();
  }

  #free(): void {
    this.#contexts.free();
    this.#call.dispose();
  }

  #fill(frame: SoftwareHit, period: bigint): number {
    const context = this.#contexts.at(frame.cpu);
    const word = context >>> 2;
    const tail = word + (this.#regsSize >>> 2);
    const { i32 } = this.#runtime.memory;
    frame.regs.copyTo(i32, word);
    i32[tail] = lo32(period);
    i32[tail + 1] = hi32(period);
    i32[tail + 2] = lo32(frame.addr);
    i32[tail + 3] = hi32(frame.addr);
    return context;
  }
}
