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
import { type CompileInput, compileModule, ModuleName, type ProgramNeeds } from './compile-module.js';
import type { ModuleListing } from './listing/module-listing.js';
import type { OutsideCalls } from './outside-calls.js';
import { type Callback, RunBorder, RunEnded } from './run-border.js';
import { SharedState } from './shared-state.js';
import { FaultReason, StateLayout } from './state-layout.js';
import { ImportName } from './wasm/module-writer.js';

const MAX_FRAMES = 8;
const STACK_EXHAUSTED = 'the stack of this CPU is exhausted';

type Entry = (ctx: number, r2: number, sp: number) => number;

/** A program in an instance of the module that it shares with others of its object. */
interface Loaded {
  readonly needs: ProgramNeeds;
  readonly entry: Entry;
  /** By the slot at which the subprogram begins. */
  readonly callbacks: ReadonlyMap<number, Callback>;
}

/** What is left of a program that was released: the module goes, even if somebody keeps the program. */
const RELEASED: Loaded = {
  needs: { usesBudget: false, usesFrames: false, usesCpu: false, usesWindows: false, contextNeed: 0 },
  entry: () => {
    throw new TypeError('a program that was released cannot run');
  },
  callbacks: new Map(),
};

export interface JitProgramOptions {
  readonly assumeProved: boolean;
  readonly formOps: FormOps;
  /** Gets to know the module that runs on contexts of the usual size. */
  readonly listing?: ModuleListing | undefined;
  readonly outside: OutsideCalls;
}

/** A program as a function of a WebAssembly instance. */
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
  #trusting!: Loaded;
  /** The same with all of the context checked, for runs on a shorter one than the program type's. */
  #careful: Loaded | undefined;
  #current!: Loaded;
  #entry!: Entry;
  #run: BpfRunCtx | null = null;
  #prepares = false;

  /**
   * Programs in one module. Throws BpfError where an instruction cannot run, and what WebAssembly throws where
   * compiling is denied.
   */
  static load(executables: readonly Executable[], runtime: Runtime, options: JitProgramOptions): JitProgram[] {
    const programs: JitProgram[] = [];
    try {
      if (executables.length === 0) return [];
      for (const executable of executables) programs.push(new JitProgram(executable, runtime, options));
      const inputs = programs.map((program) => program.#compileInput(true));
      instantiate(inputs, runtime).forEach((loaded, i) => programs[i].#begin(loaded));
      return programs;
    } catch (error) {
      for (const program of programs) program.dispose();
      throw error;
    }
  }

  private constructor(executable: Executable, runtime: Runtime, options: JitProgramOptions) {
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
      (slot) => this.#current.callbacks.get(slot),
    );
    this.#number = options.outside.enter(this.#border);
  }

  run(run: BpfRunCtx, ctx: number, r2 = 0): number {
    if (this.#run !== null) return this.#runNested(run, ctx, r2);
    this.#run = run;
    try {
      const { ctxSize } = run;
      const isUsual = ctxSize >= this.#trusting.needs.contextNeed && run.ctx === ctx;
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
    this.#careful = undefined;
    this.#begin(RELEASED);
    this.#options.outside.leave(this.#number);
    this.#runtime.memory.free(bpfOffset(this.#state.at), StateLayout.size);
  }

  #runPrepared(isUsual: boolean, run: BpfRunCtx, ctx: number, r2: number): number {
    this.#current = isUsual ? this.#trusting : (this.#careful ??= this.#loadCareful());
    const state = this.#state;
    this.#border.run = run;
    this.#prepare(run, ctx);
    if (run.stackPointer - STACK_FRAME < run.stackStart) this.#stop(0, `${STACK_EXHAUSTED} by tail calls`);
    if (this.#hasCallbacks) run.callback = this.#border.callback;
    try {
      const result = this.#current.entry(ctx, r2, run.stackPointer);
      run.resultHi = state.get(StateLayout.resultHi);
      if (this.#current.needs.usesBudget) run.budget = state.budget;
      return result;
    } finally {
      run.callback = null;
    }
  }

  #prepare(run: BpfRunCtx, ctx: number): void {
    const state = this.#state;
    const { usesBudget, usesFrames, usesCpu, usesWindows } = this.#current.needs;
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

  #begin(loaded: Loaded): void {
    this.#trusting = loaded;
    this.#current = loaded;
    this.#entry = loaded.entry;
    const { usesBudget, usesFrames, usesCpu, usesWindows } = loaded.needs;
    this.#prepares = usesBudget || usesFrames || usesCpu || usesWindows || this.#hasCallbacks;
  }

  #loadCareful(): Loaded {
    return instantiate([this.#compileInput(false)], this.#runtime)[0];
  }

  #compileInput(trustContext: boolean): CompileInput {
    return {
      executable: this.#executable,
      code: this.#code,
      runtime: this.#runtime,
      state: this.#state.at,
      assumeProved: this.#options.assumeProved,
      trustContext,
      listing: trustContext ? this.#options.listing : undefined,
      program: this.#number,
      outside: this.#options.outside,
    };
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

function callbackSlots({ subprogs }: Executable): number[] {
  return subprogs.flatMap(({ start, isCallback }) => (isCallback ? [start] : []));
}

/** The bytes are not kept: whoever wants to see them compiles anew. */
function instantiate(inputs: readonly CompileInput[], { memory }: Runtime): Loaded[] {
  const { bytes, uses, programs } = compileModule(inputs, memory.shared ? 'shared' : 'unshared');
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    [ImportName.module]: { [ImportName.memory]: memory.wasm },
  });
  uses.fill(exports[ModuleName.table] as WebAssembly.Table);
  return programs.map((needs, i) => ({
    needs,
    entry: exports[ModuleName.entry(i)] as Entry,
    callbacks: new Map(
      callbackSlots(inputs[i].executable).map((slot) => [slot, exports[ModuleName.callback(i, slot)] as Callback]),
    ),
  }));
}
