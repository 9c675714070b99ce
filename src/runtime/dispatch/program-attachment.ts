import type { PtRegs } from '../../arch/index.js';
import { hi32, lo32 } from '../../base/index.js';
import { AttachmentBlock } from '../attachment-block.js';
import { CpuBlock } from '../cpu-block.js';
import type { CompiledProgram, ProgramFault } from '../engine.js';
import { hitGuard } from '../hit-guard.js';
import { RunEnded } from '../interp/stop.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import type { BpfProgram } from '../program.js';
import type { BpfRunCtx, RunSession } from '../run-context.js';
import { MAX_NESTING } from '../run-context-pool.js';
import type { HitRuns, Runtime } from '../runtime.js';

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

/** What the programs of a hook are shown; the hook changes it before a hit, if at all. */
export interface HookContext {
  /** Bytes of the context: never less than when programs are attached. */
  size: number;
  /** Registers of the event, for stack walks; null where it has none. */
  regs: PtRegs | null;
  /** The run of a session that a hit is; absent in hooks without any. */
  session?: RunSession | null;
}

/**
 * One program attached to one hook. Holds a reference to the program until `dispose`. The hook puts the context
 * into BpfMemory and calls `hit`; nothing is allocated per hit. Counters stand in the `AttachmentBlock`, where compiled
 * code counts too.
 */
export class ProgramAttachment implements HitRuns {
  readonly runtime: Runtime;
  readonly program: BpfProgram;
  /** Offset of the `AttachmentBlock`. */
  readonly block: BpfOffset;
  /** The program, where it is compiled and the context as long as it takes for granted. */
  readonly compiled: CompiledProgram | null;
  /** Hits that came, missed ones included. Whoever enters the program counts here. */
  hits = 0;
  /** False once it is disposed: hits that are under way must pass it by. */
  live = true;
  readonly #hook: HookContext;
  readonly #onFault: AttachmentOptions['onFault'];
  readonly #cookieLo: number;
  readonly #cookieHi: number;
  readonly #funcIpLo: number;
  readonly #funcIpHi: number;
  #running = 0;
  /** Offset of the guard of CPU 0, and the way to the next one. */
  readonly #guard: number;
  readonly #guardStride: number;
  /** The counts once the block is gone. */
  #last: AttachmentCounts | null = null;

  /** Throws ENOMEM where there is no memory for the block. */
  constructor(runtime: Runtime, program: BpfProgram, hook: HookContext, options: AttachmentOptions = {}) {
    this.runtime = runtime;
    this.program = program;
    this.#hook = hook;
    this.#onFault = options.onFault;
    this.#cookieLo = lo32(options.cookie ?? 0n);
    this.#cookieHi = hi32(options.cookie ?? 0n);
    this.#funcIpLo = lo32(options.funcIp ?? 0n);
    this.#funcIpHi = hi32(options.funcIp ?? 0n);
    const isAlone = hitGuard(program.type) === 'cpu';
    this.#guard = isAlone ? runtime.cpuBlocks + CpuBlock.active : program.active;
    this.#guardStride = isAlone ? CpuBlock.stride : 4;
    const { compiled } = program.engine;
    this.compiled = compiled !== undefined && compiled.contextNeed <= hook.size ? compiled : null;
    this.block = runtime.memory.alloc(AttachmentBlock.size);
    this.#describe();
    program.retain();
    runtime.attachments.set(this.block, this);
    program.addAccount(this);
  }

