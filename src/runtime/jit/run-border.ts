import { contextLayout } from '../context-layout.js';
import type { Executable } from '../executable.js';
import type { Helper } from '../helper/helper.js';
import { AccessGuard, STACK_FRAME } from '../interp/access-guard.js';
import { Activation } from '../interp/activation.js';
import { callHelper } from '../interp/helper-call.js';
import { followsTypedPointers } from '../interp/interpreter.js';
import { execute, giveRegisters, takeRegisters } from '../interp/execute.js';
import { registerFile } from '../interp/loop.js';
import { loadFromPacket } from '../interp/packet-load.js';
import { type ProgramCode, REGISTER_WORDS } from '../interp/predecode.js';
import { whyNotCalled } from '../interp/rare.js';
import { BUDGET_USED, RunStopped } from '../interp/stop.js';
import { tailCall } from '../interp/tail-call.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Runtime } from '../runtime.js';
import { ModuleName } from './compile-module.js';
import type { SharedState } from './shared-state.js';
import { StateLayout } from './state-layout.js';

const R1 = 2;
const R10 = 20;
const MAX_FRAMES = 8;

export type Callback = (...words: readonly number[]) => number;

/**
 * Everything that compiled code calls. Helper arguments and accesses that the quick comparisons do not settle are
 * checked by the interpreter's own guard, so that both engines stop for the same reasons in the same words.
 */
export class RunBorder {
  readonly imports: Record<string, unknown>;
  /** Why the run must stop, for the `fault` that follows. */
  reported = '';
  run!: BpfRunCtx;
  /** `BpfRunCtx.callback` of runs of this program. */
  readonly callback: NonNullable<BpfRunCtx['callback']>;
  /** r10 of the function that has called a helper. */
  #sp = 0;
  readonly #state: SharedState;
  readonly #guard: AccessGuard;
  readonly #vm: Activation;
  /** Runs the rest of functions that `goOn` is called for. */
  #rest: Activation | undefined;
  readonly #executable: Executable;

