import { type PtRegs, x86PtRegs } from '../../arch/index.js';
import { hi32, lo32, u64 } from '../../base/index.js';
import type { HostStacks } from '../host.js';
import { Reg } from './cpu/cpu-state.js';
import type { KernelLayout } from './kernel-layout.js';
import type { SimMachine } from './machine/sim-machine.js';
import type { SimMemory } from './sim-memory.js';
import type { SimTasks } from './sim-tasks.js';

/** The kernel's stack size; docs/simulator.md. */
const THREAD_SIZE = 16_384;
/** Where `struct inactive_task_frame` has the frame pointer and the return address of a task that is not running. */
const SAVED_RBP = 40;
const SAVED_RETURN = 48;
/** What Linux keeps in .sched.text, of the functions that there are. */
const SCHEDULER = ['__schedule', 'schedule', 'schedule_timeout', 'io_schedule', 'preempt_schedule_irq'];
const SCHEDULER_FRAMES = 8;
const PUSH_RBP = 0x55;
const FRAME = new Uint8Array(16);
const FRAME_WORDS = new DataView(FRAME.buffer);

/** Walks along rbp: kernel and programs are compiled with frame pointers throughout. */
export class SimStacks implements HostStacks {
  readonly #machine: SimMachine;
  readonly #memory: SimMemory;
  readonly #tasks: SimTasks;
  readonly #layout: KernelLayout;
  readonly #stackAt: number;
  readonly #mmAt: number;
  readonly #spAt: number;
  readonly #onCpuAt: number;
  readonly #pair = new Int32Array(2);

  constructor(machine: SimMachine, memory: SimMemory, tasks: SimTasks, layout: KernelLayout) {
    this.#machine = machine;
    this.#memory = memory;
    this.#tasks = tasks;
    this.#layout = layout;
    this.#stackAt = layout.offset('task_struct', 'stack');
    this.#mmAt = layout.offset('task_struct', 'mm');
    this.#spAt = layout.offset('task_struct', 'thread.sp');
    this.#onCpuAt = layout.offset('task_struct', 'on_cpu');
  }

  kernel(regs: PtRegs | null, out: Int32Array, max: number): number {
    if (max <= 0) return 0;
    if (regs === null) return this.#fromTracepoint(out, max);
    const ipHi = regs.hi(x86PtRegs.ip);
    if (ipHi >= 0) return 0;
    out[0] = regs.lo(x86PtRegs.ip);
    out[1] = ipHi;
    const found = this.#callerBeforeFrame(regs, out, max);
    return this.#walk(regs.lo(x86PtRegs.fp), regs.hi(x86PtRegs.fp), out, found, max, false);
  }

