import { PtRegs, x86PtRegs } from '../../../arch/index.js';
import { hi32, lo32, u64 } from '../../../base/index.js';
import { type CpuDevices, type CpuState, Reg } from '../cpu/cpu-state.js';
import { PhysicalMemory } from '../cpu/physical-memory.js';
import { X86Cpu } from '../cpu/x86-cpu.js';
import type { EncodedSimImage } from '../sim-image.js';
import { decodeBase64 } from '../sim-image.js';
import { type BootParams, type ExecRange, loadImage } from './boot-loader.js';
import { SeededRandom } from './seeded-random.js';
import { SimDisk } from './sim-disk.js';
import { SimJournal } from './sim-journal.js';
import { runHypercall } from './hypercalls.js';

/** Interrupt vectors of the machine's devices. */
export const DeviceVector = { BLOCK: 0x30, TIMER: 0xec, SAMPLE: 0xef } as const;

const SLICE_MIN = 40;
const SLICE_SPREAD = 200;

/** Why `run` came back. */
export type StopReason =
  /** init has exited: HC_IDLE_ALL. */
  | 'finished'
  /** The kernel or a CPU gave up; see `oops`. */
  | 'oops'
  | 'instructions'
  | 'time'
  | 'until'
  /** All CPUs sleep and nothing will wake them. */
  | 'stalled';

export interface RunLimits {
  /** Most instructions to execute. */
  readonly instructions?: number;
  /** Most virtual nanoseconds to pass. */
  readonly ns?: number;
  /** Asked between slices. */
  readonly until?: () => boolean;
}

/** The end of a kernel. */
export interface MachineOops {
  readonly reason: string;
  readonly cpu: number;
  /** Virtual nanoseconds since boot. */
  readonly time: number;
  /** A copy of the registers, null where the kernel gave none. */
  readonly regs: PtRegs | null;
}

/** Those outside the machine who are told of traps, tracepoints, samples, ended tasks. All run with the CPU stopped. */
export interface MachineObservers {
  tracepoint: ((index: number, lo: number, hi: number, count: number, cpu: number) => void) | null;
  trap: ((kind: number, lo: number, hi: number, cpu: number) => boolean) | null;
  sample: ((lo: number, hi: number, cpu: number) => void) | null;
  taskDead: ((lo: number, hi: number) => void) | null;
  /** A task with a copy of the current task's memory was made; its pid. */
  fork: ((pid: number) => void) | null;
  /** The current task, of the process `tgid`, begins to exit. */
  leave: ((tgid: number) => void) | null;
}

/** Memory that the kernel is not told of: patched copies of user pages. */
const HIDDEN_BYTES = 1 << 20;

export interface MachineOptions extends BootParams {
  readonly memoryBytes: number;
  /** Pages for displaced instructions. */
  readonly exec: ExecRange;
  /** Virtual nanoseconds an instruction takes. */
  readonly nsPerInsn: number;
  /** What is written over the image's disk before boot. */
  readonly files: readonly { readonly sector: number; readonly bytes: Uint8Array }[];
}

/** A periodic interruption of one CPU's running time. */
interface Sampler {
  readonly cpu: number;
  readonly period: number;
  left: number;
  readonly onPeriod: () => void;
}

/**
 * N CPUs, memory, disk, timers, one virtual clock. CPUs take turns in slices of seeded length; every
 * instruction moves the clock on, and when all CPUs sleep it jumps to the next event. Time is counted in
 * whole nanoseconds since boot as a JavaScript integer (good for a hundred days).
 */
export class SimMachine implements CpuDevices {
  readonly physical: PhysicalMemory;
  readonly cpus: readonly X86Cpu[];
  readonly journal = new SimJournal();
  readonly disk: SimDisk;
  readonly random: SeededRandom;
  readonly observers: MachineObservers = {
    tracepoint: null,
    trap: null,
    sample: null,
    taskDead: null,
    fork: null,
    leave: null,
  };
  /** Tags of requests that are done, by the CPU that queued them. */
  readonly completed: { lo: number; hi: number }[][];
  console = '';
  oops: MachineOops | null = null;
  finished = false;
  /** Instructions executed since boot. */
  executed = 0;
  /** CPU whose slice is running. */
  currentCpu = 0;
  readonly #nsPerInsn: number;
  readonly #slices: SeededRandom;
  readonly #timers: number[];
  readonly #samplers = new Set<Sampler>();
  /** Time at the start of the running slice. */
  #now = 0;
  /** Instructions given to the CPU that is running, 0 between runs of it. */
  #slice = 0;
  /** Instructions left of the slice that began; 0: it is over. */
  #planned = 0;
  /** Time that the slice has taken so far. */
  #slicePassed = 0;
  #next = 0;