  constructor(
    executable: Executable,
    code: ProgramCode,
    runtime: Runtime,
    state: SharedState,
    fault: (pc: number, reason: number) => void,
    callbackAt: (slot: number) => Callback,
  ) {
    this.#executable = executable;
    this.#state = state;
    const regions = executable.maps.flatMap((map) => map.regions);
    const nullReadsZero = followsTypedPointers.includes(executable.type);
    this.#guard = new AccessGuard(
      runtime.memory,
      runtime.host,
      regions,
      contextLayout(executable.type).parts,
      nullReadsZero,
    );
    this.#vm = new Activation(executable, code, this.#guard, execute, new Int32Array(REGISTER_WORDS));
    this.callback = this.#makeCallback(callbackAt);
    this.imports = {
      [ModuleName.fault]: fault,
      [ModuleName.findReadable]: this.#finder(false),
      [ModuleName.findWritable]: this.#finder(true),
      [ModuleName.tailCall]: this.#makeTailCall(),
      [ModuleName.callNumber]: this.#makeCallNumber(runtime),
      [ModuleName.packetLoad]: (offset: number, size: number) => {
        this.#vm.run = this.run;
        this.#state.set(StateLayout.resultHi, loadFromPacket(this.#vm, offset, size) ? 1 : 0);
        return this.#vm.registers[0];
      },
    };
    code.helpers.forEach((helper, i) => (this.imports[`${ModuleName.helper}${i}`] = this.#helperImport(helper)));
  }

  /** What a nested run of the same program would overwrite. */
  save(): { readonly registers: Int32Array; readonly sp: number } {
    return { registers: this.#vm.registers.slice(), sp: this.#sp };
  }

  restore({ registers, sp }: { readonly registers: Int32Array; readonly sp: number }): void {
    this.#vm.registers.set(registers);
    this.#sp = sp;
  }

  /** Lets the interpreter run the rest of the function that has spilled its registers at slot `pc`. */
  goOn(pc: number, ctx: number): void {
    const outer = takeRegisters();
    try {
      this.#interpret(pc, ctx);
    } finally {
      giveRegisters(outer);
    }
  }

  #interpret(pc: number, ctx: number): void {
    const { executable, code } = this.#vm;
    const vm = (this.#rest ??= new Activation(executable, code, this.#guard, execute, registerFile));
    const { run } = this;
    const { callback } = run;
    const state = this.#state;
    run.budget = state.budget;
    vm.begin(run, ctx, 0);
    vm.loopReserve = state.loopReserve;
    state.copyRegisters(vm.registers);
    this.#enter(vm.registers[R10]);
    run.callback = vm.callback;
    try {
      execute(vm, vm.code.wordOfSlot[pc]);
    } catch (error) {
      // What it was doing when it stopped is what the run was doing.
      state.setRegisters(vm.registers);
      throw error;
    } finally {
      run.callback = callback;
      state.setLong(StateLayout.budget, run.budget);
      state.resetWindows();
    }
    this.#leaveR0(vm);
  }

  /** Why the call at hand is none. */
  whyNotCalled(number: number): string {
    this.#vm.run = this.run;
    return whyNotCalled(this.#vm, number);
  }

  #enter(sp: number): void {
    const guard = this.#guard;
    guard.enter(this.run);
    guard.stackEnd = this.run.stackPointer;
    guard.stackStart = (sp >>> 0) - STACK_FRAME;
    this.#vm.run = this.run;
  }

  /** Takes note of a reason to stop; anything else is no matter of the program's and goes on up. */
  #report(error: unknown): void {
    if (!(error instanceof RunStopped) || error instanceof RunEnded) throw error;
    this.reported = error.message;
    this.#state.set(StateLayout.stopped, 1);
  }

  #finder(write: boolean) {
    return (lo: number, hi: number, off: number, size: number, sp: number): number => {
      const guard = this.#guard;
      this.#enter(sp);
      try {
        const at = write ? guard.writable(lo, hi, off, size) : guard.readable(lo, hi, off, size);
        const [start, end] = write ? [guard.writeStart, guard.writeEnd] : [guard.readStart, guard.readEnd];
        if (end > 0) this.#state.moveWindow(write, start, end);
        else if (at >= guard.stackStart && at < guard.stackEnd)
          this.#state.moveWindow(write, guard.stackStart, guard.stackEnd);
        return at;
      } catch (error) {
        this.#report(error);
        return -1;
      }
    };
  }