  kernelOf(taskLo: number, taskHi: number, out: Int32Array, max: number): number {
    const pair = this.#pair;
    if (max <= 0 || !this.#memory.pair(taskLo, taskHi, this.#spAt, pair, 0)) return 0;
    if (this.#memory.word((taskLo + this.#onCpuAt) | 0, taskHi) !== 0) return 0;
    const [sp, spHi] = [pair[0], pair[1]];
    if (spHi >= 0 || !this.#memory.pair(sp, spHi, SAVED_RETURN, pair, 0)) return 0;
    const raw = new Int32Array(2 * (max + SCHEDULER_FRAMES));
    raw.set(pair);
    if (!this.#memory.pair(sp, spHi, SAVED_RBP, pair, 0)) return 0;
    const found = this.#walk(pair[0], pair[1], raw, 1, max + SCHEDULER_FRAMES, false);
    return this.#withoutScheduler(raw, found, out, max);
  }

  #withoutScheduler(raw: Int32Array, found: number, out: Int32Array, max: number): number {
    let count = 0;
    for (let i = 0; i < found && count < max; i++) {
      const name = this.#layout.symbols.at(u64(raw[2 * i], raw[2 * i + 1]))?.name;
      if (name !== undefined && SCHEDULER.includes(name)) continue;
      out[2 * count] = raw[2 * i];
      out[2 * count + 1] = raw[2 * i + 1];
      count++;
    }
    return count;
  }

  user(regs: PtRegs | null, out: Int32Array, max: number): number {
    if (max <= 0) return 0;
    if (regs !== null && regs.hi(x86PtRegs.ip) >= 0) {
      out[0] = regs.lo(x86PtRegs.ip);
      out[1] = regs.hi(x86PtRegs.ip);
      const found = this.#userCallerBeforeFrame(regs, out, max);
      return this.#walk(regs.lo(x86PtRegs.fp), regs.hi(x86PtRegs.fp), out, found, max, true);
    }
    return this.#userOfCurrent(out, max);
  }

  /** In a tracepoint the CPU is in `__traceiter_*`: its caller is the point where the event happened. */
  #fromTracepoint(out: Int32Array, max: number): number {
    const { r } = this.#machine.cpus[this.#machine.currentCpu];
    return this.#walk(r[Reg.BP], r[Reg.BP + 1], out, 0, max, false);
  }

  /** At a function's first instructions its caller is not yet reached through rbp: it is on top of the stack. */
  #callerBeforeFrame(regs: PtRegs, out: Int32Array, max: number): number {
    const ip = u64(regs.lo(x86PtRegs.ip), regs.hi(x86PtRegs.ip));
    const symbol = this.#layout.symbols.at(ip);
    const into = symbol === undefined ? 2n : ip - symbol.address;
    if (symbol === undefined || into > 1n || max < 2) return 1;
    // push rbp is one byte long: before it the return address is on top, after it below the saved rbp. A breakpoint
    // in its place has not pushed anything.
    const pushed = into === 1n && (this.#memory.word(lo32(symbol.address), hi32(symbol.address)) & 0xff) === PUSH_RBP;
    const ok = this.#memory.pair(regs.lo(x86PtRegs.sp), regs.hi(x86PtRegs.sp), pushed ? 8 : 0, this.#pair, 0);
    if (!ok || this.#pair[1] >= 0) return 1;
    out.set(this.#pair, 2);
    return 2;
  }

  /** The same in user mode, as Linux finds the caller of a function that has a uprobe: push rbp has not run yet. */
  #userCallerBeforeFrame(regs: PtRegs, out: Int32Array, max: number): number {
    const at = [regs.lo(x86PtRegs.ip), regs.hi(x86PtRegs.ip)] as const;
    if (max < 2 || !this.#memory.readUser(at[0], at[1], FRAME, 0, 1) || FRAME[0] !== PUSH_RBP) return 1;
    if (!this.#memory.readUser(regs.lo(x86PtRegs.sp), regs.hi(x86PtRegs.sp), FRAME, 0, 8)) return 1;
    out[2] = FRAME_WORDS.getInt32(0, true);
    out[3] = FRAME_WORDS.getInt32(4, true);
    return 2;
  }

  #userOfCurrent(out: Int32Array, max: number): number {
    const pair = this.#pair;
    this.#tasks.current(pair);
    const [lo, hi] = [pair[0], pair[1]];
    if (!this.#memory.pair(lo, hi, this.#mmAt, pair, 0) || (pair[0] === 0 && pair[1] === 0)) return 0;
    if (!this.#memory.pair(lo, hi, this.#stackAt, pair, 0)) return 0;
    const regs = u64(pair[0], pair[1]) + BigInt(THREAD_SIZE - x86PtRegs.size);
    const [regsLo, regsHi] = [lo32(regs), hi32(regs)];
    this.#memory.pair(regsLo, regsHi, 8 * x86PtRegs.ip, pair, 0);
    if (pair[1] < 0 || (pair[0] === 0 && pair[1] === 0)) return 0;
    out.set(pair, 0);
    this.#memory.pair(regsLo, regsHi, 8 * x86PtRegs.fp, pair, 0);
    return this.#walk(pair[0], pair[1], out, 1, max, true);
  }

  /** Follows saved frame pointers upwards until one leads nowhere. Returns how many addresses `out` holds. */
  #walk(startLo: number, startHi: number, out: Int32Array, start: number, max: number, user: boolean): number {
    let lo = startLo;
    let hi = startHi;
    let count = start;
    while (count < max && (lo !== 0 || hi !== 0) && (lo & 7) === 0) {
      const ok = user ? this.#memory.readUser(lo, hi, FRAME, 0, 16) : this.#memory.readKernel(lo, hi, FRAME, 0, 16);
      const retLo = FRAME_WORDS.getInt32(8, true);
      const retHi = FRAME_WORDS.getInt32(12, true);
      if (!ok || retHi >= 0 !== user || (retLo === 0 && retHi === 0)) break;
      out[2 * count] = retLo;
      out[2 * count + 1] = retHi;
      count++;
      const nextLo = FRAME_WORDS.getInt32(0, true);
      const nextHi = FRAME_WORDS.getInt32(4, true);
      // Frames lie ever higher; anything else is no frame.
      if (nextHi !== hi ? nextHi >>> 0 < hi >>> 0 : nextLo >>> 0 <= lo >>> 0) break;
      lo = nextLo;
      hi = nextHi;
    }
    return count;
  }
}