  constructor(image: EncodedSimImage, options: MachineOptions) {
    this.physical = new PhysicalMemory(options.memoryBytes, HIDDEN_BYTES);
    this.random = new SeededRandom(options.seed);
    this.#slices = new SeededRandom(options.seed ^ 0x51ce_5eedn);
    this.disk = new SimDisk(this.physical, Number(options.diskSectors), new SeededRandom(options.seed ^ 0xd15cn));
    this.#nsPerInsn = options.nsPerInsn;
    for (const { sector, bytes } of image.disk) this.disk.load(sector, decodeBase64(bytes));
    for (const { sector, bytes } of options.files) this.disk.load(sector, bytes);
    const boot = loadImage(this.physical, image, options.exec, options);
    this.cpus = Array.from({ length: options.cpus }, (_, n) => this.#startCpu(n, image.entry, boot.root, boot.params));
    this.#timers = this.cpus.map(() => Infinity);
    this.completed = this.cpus.map(() => []);
  }

  /** Virtual nanoseconds since boot, exact within a slice. */
  get now(): number {
    if (this.#slice === 0) return this.#now;
    const done = this.#slice - this.cpus[this.currentCpu].remaining;
    return this.#now + done * this.#nsPerInsn;
  }

  /** True while a CPU executes, which is when handlers are called. */
  get running(): boolean {
    return this.#slice !== 0;
  }

  run(limits: RunLimits = {}): StopReason {
    const last = this.executed + (limits.instructions ?? Infinity);
    const end = this.#now + (limits.ns ?? Infinity);
    for (;;) {
      if (this.oops !== null) return 'oops';
      if (this.finished) return 'finished';
      if (limits.until?.() === true) return 'until';
      if (this.executed >= last) return 'instructions';
      if (this.#now >= end) return 'time';
      if (this.#planned > 0 || this.#beginSlice(end)) {
        this.#runSlice(Math.min(last - this.executed, Math.ceil((end - this.#now) / this.#nsPerInsn)));
      } else if (this.#nextEvent() === Infinity) return 'stalled';
    }
  }

  /** Sets the one-shot timer of a CPU; Infinity: off. */
  setTimer(cpu: number, deadline: number): void {
    this.#timers[cpu] = deadline;
    // The running slice may now be too long.
    this.cpus[this.currentCpu].leave();
  }

  /**
   * Interrupts `cpu` after each `period` nanoseconds during which it did not sleep; `onPeriod` is called when the
   * interrupt is raised. Returns what stops it.
   */
  addSampler(cpu: number, period: number, onPeriod: () => void): () => void {
    const sampler: Sampler = { cpu, period, left: period, onPeriod };
    this.#samplers.add(sampler);
    return () => this.#samplers.delete(sampler);
  }

  /** Makes every CPU ask again where addresses lie, for its next instruction on. */
  retranslate(): void {
    for (const cpu of this.cpus) {
      cpu.mmu.flush();
      cpu.leavePage();
    }
  }

  /** Ends the run in progress after the current instruction. */
  stopSlice(): void {
    this.cpus[this.currentCpu].leave();
  }

  hypercall(cpu: CpuState): void {
    runHypercall(this, cpu as X86Cpu);
  }

  timestamp(cpu: CpuState, d: number): void {
    const now = this.now;
    cpu.r[d] = now | 0;
    cpu.r[d + 1] = Math.floor(now / 0x1_0000_0000);
  }

  /** Records the end of the kernel; `regs` is copied. */
  giveUp(reason: string, cpu: number, regs: PtRegs | null): void {
    if (this.oops !== null) return;
    const copy = regs === null ? null : new PtRegs(x86PtRegs);
    if (regs !== null && copy !== null) regs.copyTo(copy.words, 0);
    this.oops = { reason, cpu, time: this.now, regs: copy };
    this.stopSlice();
  }

  #startCpu(n: number, entry: bigint, root: number, params: bigint): X86Cpu {
    const cpu = new X86Cpu(n, this.physical, this);
    cpu.mmu.cr3 = root;
    cpu.cr[6] = root;
    cpu.ipLo = lo32(entry);
    cpu.ipHi = hi32(entry);
    cpu.r[Reg.DI] = n;
    cpu.r[Reg.SI] = lo32(params);
    cpu.r[Reg.SI + 1] = hi32(params);
    return cpu;
  }

  /** The next CPU in turn that has something to do. */
  #pickCpu(): X86Cpu | null {
    const count = this.cpus.length;
    for (let i = 0; i < count; i++) {
      const cpu = this.cpus[(this.#next + i) % count];
      if (cpu.idle) continue;
      this.#next = (this.#next + i + 1) % count;
      return cpu;
    }
    return null;
  }

  /** Gives the next CPU its turn. False if all sleep: then the clock has moved to the next event, or to `end`. */
  #beginSlice(end: number): boolean {
    this.#fireDue();
    const cpu = this.#pickCpu();
    if (cpu !== null) {
      this.#planSlice(cpu);
      return true;
    }
    const due = this.#nextEvent();
    if (due !== Infinity) this.#now = Math.min(due, end);
    return false;
  }

  /** A new slice, as long as chance and the next event allow. */
  #planSlice(cpu: X86Cpu): void {
    const untilEvent = Math.ceil((this.#nextEvent() - this.#now) / this.#nsPerInsn);
    this.#planned = Math.max(1, Math.min(SLICE_MIN + this.#slices.below(SLICE_SPREAD), untilEvent));
    this.#slicePassed = 0;
    this.currentCpu = cpu.number;
  }

  /** Runs the planned slice, or as much of it as `limit` allows: the rest is then kept for the next run. */
  #runSlice(limit: number): void {
    const cpu = this.cpus[this.currentCpu];
    this.#slice = Math.max(1, Math.min(this.#planned, limit));
    const done = cpu.run(this.#slice);
    const passed = done * this.#nsPerInsn;
    this.#slice = 0;
    this.executed += done;
    this.#now += passed;
    this.#slicePassed += passed;
    this.#planned = cpu.leaving || cpu.shutdown !== null ? 0 : this.#planned - done;
    if (this.#planned === 0 && this.#samplers.size > 0) this.#countSamplers(this.#slicePassed);
    if (cpu.shutdown === null) return;
    const { vector, error } = cpu.shutdown;
    const reason = `triple fault: exception ${vector}, error code 0x${error.toString(16)}`;
    this.giveUp(reason, cpu.number, this.#registersOf(cpu));
  }

  #countSamplers(passed: number): void {
    for (const sampler of this.#samplers) {
      const cpu = this.cpus[sampler.cpu];
      if (cpu.idle && sampler.cpu !== this.currentCpu) continue;
      sampler.left -= passed;
      if (sampler.left > 0) continue;
      sampler.left += sampler.period;
      sampler.onPeriod();
      cpu.raiseInterrupt(DeviceVector.SAMPLE);
    }
  }

  #nextEvent(): number {
    return Math.min(this.disk.nextDue, ...this.#timers);
  }

  #fireDue(): void {
    for (let n = 0; n < this.#timers.length; n++) {
      if (this.#timers[n] > this.#now) continue;
      this.#timers[n] = Infinity;
      this.cpus[n].raiseInterrupt(DeviceVector.TIMER);
    }
    for (let done = this.disk.complete(this.#now); done !== undefined; done = this.disk.complete(this.#now)) {
      this.completed[done.cpu].push(done.tag);
      this.cpus[done.cpu].raiseInterrupt(DeviceVector.BLOCK);
    }
  }

  /** Registers of a CPU that stopped where no handler could save them. */
  #registersOf(cpu: X86Cpu): PtRegs {
    const regs = new PtRegs(x86PtRegs);
    const order = [15, 14, 13, 12, 5, 3, 11, 10, 9, 8, 0, 1, 2, 6, 7];
    order.forEach((n, slot) => regs.set(slot, cpu.r[2 * n], cpu.r[2 * n + 1]));
    regs.put(x86PtRegs.ip, u64(cpu.ipLo, cpu.ipHi));
    regs.set(x86PtRegs.sp, cpu.r[Reg.SP], cpu.r[Reg.SP + 1]);
    return regs;
  }
}
