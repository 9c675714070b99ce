import { contextLayout } from '../context-layout.js';
import type { Executable } from '../executable.js';
import type { Helper } from '../helper/helper.js';
import { AccessGuard, MAX_FRAMES, STACK_FRAME } from '../interp/access-guard.js';
import { MapRegions } from '../interp/map-regions.js';
import { Activation } from '../interp/activation.js';
import { callHelper } from '../interp/helper-call.js';
import { followsTypedPointers } from '../interp/interpreter.js';
import { execute, giveRegisters, takeRegisters } from '../interp/execute.js';
import { registerFile } from '../interp/loop.js';
import { loadFromPacket } from '../interp/packet-load.js';
import { type ProgramCode, REGISTER_WORDS } from '../interp/predecode.js';
import { whyNoHelper, whyNotCalled } from '../interp/rare.js';
import { BUDGET_USED, RunEnded, RunStopped } from '../interp/stop.js';
import { tailCall } from '../interp/tail-call.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Runtime } from '../runtime.js';
import type { SharedState } from './shared-state.js';
import { StateLayout } from './state-layout.js';

const R1 = 2;
const R10 = 20;

export type Callback = (...words: readonly number[]) => number;

/**
 * Everything that compiled code calls. Helper arguments and accesses that the quick comparisons do not settle are
 * checked by the interpreter's own guard, so that both engines stop for the same reasons in the same words.
 */
export class RunBorder {
  /** Why the run must stop, for the `fault` that follows. */
  reported = '';
  run!: BpfRunCtx;
  /** `BpfRunCtx.callback` of runs of this program. */
  readonly callback: NonNullable<BpfRunCtx['callback']>;
  /** Called by compiled code, registers spilled: throws, or leaves the rest of the function done and r0 in place. */
  readonly fault: (pc: number, reason: number) => void;
  /** r10 of the function that has called a helper. */
  #sp = 0;
  #isEquipped = false;
  readonly #state: SharedState;
  /** Made by `equip`. */
  #guard!: AccessGuard;
  #vm!: Activation;
  readonly #code: ProgramCode;
  readonly #runtime: Runtime;
  /** Runs the rest of functions that `goOn` is called for. */
  #rest: Activation | undefined;
  readonly #executable: Executable;

  constructor(
    executable: Executable,
    code: ProgramCode,
    runtime: Runtime,
    state: SharedState,
    fault: (pc: number, reason: number) => void,
    callbackAt: (slot: number) => Callback | undefined,
  ) {
    this.#executable = executable;
    this.#code = code;
    this.#runtime = runtime;
    this.#state = state;
    this.fault = fault;
    this.callback = this.#makeCallback(callbackAt);
  }

  /** Before compiled code that calls something outside runs for the first time: other programs are loaded sooner without. */
  equip(): void {
    if (this.#isEquipped) return;
    this.#isEquipped = true;
    const { memory, host } = this.#runtime;
    const { maps, type } = this.#executable;
    const regions = new MapRegions(maps);
    const nullReadsZero = followsTypedPointers.includes(type);
    this.#guard = new AccessGuard(memory, host, regions, contextLayout(type).parts, nullReadsZero);
    this.#vm = new Activation(this.#executable, this.#code, this.#guard, execute, new Int32Array(REGISTER_WORDS));
  }

  /** What a nested run of the same program would overwrite; only what calls outside can be interrupted by one. */
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
      state.budget = run.budget;
      state.resetWindows();
    }
    this.#leaveR0(vm);
  }

  /** Why the call at hand is none. */
  whyNotCalled(slot: number): string {
    this.#vm.run = this.run;
    return whyNotCalled(this.#vm, slot);
  }

  #whyNoHelper(number: number): string {
    this.#vm.run = this.run;
    return whyNoHelper(this.#vm, number);
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

  /** The offset of bytes that the quick comparison did not find; -1 where they may not be touched. */
  find(write: boolean, lo: number, hi: number, off: number, size: number, sp: number): number {
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
  }

  /** A register of the helper call to come, by words. */
  argument(register: number, lo: number, hi: number): void {
    const r = this.#vm.registers;
    r[2 * register] = lo;
    r[2 * register + 1] = hi;
  }

  /** Calls a helper, its arguments in place; the low word of its result. */
  call(helper: Helper, sp: number): number {
    const state = this.#state;
    const { run } = this;
    this.#enter(sp);
    try {
      if (helper.args.includes('func')) this.#callWithCallbacks(helper, sp);
      else callHelper(this.#vm, helper);
    } catch (error) {
      this.#report(error);
    }
    if (helper.ret === 'u64') state.set(StateLayout.resultHi, run.resultHi);
    state.resetWindows();
    return this.#vm.registers[0];
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
    this.#state.budget = run.budget;
  }

  #makeCallback(callbackAt: (slot: number) => Callback | undefined): NonNullable<BpfRunCtx['callback']> {
    return (pc, r1Lo, r1Hi, r2Lo, r2Hi, r3Lo, r3Hi, r4Lo, r4Hi) => {
      const { run } = this;
      const callback = callbackAt(pc);
      if (callback === undefined) throw new TypeError(`no callback begins at instruction ${pc}`);
      if (run.budget < 0) throw new RunStopped(BUDGET_USED);
      const top = this.#sp - STACK_FRAME;
      if (run.stackPointer - top >= MAX_FRAMES * STACK_FRAME) {
        throw new RunStopped(`the call stack of ${MAX_FRAMES + 1} frames is too deep`);
      }
      if (top - STACK_FRAME < run.stackStart) throw new RunStopped('the stack of this CPU is exhausted');
      // Loops in the callback count on their own; a callback without one must not be free.
      this.#state.budget = run.budget - this.#lengthAt(pc);
      const result = callback(r1Lo, r1Hi, r2Lo, r2Hi, r3Lo, r3Hi, r4Lo, r4Hi, top);
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

  /** 1 where the other program has run in place of the rest of this function. */
  tailCall(sp: number, words: readonly number[]): number {
    const { registers } = this.#vm;
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
    this.#state.budget = run.budget;
    if (taken) this.#leaveR0(this.#vm);
    this.#state.resetWindows();
    return taken ? 1 : 0;
  }

  /** callx: the helper whose number is in a register. */
  callNumber(number: number, sp: number, words: readonly number[]): void {
    this.#vm.registers.set(words, R1);
    const helper = this.#runtime.helpers.get(number);
    if (helper === undefined) this.#report(new RunStopped(this.#whyNoHelper(number)));
    else this.call(helper, sp);
    this.#leaveR0(this.#vm);
  }

  /** LD_ABS, LD_IND: leaves whether the packet has those bytes in the state area. */
  packetLoad(offset: number, size: number): number {
    this.#vm.run = this.run;
    this.#state.set(StateLayout.resultHi, loadFromPacket(this.#vm, offset, size) ? 1 : 0);
    return this.#vm.registers[0];
  }

  /** All of r0, for operations that may leave anything there. */
  #leaveR0({ registers }: Activation): void {
    this.#state.set(StateLayout.registers, registers[0]);
    this.#state.set(StateLayout.registers + 4, registers[1]);
  }
}
