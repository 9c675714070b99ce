import { BpfProgType } from '../../base/index.js';
import { lineAt, lineText } from '../check/index.js';
import type { BatchEntry, CompiledProgram, EngineProgram } from '../engine.js';
import type { Executable } from '../executable.js';
import { MAX_FRAMES, STACK_FRAME } from '../interp/access-guard.js';
import type { FormOps } from '../interp/form-ops.js';
import { predecode, type ProgramCode } from '../interp/predecode.js';
import { BUDGET_USED, RunEnded, RunStopped } from '../interp/stop.js';
import { bpfOffset } from '../memory/bpf-memory.js';
import type { BpfRunCtx } from '../run-context.js';
import type { HitRuns, Runtime } from '../runtime.js';
import { type CompileInput, compileModule, ModuleName, type ProgramNeeds } from './compile-module.js';
import type { ModuleListing } from './listing/module-listing.js';
import type { OutsideCalls } from './outside-calls.js';
import { type Callback, RunBorder } from './run-border.js';
import { SharedState } from './shared-state.js';
import { FaultReason, StateLayout } from './state-layout.js';
import { ImportName } from './wasm/module-writer.js';

const STACK_EXHAUSTED = 'the stack of this CPU is exhausted';

type Entry = CompiledProgram['entry'];

/** A program in an instance of the module that it shares with others of its object. */
interface Loaded {
  readonly needs: ProgramNeeds;
  /** Whether the module calls anything outside. */
  readonly callsOut: boolean;
  /** Whether there is anything to set before a run, other than the windows. */
  readonly prepares: boolean;
  readonly entry: Entry;
  readonly batch: BatchEntry | undefined;
  /** By the slot at which the subprogram begins. */
  readonly callbacks: ReadonlyMap<number, Callback>;
}

/** A run that another run of the same program has interrupted. */
interface Suspended {
  readonly run: BpfRunCtx;
  readonly current: Loaded;
  readonly state: Uint8Array;
  readonly border: ReturnType<RunBorder['save']>;
}

