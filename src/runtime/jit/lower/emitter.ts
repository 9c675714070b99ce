import { type ProgramCode, REGISTER_WORDS } from '../../interp/predecode.js';
import { STACK_FRAME } from '../../interp/access-guard.js';
import { CpuBlock } from '../../cpu-block.js';
import type { Runtime } from '../../runtime.js';
import { BPF_MEMORY_HI } from '../../memory/bpf-memory.js';
import type { AccessWay } from '../analysis/access-facts.js';
import type { CallFact } from '../analysis/call-facts.js';
import { FaultReason, StateLayout } from '../state-layout.js';
import { FunctionWriter } from '../wasm/function-writer.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import type { ModulePlan } from '../module-plan.js';
import type { OutsideFunction } from '../outside-function.js';
import { beginEntry, EntryParam, isAtHook, leaveHighWord, noteEvent } from './entry.js';
import { Window } from './window.js';

export type WindowKind = 'read' | 'write' | 'packetRead' | 'packetWrite';

/** What is known of the instructions of one function, by index. */
export interface FunctionFacts {
  readonly ways: ReadonlyMap<number, AccessWay>;
  readonly calls: ReadonlyMap<number, CallFact>;
  /** Sizes of the accesses that each kind of window decides on. */
  readonly windowSizes: Readonly<Record<WindowKind, readonly number[]>>;
  /** 32-bit loads whose base surely is the context. */
  readonly contextLoads: ReadonlySet<number>;
  /** Some access relies on loaded packet pointers being inside the packet that may be read, or also written. */
  readonly packetProof: 'read' | 'write' | undefined;
  /** Loops, by their head, whose rounds need no counting. */
  readonly uncounted: ReadonlySet<number>;
  /** The budget is counted down here, in a local; else what is in the state area is good. */
  readonly counts: boolean;
  /** The function returns numbers of 32 bits: there is no high word for anybody to take. */
  readonly returnsWord: boolean;
  readonly rotates: ReadonlyMap<number, Rotate>;
  /** By the instruction before which a register's value must be kept: which local gets it. */
  readonly kept: ReadonlyMap<number, readonly Keep[]>;
}

/** An `or` of two shifts of one value that is a rotation. */
export interface Rotate {
  readonly keep: number;
  readonly by: number;
}

export interface Keep {
  /** Number that `Rotate.keep` refers to. */
  readonly keep: number;
  readonly register: number;
}

const SUBPROG_PARAMS = 6;

/**
 * Writes the body of one BPF function: where registers are, and the phrases that rules for instructions are
 * made of. The entry function has `EntryParam`s -> i32, all others (r1..r5: i64, sp: i32) -> i64.
 */
export class Emitter {
  readonly w: FunctionWriter;
  readonly plan: ModulePlan;
  readonly code: ProgramCode;
  readonly runtime: Runtime;
  readonly facts: FunctionFacts;
  readonly isEntry: boolean;
  /** i32: r10's low word. */
  readonly sp: number;
  /** i32: lowest byte of the frame. */
  readonly frame: number;
  /** i64: pointer to the frame's lowest byte. */
  readonly framePointer: number;
  /** Locals for the phrase at hand: i32, i64, i32. */
  readonly address: number;
  readonly pointer: number;
  readonly element: number;
  readonly budget: number;
  /** Open labels between here and the fault exit. */
  depth = 0;
  /** Ring calls that may still be written where they stand. */
  inlineRingCalls = 2;
  readonly #registers: readonly number[];
  readonly #pc: number;
  #mayStop = false;
  readonly #reason: number;
  readonly #windows: Readonly<Record<WindowKind, Window>>;
  readonly #kept = new Map<number, number>();

