import { u64 } from '../../base/index.js';
import type { Executable } from '../executable.js';
import { BPF_MEMORY_HI } from '../memory/bpf-memory.js';
import type { BpfRunCtx } from '../run-context.js';
import { type AccessGuard, STACK_FRAME } from './access-guard.js';
import type { ProgramCode } from './predecode.js';
import { BUDGET_USED, RunStopped } from './stop.js';

/** MAX_CALL_FRAMES. */
const MAX_FRAMES = 8;
/** Words kept of a caller: where to go on, r6 to r9, the low word of r10. */
const FRAME_WORDS = 10;
/** Index of the low words of r6 and r10. */
const R6 = 12;
const R10 = 20;
/** Where to go on when there is nothing in the loop to go on with: back to whoever called `execute`. */
export const TO_HOST = -1;

/** The state of one run of one program: registers and call frames. Reused from run to run. */
export class Activation {
  readonly executable: Executable;
  readonly code: ProgramCode;
  readonly registers: Int32Array;
  readonly guard: AccessGuard;
  run!: BpfRunCtx;
  /** What may_goto leaves of the budget for the code after its loop. */
  loopReserve = 0;
  /** `BpfRunCtx.callback` of a run: helpers call subprograms through it. */
  readonly callback: NonNullable<BpfRunCtx['callback']>;
  readonly #frames = new Int32Array(MAX_FRAMES * FRAME_WORDS);
  #depth = 0;

  constructor(
    executable: Executable,
    code: ProgramCode,
    guard: AccessGuard,
    execute: (vm: Activation, pc: number) => void,
    registers: Int32Array,
  ) {
    this.executable = executable;
    this.code = code;
    this.registers = registers;
    this.guard = guard;
    this.callback = (pc, r1Lo, r1Hi, r2Lo, r2Hi, r3Lo, r3Hi, r4Lo, r4Hi) => {
      if (this.run.budget < 0) throw new RunStopped(BUDGET_USED);
      this.pushFrame(TO_HOST);
      this.registers.set([r1Lo, r1Hi, r2Lo, r2Hi, r3Lo, r3Hi, r4Lo, r4Hi], 2);
      execute(this, code.wordOfSlot[pc]);
      return this.registers[0];
    };
  }

  /** Registers and stack as the entry function finds them. */
  begin(run: BpfRunCtx, ctx: number, r2: number): void {
    const r = this.registers;
    for (let i = 0; i < R10; i++) r[i] = 0;
    this.run = run;
    this.loopReserve = run.budget / 2;
    this.#depth = 0;
    this.#frames[0] = TO_HOST;
    r[2] = ctx;
    r[3] = BPF_MEMORY_HI;
    r[4] = r2;
    r[R10] = run.stackPointer;
    r[R10 + 1] = BPF_MEMORY_HI;
    this.guard.enter(run);
    this.guard.stackEnd = run.stackPointer;
    this.guard.stackStart = run.stackPointer - STACK_FRAME;
    if (this.guard.stackStart < run.stackStart)
      throw new RunStopped('the stack of this CPU is exhausted by tail calls');
  }

  /** Saves r6 to r9 and `returnTo` and gives the callee a stack frame of its own. */
  pushFrame(returnTo: number): void {
    const r = this.registers;
    const depth = this.#depth + 1;
    if (depth === MAX_FRAMES) throw new RunStopped(`the call stack of ${depth + 1} frames is too deep`);
    const at = depth * FRAME_WORDS;
    const frames = this.#frames;
    frames[at] = returnTo;
    for (let i = 0; i < 8; i++) frames[at + 1 + i] = r[R6 + i];
    frames[at + 9] = r[R10];
    const top = (r[R10] >>> 0) - STACK_FRAME;
    if (top - STACK_FRAME < this.run.stackStart) throw new RunStopped('the stack of this CPU is exhausted');
    r[R10] = top;
    this.guard.stackStart = top - STACK_FRAME;
    this.#depth = depth;
  }

  /** Undoes `pushFrame`; returns where to go on, `TO_HOST` from the entry function. */
  popFrame(): number {
    const depth = this.#depth;
    const at = depth * FRAME_WORDS;
    const frames = this.#frames;
    if (depth > 0) {
      const r = this.registers;
      for (let i = 0; i < 8; i++) r[R6 + i] = frames[at + 1 + i];
      r[R10] = frames[at + 9];
      this.guard.stackStart = (r[R10] >>> 0) - STACK_FRAME;
      this.#depth = depth - 1;
    }
    return frames[at];
  }

  /** r0 to r10, for the message of a stopped run. */
  snapshot(): bigint[] {
    return Array.from({ length: 11 }, (_, i) => u64(this.registers[2 * i], this.registers[2 * i + 1]));
  }
}