  /**
   * A function with exactly as many parameters as compiled code passes: for anything else V8 adapts the call and
   * converts `undefined`, at several times the price.
   */
  #helperImport(helper: Helper): (...words: number[]) => number {
    const r = this.#vm.registers;
    const callsBack = helper.args.includes('func');
    const call = (sp: number): number => {
      this.#call(helper, sp, callsBack);
      return r[0];
    };
    switch (helper.args.length) {
      case 0:
        return call;
      case 1:
        return (sp, a, b) => {
          setPair(r, 2, a, b);
          return call(sp);
        };
      case 2:
        return (sp, a, b, c, d) => {
          setPair(r, 2, a, b);
          setPair(r, 4, c, d);
          return call(sp);
        };
      case 3:
        return (sp, a, b, c, d, e, f) => {
          setPair(r, 2, a, b);
          setPair(r, 4, c, d);
          setPair(r, 6, e, f);
          return call(sp);
        };
      case 4:
        return (sp, a, b, c, d, e, f, g, h) => {
          setPair(r, 2, a, b);
          setPair(r, 4, c, d);
          setPair(r, 6, e, f);
          setPair(r, 8, g, h);
          return call(sp);
        };
      default:
        return (sp, a, b, c, d, e, f, g, h, i, j) => {
          setPair(r, 2, a, b);
          setPair(r, 4, c, d);
          setPair(r, 6, e, f);
          setPair(r, 8, g, h);
          setPair(r, 10, i, j);
          return call(sp);
        };
    }
  }

  #call(helper: Helper, sp: number, callsBack: boolean): void {
    const state = this.#state;
    const { run } = this;
    this.#enter(sp);
    try {
      if (callsBack) this.#callWithCallbacks(helper, sp);
      else callHelper(this.#vm, helper);
    } catch (error) {
      this.#report(error);
    }
    if (helper.ret === 'u64') state.set(StateLayout.resultHi, run.resultHi);
    state.resetWindows();
  }

  #callWithCallbacks(helper: Helper, sp: number): void {
    const { run } = this;
    const outer = this.#sp;
    this.#sp = sp >>> 0;
    run.budget = this.#state.budget;
    try {
      callHelper(this.#vm, helper);
    } finally {
      this.#sp = outer;
    }
    this.#state.setLong(StateLayout.budget, run.budget);
  }

  #makeCallback(callbackAt: (slot: number) => Callback): NonNullable<BpfRunCtx['callback']> {
    return (pc, r1Lo, r1Hi, r2Lo, r2Hi, r3Lo, r3Hi, r4Lo, r4Hi) => {
      const { run } = this;
      if (run.budget < 0) throw new RunStopped(BUDGET_USED);
      const top = this.#sp - STACK_FRAME;
      if (run.stackPointer - top >= MAX_FRAMES * STACK_FRAME) {
        throw new RunStopped(`the call stack of ${MAX_FRAMES + 1} frames is too deep`);
      }
      if (top - STACK_FRAME < run.stackStart) throw new RunStopped('the stack of this CPU is exhausted');
      // Loops in the callback count on their own; a callback without one must not be free.
      this.#state.setLong(StateLayout.budget, run.budget - this.#lengthAt(pc));
      const result = callbackAt(pc)(r1Lo, r1Hi, r2Lo, r2Hi, r3Lo, r3Hi, r4Lo, r4Hi, top);
      run.budget = this.#state.budget;
      // The callback's own calls have left their arguments here, and their frame with the guard.
      this.#enter(this.#sp);
      return result;
    };
  }

  #lengthAt(slot: number): number {
    const subprog = this.#executable.subprogs.find(({ start }) => start === slot);
    return subprog === undefined ? 1 : subprog.end - subprog.start;
  }

  #makeTailCall() {
    const { registers } = this.#vm;
    return (sp: number, ...words: readonly number[]): number => {
      const { run } = this;
      registers.set(words, R1);
      registers[R10] = sp;
      this.#enter(sp);
      run.budget = this.#state.budget;
      let taken = false;
      try {
        taken = tailCall(this.#vm);
      } catch (error) {
        this.#report(error);
      }
      this.#state.setLong(StateLayout.budget, run.budget);
      if (taken) this.#leaveR0(this.#vm);
      this.#state.resetWindows();
      return taken ? 1 : 0;
    };
  }

  #makeCallNumber(runtime: Runtime) {
    const { registers } = this.#vm;
    return (number: number, sp: number, ...words: readonly number[]): void => {
      registers.set(words, R1);
      const helper = runtime.helpers.get(number);
      if (helper === undefined) this.#report(new RunStopped(this.whyNotCalled(number)));
      else this.#call(helper, sp, helper.args.includes('func'));
      this.#leaveR0(this.#vm);
    };
  }

  /** All of r0, for operations that may leave anything there. */
  #leaveR0({ registers }: Activation): void {
    this.#state.set(StateLayout.registers, registers[0]);
    this.#state.set(StateLayout.registers + 4, registers[1]);
  }
}

function setPair(registers: Int32Array, at: number, lo: number, hi: number): void {
  registers[at] = lo;
  registers[at + 1] = hi;
}

/** Thrown through compiled code once the fault is described. */
export class RunEnded extends RunStopped {}