  get counts(): AttachmentCounts {
    if (this.#last !== null) return this.#last;
    const { hits } = this;
    const recursion = this.#counter(AttachmentBlock.recursion);
    const nesting = this.#counter(AttachmentBlock.nesting);
    const faults = this.#counter(AttachmentBlock.faults);
    return { hits, runs: hits - recursion - nesting, recursion, nesting, faults };
  }

  /** A hit with the context at `ctx`: the low word of r0, 0 where it was missed or had to stop. */
  hit(ctx: number, cpu: number): number {
    const { compiled } = this;
    return compiled?.isClosed === true ? this.#enter(compiled, ctx, cpu) : this.#run(ctx, cpu);
  }

  /** `count` hits whose contexts stand in BpfMemory already, `stride` bytes apart from `ctx` on. */
  batch(ctx: number, cpu: number, count: number, stride: number): void {
    for (let done = 0; done < count && this.live;) {
      const at = ctx + done * stride;
      done += this.compiled?.batch === undefined ? this.#one(at, cpu) : this.#many(at, cpu, count - done, stride);
    }
  }

  /** Whether a hit on `cpu` is missed; counts it if so. For contexts that one CPU's runs share: ask, then write. */
  misses(cpu: number): boolean {
    const isRecursion = this.runtime.memory.i32[this.#guardWord(cpu)] !== 0;
    if (!isRecursion && this.runtime.depth(cpu) < MAX_NESTING) return false;
    this.hits++;
    this.#count(isRecursion ? AttachmentBlock.recursion : AttachmentBlock.nesting);
    return true;
  }

  /** Counts a hit and opens its run, or answers null where it is missed. */
  begin(ctx: number, cpu: number): BpfRunCtx | null {
    if (this.misses(cpu)) return null;
    this.hits++;
    return this.open(ctx, cpu);
  }

  open(ctx: number, cpu: number): BpfRunCtx | null {
    const run = this.runtime.enter(cpu);
    if (run === null) return null;
    this.runtime.memory.i32[this.#guardWord(cpu)] = 1;
    this.#running++;
    run.program = this.program;
    run.attachment = this.block;
    run.cookieLo = this.#cookieLo;
    run.cookieHi = this.#cookieHi;
    run.funcIpLo = this.#funcIpLo;
    run.funcIpHi = this.#funcIpHi;
    run.regs = this.#hook.regs;
    run.session = this.#hook.session ?? null;
    run.ctx = ctx;
    run.ctxSize = this.#hook.size;
    return run;
  }

  close(run: BpfRunCtx): void {
    const { cpu, fault } = run;
    this.runtime.memory.i32[this.#guardWord(cpu)] = 0;
    if (fault !== null) {
      this.#count(AttachmentBlock.faults);
      // Before the run is left: what a listener makes the host do must not take this hit's context.
      this.#onFault?.(fault, cpu);
    }
    this.runtime.leave(run);
    this.#running--;
    if (!this.live && this.#running === 0) this.#free();
  }

  /** Takes what the entry of a closed program has thrown. */
  caught(error: unknown): void {
    if (!(error instanceof RunEnded) || error.run?.attachment !== this.block) throw error;
    this.close(error.run);
  }

  /** Drops the reference to the program, once no run of it is under way here. */
  dispose(): void {
    if (!this.live) return;
    this.live = false;
    if (this.#running === 0) this.#free();
  }

  #enter(program: CompiledProgram, ctx: number, cpu: number): number {
    this.hits++;
    try {
      return program.entry(ctx, cpu, this.block);
    } catch (error) {
      this.caught(error);
      return 0;
    }
  }

  #one(ctx: number, cpu: number): number {
    this.hit(ctx, cpu);
    return 1;
  }

  /** How many hits came to their end before one had to stop, and that one. */
  #many(ctx: number, cpu: number, count: number, stride: number): number {
    this.hits += count;
    try {
      this.compiled?.batch?.(ctx, cpu, this.block, count, stride);
      return count;
    } catch (error) {
      const left = this.runtime.memory.u32[(this.block + AttachmentBlock.left) >>> 2];
      this.hits -= left;
      this.caught(error);
      return count - left;
    }
  }

  #run(ctx: number, cpu: number): number {
    const run = this.begin(ctx, cpu);
    if (run === null) return 0;
    try {
      return this.program.engine.run(run, ctx);
    } finally {
      this.close(run);
    }
  }

  #describe(): void {
    const { i32 } = this.runtime.memory;
    const word = this.block >>> 2;
    i32[word + AttachmentBlock.cookie / 4] = this.#cookieLo;
    i32[word + AttachmentBlock.cookie / 4 + 1] = this.#cookieHi;
    i32[word + AttachmentBlock.funcIp / 4] = this.#funcIpLo;
    i32[word + AttachmentBlock.funcIp / 4 + 1] = this.#funcIpHi;
    i32[word + AttachmentBlock.active / 4] = this.program.active;
  }

  #free(): void {
    this.#last = this.counts;
    this.program.closeAccount(this);
    this.runtime.attachments.delete(this.block);
    this.runtime.memory.free(this.block, AttachmentBlock.size);
    this.program.release();
  }

  #guardWord(cpu: number): number {
    return (this.#guard + cpu * this.#guardStride) >>> 2;
  }

  #count(counter: number): void {
    const { u32 } = this.runtime.memory;
    const word = (this.block + counter) >>> 2;
    u32[word]++;
    if (u32[word] === 0) u32[word + 1]++;
  }

  #counter(counter: number): number {
    const { u32 } = this.runtime.memory;
    const word = (this.block + counter) >>> 2;
    return u32[word] + u32[word + 1] * 2 ** 32;
  }
}
