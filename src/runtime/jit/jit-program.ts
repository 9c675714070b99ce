import { lineAt, lineText } from '../check/index.js';
import type { EngineProgram } from '../engine.js';
import type { Executable } from '../executable.js';
import { STACK_FRAME } from '../interp/access-guard.js';
import type { FormOps } from '../interp/form-ops.js';
import { predecode, type ProgramCode } from '../interp/predecode.js';
import { BUDGET_USED, RunStopped } from '../interp/stop.js';
import { bpfOffset } from '../memory/bpf-memory.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Runtime } from '../runtime.js';
import { type CompiledModule, compileModule, ModuleName } from './compile-module.js';
import type { OutsideCalls } from './outside-calls.js';
import { type Callback, RunBorder, RunEnded } from './run-border.js';
import { SharedState } from './shared-state.js';
import { FaultReason, StateLayout } from './state-layout.js';
import { ImportName } from './wasm/module-writer.js';

const MAX_FRAMES = 8;
const STACK_EXHAUSTED = 'the stack of this CPU is exhausted';

type Entry = (ctx: number, r2: number, sp: number) => number;

interface Loaded {
  readonly module: CompiledModule;
  readonly entry: Entry;
  readonly exports: Record<string, unknown>;
}

export interface JitProgramOptions {
  readonly assumeProved: boolean;
  readonly formOps: FormOps;
  readonly outside: OutsideCalls;
}

/** A program as a WebAssembly instance. */
export class JitProgram implements EngineProgram {
  readonly #executable: Executable;
  readonly #runtime: Runtime;
  readonly #code: ProgramCode;
  readonly #state: SharedState;
  readonly #border: RunBorder;
  readonly #options: JitProgramOptions;
  /** Which program this is to the functions outside its module. */
  readonly #number: number;
  readonly #hasCallbacks: boolean;
  readonly #trusting: Loaded;
  /** The same with all of the context checked, for runs on a shorter one than the program type's. */
  #careful: Loaded | undefined;
  #current: Loaded;
  #entry: Entry;
  #run: BpfRunCtx | null = null;
  readonly #prepares: boolean;

