import { MAX_INSN_LENGTH, decodeInsn } from '../../../arch/x86/decode.js';
import { X86Insn } from '../../../arch/x86/insn.js';
import { buildOp } from './build-op.js';
import { type CpuFault, Vector } from './cpu-fault.js';
import { type CpuDevices, CpuState, Flag } from './cpu-state.js';
import { type EventSource, enterGate } from './exceptions.js';
import { Op } from './op.js';
import type { PhysicalMemory } from './physical-memory.js';
import { runUndefined } from './control.js';

/**
 * Sees the address of every instruction after it ran (one that faulted and runs again counts once): a record of
 * what was executed that owes nothing to probes.
 */
export type InsnTrace = (cpu: X86Cpu, lo: number, hi: number) => void;

/** Vectors waiting for IF, one bit each. */
const PENDING_WORDS = 8;

/** An x86_64 processor in long mode that executes the subset described in docs/simulator.md. */
export class X86Cpu extends CpuState {
  /** Set when an exception could not be delivered even as #DF: the processor has stopped for good. */
  shutdown: { vector: number; error: number } | null = null;
  /** Null: no cost. */
  trace: InsnTrace | null = null;
  /** Called for each exception before it goes through the IDT; for tests and diagnostics. */
  onException: ((cpu: X86Cpu, vector: number, error: number) => void) | null = null;
  readonly #physical: PhysicalMemory;
  readonly #pending = new Int32Array(PENDING_WORDS);
  #hasPending = false;
  #ops: (Op | null)[] = [];
  readonly #insn = new X86Insn();
  readonly #window = new Uint8Array(MAX_INSN_LENGTH);

  constructor(number: number, physical: PhysicalMemory, devices: CpuDevices) {
    super(number, physical, devices);
    this.#physical = physical;
  }

  /** Asserts an interrupt line; it is taken when IF is set and wakes the CPU from hlt. */
  raiseInterrupt(vector: number): void {
    this.#pending[vector >> 5] = this.#pending[vector >> 5] | (1 << (vector & 31));
    this.#hasPending = true;
    this.reconsider();
  }

  /** True while an interrupt waits. */
  get interruptPending(): boolean {
    return this.#hasPending;
  }

  /** Asleep in hlt, with nothing that would wake it. */
  get idle(): boolean {
    return this.halted && !(this.#hasPending && (this.sys & Flag.IF) !== 0);
  }

  /** Executes up to `count` instructions and returns how many were. Less than `count`: halted, left, or shut down. */
  run(count: number): number {
    this.budget = count;
    this.unused = 0;
    this.leaving = false;
    while (this.shutdown === null) {
      if (this.budget === 0) {
        if (this.unused === 0 || this.leaving) break;
        this.budget = this.unused;
        this.unused = 0;
      }
      if (this.#hasPending && (this.sys & Flag.IF) !== 0 && !this.shadow) this.#takeInterrupt();
      if (this.halted) break;
      if (this.shadow || this.trace !== null || (this.sys & Flag.TF) !== 0) this.#stepOne();
      else this.#guarded();
    }
    const left = this.budget + this.unused;
    this.budget = this.unused = 0;
    return count - left;
  }

  /** Instructions of the running slice that have not been executed yet. */
  get remaining(): number {
    return this.budget + this.unused;
  }

  /** Exactly one instruction, then #DB if TF was set before it and it did not fault. */
  #stepOne(): void {
    const trap = (this.sys & Flag.TF) !== 0;
    this.shadow = false;
    this.unused += this.budget - 1;
    this.budget = 1;
    const { ipLo, ipHi } = this;
    const completed = this.#guarded();
    if (completed || this.fault.software) this.trace?.(this, ipLo, ipHi);
    if (completed && trap) this.#deliver(Vector.DB, 0, 'exception');
  }

  /** Runs the loop and turns a fault into an exception. True if no fault occurred. */
  #guarded(): boolean {
    try {
      this.#loop();
      return true;
    } catch (thrown) {
      const fault = this.fault;
      if (thrown !== fault) throw thrown;
      this.#takeFault(fault);
      return false;
    }
  }