/** What is left of a program that was released: the module goes, even if somebody keeps the program. */
const RELEASED: Loaded = {
  needs: {
    usesBudget: false,
    usesFrames: false,
    usesCpu: false,
    usesWindows: false,
    usesAttachment: false,
    usesContext: false,
    isClosed: false,
    mayStop: true,
    returnsWord: true,
    contextNeed: 0,
    contextUse: Infinity,
  },
  callsOut: false,
  prepares: false,
  entry: () => {
    throw new TypeError('a program that was released cannot run');
  },
  batch: undefined,
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
export class JitProgram implements EngineProgram, CompiledProgram {
  readonly #executable: Executable;
  readonly #runtime: Runtime;
  readonly #code: ProgramCode;
  readonly #state: SharedState;
  readonly #border: RunBorder;
  readonly #options: JitProgramOptions;
  /** Which program this is to the functions outside its module. */
  readonly #number: number;
  readonly #hasCallbacks: boolean;
  readonly #takesR2: boolean;
  #trusting: Loaded = RELEASED;
  /** The same with all of the context checked, for runs on a shorter one than the program type's. */
  #careful: Loaded | undefined;
  #current: Loaded = RELEASED;
  #run: BpfRunCtx | null = null;
  readonly #suspended: Suspended[] = [];

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
      instantiate(inputs, runtime).forEach((loaded, i) => programs[i].#use(loaded));
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
    this.#takesR2 = executable.type === BpfProgType.BPF_PROG_TYPE_UNSPEC;
    this.#hasCallbacks = hasCallbacks(executable);
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

  get compiled(): CompiledProgram {
    return this;
  }

  get entry(): Entry {
    return this.#trusting.entry;
  }

  get batch(): BatchEntry | undefined {
    return this.#trusting.batch;
  }

  get isClosed(): boolean {
    return this.#trusting.needs.isClosed;
  }

  get mayStop(): boolean {
    return this.#trusting.needs.mayStop;
  }

  get usesBudget(): boolean {
    return this.#trusting.needs.usesBudget;
  }

  get contextNeed(): number {
    return this.#trusting.needs.contextNeed;
  }

  get contextUse(): number {
    return this.#trusting.needs.contextUse;
  }

  run(run: BpfRunCtx, ctx: number, r2 = 0): number {
    const isUsual = run.ctxSize >= this.contextNeed && run.ctx === ctx;
    this.#begin(run, ctx, isUsual ? this.#trusting : (this.#careful ??= this.#loadCareful()));
    try {
      if (run.stackPointer - STACK_FRAME < run.stackStart) this.#stop(0, `${STACK_EXHAUSTED} by tail calls`);
      if (this.#takesR2) this.#state.set(StateLayout.r2, r2);
      return this.#current.entry(ctx, run.stackPointer, 0);
    } catch (error) {
      if (!(error instanceof RunEnded)) throw error;
      return 0;
    } finally {
      this.end(run);
    }
  }

  begin(run: BpfRunCtx, ctx: number): void {
    this.#begin(run, ctx, this.#trusting);
  }

  end(run: BpfRunCtx): void {
    const { needs, prepares } = this.#current;
    run.resultHi = needs.returnsWord || run.fault !== null ? 0 : this.#state.get(StateLayout.resultHi);
    if (prepares) {
      if (this.#hasCallbacks) run.callback = null;
      if (needs.usesBudget) run.budget = this.#state.budget;
    }
    this.#run = null;
    if (this.#suspended.length > 0) this.#resume();
  }

  dispose(): void {
    this.#careful = undefined;
    this.#use(RELEASED);
    this.#options.outside.leave(this.#number);
    this.#runtime.memory.free(bpfOffset(this.#state.at), StateLayout.size);
  }

  #begin(run: BpfRunCtx, ctx: number, loaded: Loaded): void {
    if (this.#run !== null) this.#suspend(this.#run);
    this.#run = run;
    // A pointer that is stored costs more than a comparison.
    if (this.#border.run !== run) this.#border.run = run;
    if (this.#current !== loaded) this.#current = loaded;
    if (loaded.needs.usesWindows) this.#state.beginWindows(run, ctx);
    if (loaded.prepares) this.#prepare(run, ctx, loaded.needs);
  }

  /** What few programs need. */
  #prepare(run: BpfRunCtx, ctx: number, needs: ProgramNeeds): void {
    const state = this.#state;
    state.set(StateLayout.context, ctx);
    if (this.#hasCallbacks) run.callback = this.#border.callback;
    if (needs.usesBudget) state.beginBudget(run.budget);
    if (needs.usesFrames) {
      const deepest = run.stackPointer - (MAX_FRAMES - 1) * STACK_FRAME;
      state.set(StateLayout.frameLimit, Math.max(deepest, run.stackStart + STACK_FRAME));
    }
    if (needs.usesCpu) state.set(StateLayout.cpu, run.cpu);
    if (needs.usesAttachment) state.setOwnAttachment(run);
  }

  /** Makes way for a run inside a run of the same program, by a hook that the first one's helper has hit. */
  #suspend(run: BpfRunCtx): void {
    this.#suspended.push({
      run,
      current: this.#current,
      state: this.#state.save(),
      border: this.#border.save(),
    });
  }

  #resume(): void {
    const suspended = this.#suspended.pop();
    if (suspended === undefined) return;
    this.#run = suspended.run;
    this.#current = suspended.current;
    this.#border.run = suspended.run;
    this.#border.restore(suspended.border);
    this.#state.restore(suspended.state);
  }

  #use(loaded: Loaded): void {
    if (loaded.callsOut) this.#border.equip();
    this.#trusting = loaded;
    this.#current = loaded;
  }

  #loadCareful(): Loaded {
    const [loaded] = instantiate([this.#compileInput(false)], this.#runtime);
    if (loaded.callsOut) this.#border.equip();
    return loaded;
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
    const hit = this.#runtime.attachments.get(this.#state.get(StateLayout.attachment) >>> 0);
    if (hit === undefined) this.#faultInRun(pc, reason);
    else this.#faultInHit(hit, pc, reason);
  }

  /** A hit has come so far without a run context. Where the run ends, `RunEnded` tells the attachment which to close. */
  #faultInHit(hit: HitRuns, pc: number, reason: number): void {
    const state = this.#state;
    const cpu = state.get(StateLayout.cpu);
    const run = hit.open(state.get(StateLayout.context) >>> 0, cpu);
    if (run === null) throw new TypeError(`no run context is left on CPU ${cpu}`);
    const outer = this.#run;
    const outerLoaded = this.#current;
    const border = this.#border.save();
    this.#run = run;
    this.#current = this.#trusting;
    this.#border.run = run;
    try {
      this.#faultInRun(pc, reason);
    } finally {
      this.#run = outer;
      this.#current = outerLoaded;
      this.#border.restore(border);
      if (outer !== null) this.#border.run = outer;
    }
    hit.close(run);
  }

  #faultInRun(pc: number, reason: number): void {
    if (reason !== FaultReason.access || this.#run === null) this.#stop(pc, this.#reasonText(pc, reason));
    const event = this.#state.saveEvent();
    // What counts nothing has not been given a budget, and the interpreter counts all the same.
    if (!this.#current.needs.usesBudget) this.#state.beginBudget(this.#run.budget);
    try {
      this.#border.goOn(pc, this.#run.ctx);
      this.#state.restoreEvent(event);
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
        return this.#border.whyNotCalled(pc);
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
    throw new RunEnded(reason, run);
  }
}

function isPrepared(needs: ProgramNeeds, executable: Executable): boolean {
  const { usesBudget, usesFrames, usesCpu, usesAttachment, usesContext } = needs;
  return usesBudget || usesFrames || usesCpu || usesAttachment || usesContext || hasCallbacks(executable);
}

function hasCallbacks({ subprogs }: Executable): boolean {
  return subprogs.some(({ isCallback }) => isCallback);
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
  const callsOut = uses.size > 0;
  if (callsOut) uses.fill(exports[ModuleName.table] as WebAssembly.Table);
  return programs.map((needs, i) => ({
    needs,
    callsOut,
    prepares: isPrepared(needs, inputs[i].executable),
    entry: exports[ModuleName.entry(i)] as Entry,
    batch: exports[ModuleName.batch(i)] as BatchEntry | undefined,
    callbacks: new Map(
      callbackSlots(inputs[i].executable).map((slot) => [slot, exports[ModuleName.callback(i, slot)] as Callback]),
    ),
  }));
}
