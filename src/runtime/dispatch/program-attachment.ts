import type { PtRegs } from '../../arch/index.js';
import { hi32, lo32 } from '../../base/index.js';
import type { ProgramFault } from '../engine.js';
import type { BpfProgram } from '../program.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Runtime } from '../runtime.js';

/** What became of the hits that reached one attached program: hits = runs + recursion + nesting. */
export interface AttachmentCounts {
  readonly hits: number;
  /** Runs begun. */
  readonly runs: number;
  /** Missed because a program was running on the CPU already. */
  readonly recursion: number;
  /** Missed because no run context was left on the CPU. */
  readonly nesting: number;
  /** Runs that had to stop. */
  readonly faults: number;
}

export interface AttachmentOptions {
  /** What bpf_get_attach_cookie answers. */
  readonly cookie?: bigint;
  /** What bpf_get_func_ip answers. */
  readonly funcIp?: bigint;
  /** Told of each run that had to stop, at the hook: must be quick and must not throw. */
  readonly onFault?: (fault: ProgramFault, cpu: number) => void;
}

/**
 * One program attached to one hook. Holds a reference to the program until `dispose`. The hook puts the context
 * into BpfMemory and calls `run`; nothing is allocated per hit.
 */
export abstract class ProgramAttachment {
  readonly runtime: Runtime;
  readonly program: BpfProgram;
  #hits = 0;
  #recursion = 0;
  #nesting = 0;
  #faults = 0;
  readonly #cookieLo: number;
  readonly #cookieHi: number;
  readonly #funcIpLo: number;
  readonly #funcIpHi: number;
  readonly #onFault: AttachmentOptions['onFault'];
  #disposed = false;
  #running = 0;
  /** Counts running programs per CPU; a hit that finds its CPU's counter above 0 is missed. */
  readonly #active: Int32Array;

  protected constructor(runtime: Runtime, program: BpfProgram, active: Int32Array, options: AttachmentOptions) {
    this.runtime = runtime;
    this.program = program;
    this.#active = active;
    this.#cookieLo = lo32(options.cookie ?? 0n);
    this.#cookieHi = hi32(options.cookie ?? 0n);
    this.#funcIpLo = lo32(options.funcIp ?? 0n);
    this.#funcIpHi = hi32(options.funcIp ?? 0n);
    this.#onFault = options.onFault;
    program.retain();
  }

  get counts(): AttachmentCounts {
    const missed = this.#recursion + this.#nesting;
    return {
      hits: this.#hits,
      runs: this.#hits - missed,
      recursion: this.#recursion,
      nesting: this.#nesting,
      faults: this.#faults,
    };
  }

  /**
   * Counts a hit and opens a run on `cpu`, or answers null where it is missed. The caller then makes sure that the
   * context stands in memory and calls `finish`: contexts are shared by all runs of a CPU, so none may be written
   * before this guard is passed.
   */
  begin(cpu: number): BpfRunCtx | null {
    this.#hits++;
    const active = this.#active;
    if (active[cpu] !== 0) {
      this.#recursion++;
      this.program.recursionMisses++;
      return null;
    }
    const run = this.runtime.enter(cpu);
    if (run === null) {
      this.#nesting++;
      return null;
    }
    active[cpu] = 1;
    this.#running++;
    return run;
  }

  /** Runs the program on the context at `ctx` and closes the run; the low word of r0, 0 where it had to stop. */
  finish(run: BpfRunCtx, ctx: number, ctxSize: number, regs: PtRegs | null): number {
    const { cpu } = run;
    run.program = this.program;
    run.cookieLo = this.#cookieLo;
    run.cookieHi = this.#cookieHi;
    run.funcIpLo = this.#funcIpLo;
    run.funcIpHi = this.#funcIpHi;
    run.regs = regs;
    run.ctx = ctx;
    run.ctxSize = ctxSize;
    const result = this.program.engine.run(run, ctx);
    const { fault } = run;
    this.runtime.leave(run);
    this.#active[cpu] = 0;
    this.#running--;
    if (this.#disposed && this.#running === 0) this.program.release();
    if (fault === null) return result;
    this.#faults++;
    this.#onFault?.(fault, cpu);
    return 0;
  }

  /** Drops the reference to the program, once no run of it is under way here. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#running === 0) this.program.release();
  }
}

/**
 * A program of a kprobe, trace event or perf event: while any such program runs on a CPU, further hits there are
 * missed, whatever program they are for (trace_call_bpf() in kernel/trace/bpf_trace.c).
 */
export class TraceCall extends ProgramAttachment {
  constructor(runtime: Runtime, program: BpfProgram, options: AttachmentOptions = {}) {
    super(runtime, program, runtime.traceActive, options);
  }
}

/** A program of a raw tracepoint: missed only while the same program runs on the CPU (__bpf_trace_run()). */
export class RawTraceCall extends ProgramAttachment {
  constructor(runtime: Runtime, program: BpfProgram, options: AttachmentOptions = {}) {
    super(runtime, program, program.active, options);
  }
}