  /** Throws BpfError where an instruction cannot run, and what WebAssembly throws where compiling is denied. */
  constructor(executable: Executable, runtime: Runtime, options: JitProgramOptions) {
    this.#executable = executable;
    this.#runtime = runtime;
    this.#options = options;
    this.#code = predecode(executable, runtime.helpers, options.formOps);
    this.#state = new SharedState(runtime.memory);
    this.#hasCallbacks = executable.subprogs.some(({ isCallback }) => isCallback);
    this.#border = new RunBorder(
      executable,
      this.#code,
      runtime,
      this.#state,
      (pc, reason) => this.#fault(pc, reason),
      (slot) => this.#current.exports[`${ModuleName.callback}${slot}`] as Callback,
    );
    this.#number = options.outside.enter(this.#border);
    this.#trusting = this.#load(true);
    this.#current = this.#trusting;
    this.#entry = this.#trusting.entry;
    const { usesBudget, usesFrames, usesCpu, usesWindows } = this.#trusting.module;
    this.#prepares = usesBudget || usesFrames || usesCpu || usesWindows || this.#hasCallbacks;
  }

  /** The module that runs on a context of the usual size. */
  get module(): Uint8Array {
    return this.#trusting.module.bytes;
  }

  run(run: BpfRunCtx, ctx: number, r2 = 0): number {
    if (this.#run !== null) return this.#runNested(run, ctx, r2);
    this.#run = run;
    try {
      const { ctxSize } = run;
      const isUsual = ctxSize >= this.#trusting.module.contextNeed && run.ctx === ctx;
      if (isUsual && !this.#prepares && run.stackPointer - STACK_FRAME >= run.stackStart) {
        this.#border.run = run;
        const result = this.#entry(ctx, r2, run.stackPointer);
        run.resultHi = this.#state.get(StateLayout.resultHi);
        return result;
      }
      return this.#runPrepared(isUsual, run, ctx, r2);
    } catch (error) {
      if (!(error instanceof RunEnded)) throw error;
      run.resultHi = 0;
      return 0;
    } finally {
      this.#run = null;
    }
  }

  dispose(): void {
    this.#options.outside.leave(this.#number);
    this.#runtime.memory.free(bpfOffset(this.#state.at), StateLayout.size);
  }

  #runPrepared(isUsual: boolean, run: BpfRunCtx, ctx: number, r2: number): number {
    this.#current = isUsual ? this.#trusting : (this.#careful ??= this.#load(false));
    const state = this.#state;
    this.#border.run = run;
    this.#prepare(run, ctx);
    if (run.stackPointer - STACK_FRAME < run.stackStart) this.#stop(0, `${STACK_EXHAUSTED} by tail calls`);
    if (this.#hasCallbacks) run.callback = this.#border.callback;
    try {
      const result = this.#current.entry(ctx, r2, run.stackPointer);
      run.resultHi = state.get(StateLayout.resultHi);
      if (this.#current.module.usesBudget) run.budget = state.budget;
      return result;
    } finally {
      run.callback = null;
    }
  }

  #prepare(run: BpfRunCtx, ctx: number): void {
    const state = this.#state;
    const { usesBudget, usesFrames, usesCpu, usesWindows } = this.#current.module;
    if (usesBudget || usesWindows || this.#hasCallbacks) {
      state.setLong(StateLayout.budget, run.budget);
      state.setLong(StateLayout.loopReserve, run.budget / 2);
    }
    if (usesFrames) {
      const deepest = run.stackPointer - (MAX_FRAMES - 1) * STACK_FRAME;
      state.set(StateLayout.frameLimit, Math.max(deepest, run.stackStart + STACK_FRAME));
    }
    if (usesCpu) state.set(StateLayout.cpu, run.cpu);
    if (usesWindows) state.beginWindows(run);
    state.set(StateLayout.context, ctx);
  }

  /** A run inside a run of the same program, by a hook that the first one's helper has hit. */
  #runNested(run: BpfRunCtx, ctx: number, r2: number): number {
    const outer = this.#run;
    const current = this.#current;
    const saved = this.#state.save();
    const registers = this.#border.save();
    this.#run = null;
    const result = this.run(run, ctx, r2);
    this.#border.restore(registers);
    if (outer !== null) this.#border.run = outer;
    this.#run = outer;
    this.#current = current;
    this.#state.restore(saved);
    return result;
  }

  #load(trustContext: boolean): Loaded {
    const module = compileModule({
      executable: this.#executable,
      code: this.#code,
      runtime: this.#runtime,
      state: this.#state.at,
      assumeProved: this.#options.assumeProved,
      trustContext,
      program: this.#number,
      outside: this.#options.outside,
    });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes), {
      [ImportName.module]: { [ImportName.memory]: this.#runtime.memory.wasm },
    });
    module.uses.fill(instance.exports[ModuleName.table] as WebAssembly.Table);
    return { module, entry: instance.exports[ModuleName.entry] as Entry, exports: instance.exports };
  }

  /** `RunBorder.fault`. */
  #fault(pc: number, reason: number): void {
    if (reason !== FaultReason.access || this.#run === null) this.#stop(pc, this.#reasonText(pc, reason));
    try {
      this.#border.goOn(pc, this.#run.ctx);
    } catch (error) {
      if (!(error instanceof RunStopped) || error instanceof RunEnded) throw error;
      const { slots } = this.#code;
      this.#stop(slots[Math.min(Math.max(error.index, 0), slots.length - 1)], error.message);
    }
  }

  #reasonText(pc: number, reason: number): string {
    switch (reason) {
      case FaultReason.budget:
        return BUDGET_USED;
      case FaultReason.frames: {
        const used = (this.#run?.stackPointer ?? 0) - (this.#state.get(StateLayout.registers + 80) >>> 0);
        const tooDeep = used === (MAX_FRAMES - 1) * STACK_FRAME;
        return tooDeep ? `the call stack of ${MAX_FRAMES + 1} frames is too deep` : STACK_EXHAUSTED;
      }
      case FaultReason.nothing:
        return this.#border.whyNotCalled(this.#executable.insns[pc].imm);
      default:
        return this.#border.reported;
    }
  }

  /** Describes the fault, unless a program that was tail-called has done so, and ends the run. */
  #stop(pc: number, reason: string): never {
    const run = this.#run;
    const { name, lines, notes } = this.#executable;
    const note = notes?.get(pc);
    const line = lineAt(lines, pc);
    this.#state.set(StateLayout.stopped, 0);
    if (run !== null) {
      run.fault ??= {
        program: name,
        pc,
        reason: note === undefined ? reason : `${reason}: ${note}`,
        registers: this.#state.registers(),
        source: line === undefined ? undefined : lineText(line),
      };
    }
    throw new RunEnded(reason);
  }
}