  constructor(plan: ModulePlan, facts: FunctionFacts, isEntry: boolean) {
    this.plan = plan;
    this.code = plan.code;
    this.runtime = plan.runtime;
    this.facts = facts;
    this.isEntry = isEntry;
    this.w = new FunctionWriter(isEntry ? EntryParam.count : SUBPROG_PARAMS);
    this.sp = isEntry ? this.w.local(ValType.i32) : SUBPROG_PARAMS - 1;
    const i64 = (): number => this.w.local(ValType.i64);
    this.#registers = Array.from({ length: 11 }, (_, r) => (!isEntry && r >= 1 && r <= 5 ? r - 1 : i64()));
    this.framePointer = i64();
    this.pointer = i64();
    this.budget = i64();
    for (const keeps of facts.kept.values()) for (const { keep } of keeps) this.#kept.set(keep, i64());
    const { windowSizes: sizes } = facts;
    this.#windows = {
      read: new Window(this.w, plan.state + StateLayout.readWindow, sizes.read),
      write: new Window(this.w, plan.state + StateLayout.writeWindow, sizes.write),
      packetRead: new Window(this.w, plan.state + StateLayout.packetRead, sizes.packetRead),
      packetWrite: new Window(this.w, plan.state + StateLayout.packetWrite, sizes.packetWrite),
    };
    this.frame = this.w.local(ValType.i32);
    this.address = this.w.local(ValType.i32);
    this.element = this.w.local(ValType.i32);
    this.#pc = this.w.local(ValType.i32);
    this.#reason = this.w.local(ValType.i32);
  }

  /** What the variables hold that have a meaning of their own, for readers of the code. */
  localNames(): [local: number, name: string][] {
    const names: [number, string][] = this.isEntry
      ? [
          [0, 'ctx'],
          [1, 'r2_lo'],
        ]
      : [];
    this.#registers.forEach((local, r) => names.push([local, `r${r}`]));
    names.push([this.sp, 'sp'], [this.frame, 'frame'], [this.framePointer, 'frame_pointer'], [this.budget, 'budget']);
    return [...names, [this.#pc, 'pc'], [this.#reason, 'reason']];
  }

  // --- registers

  reg(r: number): void {
    this.w.get(this.#registers[r]);
  }

  setReg(r: number): void {
    this.w.set(this.#registers[r]);
  }

  regLo(r: number): void {
    this.reg(r);
    this.w.op(Wasm.i32WrapI64);
  }

  regHi(r: number): void {
    this.reg(r);
    this.w.i64(32);
    this.w.op(Wasm.i64ShrU, Wasm.i32WrapI64);
  }

  /** The low word's value into a register, its high word 0. */
  setLo(r: number): void {
    this.w.op(Wasm.i64ExtendI32U);
    this.setReg(r);
  }

  isConstant(s: number): boolean {
    return s >= REGISTER_WORDS;
  }

  lo(s: number): number {
    return this.code.registers[s];
  }

  hi(s: number): number {
    return this.code.registers[s + 1];
  }

  /** The 64-bit source operand. */
  source(s: number): void {
    if (this.isConstant(s)) this.w.i64(this.lo(s), this.hi(s));
    else this.reg(s / 2);
  }

  sourceLo(s: number): void {
    if (this.isConstant(s)) this.w.i32(this.lo(s));
    else this.regLo(s / 2);
  }

  keptLocal(keep: number): number {
    const local = this.#kept.get(keep);
    if (local === undefined) throw new TypeError(`no value ${keep} is kept`);
    return local;
  }

  /** Saves what later rotations will want. */
  keep(index: number): void {
    for (const { keep, register } of this.facts.kept.get(index) ?? []) {
      this.reg(register);
      this.w.set(this.keptLocal(keep));
    }
  }

  /** An offset on the stack becomes a pointer. */
  toPointer(): void {
    this.w.op(Wasm.i64ExtendI32U);
    this.w.i64(0, BPF_MEMORY_HI);
    this.w.op(Wasm.i64Or);
  }

  /** Number of the CPU, an i32 on the stack. */
  cpu(): void {
    if (this.runtime.cpus === 1) {
      this.w.i32(0);
      return;
    }
    this.plan.usesCpu = true;
    if (isAtHook(this)) this.w.get(EntryParam.cpuOrStack);
    else this.loadState(Wasm.i32Load, StateLayout.cpu);
  }

  /** Offset of the CPU's block, an i32 on the stack. */
  cpuBlock(): void {
    const { cpuBlocks, cpus } = this.runtime;
    if (cpus === 1) {
      this.w.i32(cpuBlocks);
      return;
    }
    this.cpu();
    this.w.i32(CpuBlock.stride);
    this.w.op(Wasm.i32Mul);
    this.w.i32(cpuBlocks);
    this.w.op(Wasm.i32Add);
  }

  // --- the program's state area

  loadState(code: number, field: number): void {
    this.w.i32(0);
    this.w.memory(code, this.plan.state + field);
  }

  /** After calls: the packet's windows stay as they are for the whole run. */
  reloadWindows(): void {
    this.#windows.read.reload();
    this.#windows.write.reload();
  }

  /** After a record has been closed: it must not be found in a window any more, here or in a caller. */
  forgetWindows(): void {
    const { read, write } = this.facts.windowSizes;
    const { state, subprogs } = this.plan;
    if (read.length === 0 && write.length === 0 && subprogs.size === 1) return;
    copyWindow(this.w, state + StateLayout.packetRead, state + StateLayout.readWindow);
    copyWindow(this.w, state + StateLayout.packetWrite, state + StateLayout.writeWindow);
    this.reloadWindows();
  }

  storeBudget(): void {
    if (!this.facts.counts) return;
    this.w.i32(0);
    this.w.get(this.budget);
    this.w.memory(Wasm.i64Store, this.plan.state + StateLayout.budget);
  }

  loadBudget(): void {
    if (!this.facts.counts) return;
    this.loadState(Wasm.i64Load, StateLayout.budget);
    this.w.set(this.budget);
  }

  /** Calls a function outside the module, its arguments on the stack. */
  callOutside(target: OutsideFunction): void {
    this.plan.needsRun = true;
    this.#callTable(target);
  }

  #callTable(target: OutsideFunction): void {
    this.w.i32(this.plan.program);
    this.w.i32(this.plan.uses.slotOf(target));
    this.w.callIndirect(this.plan.typeIndex(target.type));
  }

  // --- stopping

  /** Leaves for the fault exit, `nested` labels further in than the instruction. */
  stop(index: number, nested: number, reason: number = FaultReason.reported): void {
    this.#mayStop = true;
    this.plan.mayStop = true;
    this.w.i32(this.code.slots[index]);
    this.w.set(this.#pc);
    if (reason !== FaultReason.reported) {
      this.w.i32(reason);
      this.w.set(this.#reason);
    }
    this.w.br(this.depth + nested);
  }

  /** After a call that may have found a reason to stop. */
  stopIfReported(index: number): void {
    this.loadState(Wasm.i32Load, StateLayout.stopped);
    this.w.if();
    this.stop(index, 1);
    this.w.end();
  }

  // --- the function's frame

  /** Before the body: registers as the caller left them, the frame, the fault exit's label. */
  begin(): void {
    const { w } = this;
    this.loadBudget();
    if (this.isEntry) beginEntry(this);
    w.get(this.sp);
    this.toPointer();
    this.setReg(10);
    w.get(this.sp);
    w.i32(STACK_FRAME);
    w.op(Wasm.i32Sub);
    w.set(this.frame);
    this.reg(10);
    w.i64(STACK_FRAME);
    w.op(Wasm.i64Sub);
    w.set(this.framePointer);
    for (const window of Object.values(this.#windows)) window.reload();
    w.block();
  }

  /** Returns r0. */
  exit(): void {
    const { w } = this;
    this.storeBudget();
    if (this.isEntry) {
      if (!this.facts.returnsWord) leaveHighWord(this);
      this.regLo(0);
    } else this.reg(0);
    w.op(Wasm.return);
  }

  /** Behind the body: spills the registers and leaves the rest to the interpreter, or to nobody: `fault` throws. */
  end(): void {
    const { w } = this;
    w.end();
    if (!this.#mayStop) {
      w.op(Wasm.unreachable);
      return;
    }
    if (this.isEntry) noteEvent(this);
    this.storeBudget();
    for (let r = 0; r <= 10; r++) {
      w.i32(0);
      this.reg(r);
      w.memory(Wasm.i64Store, this.plan.state + StateLayout.registers + 8 * r);
    }
    w.get(this.#pc);
    w.get(this.#reason);
    this.#callTable(this.plan.outside.fault);
    this.loadBudget();
    this.loadState(Wasm.i64Load, StateLayout.registers);
    this.setReg(0);
    this.exit();
    w.op(Wasm.unreachable);
  }

  // --- windows

  window(kind: WindowKind): Window {
    return this.#windows[kind];
  }
}

/** Base and length of a window become those of another. */
function copyWindow(w: FunctionWriter, from: number, to: number): void {
  for (const field of [0, 8]) {
    w.i32(0);
    w.i32(0);
    w.memory(Wasm.i64Load, from + field);
    w.memory(Wasm.i64Store, to + field);
  }
}