  #takeFault(fault: CpuFault): void {
    const { vector, error, software } = fault;
    if (!software) {
      this.ipLo = this.startLo;
      this.ipHi = this.startHi;
    }
    this.#notePageFault(fault);
    this.#deliver(vector, error, software ? 'software' : 'exception');
  }

  #notePageFault(fault: CpuFault): void {
    if (fault.vector !== Vector.PF) return;
    this.cr[4] = fault.addressLo;
    this.cr[5] = fault.addressHi;
  }

  #takeInterrupt(): void {
    for (let word = PENDING_WORDS - 1; word >= 0; word--) {
      const bits = this.#pending[word];
      if (bits === 0) continue;
      const vector = word * 32 + 31 - Math.clz32(bits);
      this.#pending[word] = bits & ~(1 << (vector & 31));
      this.#hasPending = this.#pending.some((rest) => rest !== 0);
      this.halted = false;
      this.#deliver(vector, 0, 'interrupt');
      return;
    }
  }

  /** Enters the handler; a fault on the way becomes #DF, a fault on the way to that stops the processor. */
  #deliver(vector: number, error: number, source: EventSource): void {
    if (source === 'exception') this.onException?.(this, vector, error);
    try {
      enterGate(this, vector, error, source);
      return;
    } catch (thrown) {
      if (thrown !== this.fault) throw thrown;
      this.#notePageFault(this.fault);
    }
    if (source === 'software') return this.#deliverSoftwareFailure();
    try {
      enterGate(this, Vector.DF, 0, 'exception');
    } catch (thrown) {
      if (thrown !== this.fault) throw thrown;
      this.shutdown = { vector, error };
      this.reconsider();
    }
  }

  /** int n through a gate that refuses it: the fault belongs to the int instruction itself. */
  #deliverSoftwareFailure(): void {
    this.ipLo = this.startLo;
    this.ipHi = this.startHi;
    this.#deliver(this.fault.vector, this.fault.error, 'exception');
  }

  #loop(): void {
    while (this.budget > 0) {
      this.budget--;
      const lo = this.ipLo;
      this.startLo = lo;
      this.startHi = this.ipHi;
      if ((lo & ~0xfff) !== this.pageLo || this.ipHi !== this.pageHi) this.#enterPage(lo);
      const op = this.#ops[lo & 0xfff] ?? this.#decode(lo);
      const next = (lo + op.length) | 0;
      this.ipLo = next;
      if (next >>> 0 < lo >>> 0) this.ipHi = (this.ipHi + 1) | 0;
      op.run(this, op);
    }
  }

  #enterPage(lo: number): void {
    const physical = this.mmu.executable(lo, this.ipHi);
    this.#ops = this.#physical.decodedPage(physical >>> 12);
    this.pageLo = lo & ~0xfff;
    this.pageHi = this.ipHi;
  }

  /** Decodes the instruction at rip; one that crosses into the next page is never kept. */
  #decode(lo: number): Op {
    const hi = this.ipHi;
    const first = this.mmu.executable(lo, hi);
    const { bytes } = this.#physical;
    const room = 0x1000 - (lo & 0xfff);
    if (room >= MAX_INSN_LENGTH) return this.#keep(lo, first, this.#build(bytes, first));
    this.#window.set(bytes.subarray(first, first + room));
    const short = decodeInsn(this.#window.subarray(0, room), 0, this.#insn);
    if (short !== null) return this.#keep(lo, first, buildOp(short));
    const nextLo = (lo + room) | 0;
    const second = this.mmu.executable(nextLo, nextLo === 0 ? (hi + 1) | 0 : hi);
    this.#window.set(bytes.subarray(second, second + MAX_INSN_LENGTH - room), room);
    return this.#build(this.#window, 0) ?? undefinedOp;
  }

  #build(bytes: Uint8Array, at: number): Op | null {
    const insn = decodeInsn(bytes, at, this.#insn);
    return insn === null ? null : buildOp(insn);
  }

  #keep(lo: number, physical: number, op: Op | null): Op {
    const kept = op ?? undefinedOp;
    this.#physical.code[physical >>> 12] = 1;
    this.#ops[lo & 0xfff] = kept;
    return kept;
  }
}

const undefinedOp = new Op();
undefinedOp.run = runUndefined;
