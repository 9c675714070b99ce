import type { PtRegs } from '../arch/index.js';
import {
  ContextSlots,
  type HookContext,
  type ProgramAttachment,
  type RunSession,
  type Runtime,
} from '../runtime/index.js';
import type { KprobeTraps } from './kprobe-traps.js';

/**
 * Runs programs with the registers of a trap as their context. All programs of one trap read one copy, made in the CPU's
 * context slot when the first of them runs.
 */
export class ProbeRuns {
  /** What attachments of kprobe programs are made with. */
  readonly hook: HookContext;
  readonly #runtime: Runtime;
  readonly #traps: KprobeTraps;
  readonly #contexts: ContextSlots;
  readonly #ip: number;
  /** Per CPU, the generation of the registers that stand in its slot. */
  readonly #copied: Float64Array;

  constructor(runtime: Runtime, traps: KprobeTraps) {
    const { ptRegs } = runtime.host.arch;
    this.#runtime = runtime;
    this.#traps = traps;
    this.#contexts = new ContextSlots(runtime.memory, runtime.cpus, ptRegs.size);
    this.#ip = (ptRegs.ip * ptRegs.size) / ptRegs.names.length / 4;
    this.hook = { size: this.#contexts.size, regs: null, session: null };
    this.#copied = new Float64Array(runtime.cpus).fill(-1);
  }

  /** The low word of what the program returned; 0 where its run was missed or had to stop. */
  run(call: ProgramAttachment, regs: PtRegs, cpu: number): number {
    if (call.misses(cpu)) return 0;
    const { generation } = this.#traps;
    const ctx = this.#contexts.at(cpu);
    if (this.#copied[cpu] !== generation) {
      this.#copied[cpu] = generation;
      regs.copyTo(this.#runtime.memory.i32, ctx >> 2);
    }
    this.hook.regs = regs;
    return call.hit(ctx, cpu);
  }

  /** The same with `ipLo` as the low word of the pc: what has no breakpoint in Linux is shown at its own address. */
  runAt(call: ProgramAttachment, regs: PtRegs, cpu: number, ipLo: number): number {
    if (call.misses(cpu)) return 0;
    const ctx = this.#contexts.at(cpu);
    const word = (ctx >> 2) + this.#ip;
    const { i32 } = this.#runtime.memory;
    regs.copyTo(i32, ctx >> 2);
    i32[word] = ipLo;
    // The next program of this trap is to see the registers as they are.
    this.#copied[cpu] = -1;
    this.hook.regs = regs;
    return call.hit(ctx, cpu);
  }

  /** The same for a run of a session. */
  runSession(
    call: ProgramAttachment,
    regs: PtRegs,
    cpu: number,
    ipLo: number | undefined,
    session: RunSession,
  ): number {
    this.hook.session = session;
    const result = ipLo === undefined ? this.run(call, regs, cpu) : this.runAt(call, regs, cpu, ipLo);
    this.hook.session = null;
    return result;
  }

  /** Gives the context slots back. */
  close(): void {
    this.#contexts.free();
  }
}
