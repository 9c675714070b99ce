import type { Arch, InsnMemory, PtRegs } from '../arch/index.js';
import { hi32, lo32 } from '../base/index.js';
import type { Host, HostMemory, TrapFrame } from '../host/index.js';
import { AddressTable } from './address-table.js';
import type { Kprobe } from './kprobe.js';
import type { KprobePoint } from './kprobe-point.js';
import { TrapCpu } from './trap-cpu.js';

/** Takes the trap at the return trampoline. */
export type ReturnHandler = (frame: TrapFrame) => boolean;

/**
 * The way of a trap: breakpoint -> point -> pre handlers -> the displaced instruction, simulated or run in its
 * slot up to the breakpoint there -> post handlers -> resume. Nothing here allocates.
 */
export class KprobeTraps {
  readonly points = new AddressTable<KprobePoint>();
  /** Points by the address of the breakpoint in their slot. */
  readonly slotEnds = new AddressTable<KprobePoint>();
  /** Memory of the trapped kernel context. */
  readonly memory: InsnMemory;
  /** Set by the kretprobe registry. */
  returnHandler: ReturnHandler | null = null;
  /** Whether returns are out that `returnHandler` must take; set by the kretprobe registry. */
  returnsPending: () => boolean = () => false;
  /** Told when a point without probes has no hit in flight any more. */
  onDrained: (point: KprobePoint) => void = () => {};
  /** Handlers under way, of all CPUs: meanwhile the host cannot be asked to drain its traps. */
  handlers = 0;
  /** Another number whenever the registers of the hit at hand may differ from those that a handler saw before. */
  generation = 0;
  readonly #arch: Arch;
  readonly #cpus: readonly TrapCpu[];
  readonly #trampolineLo: number;
  readonly #trampolineHi: number;
  readonly #scratch: Uint8Array;

  constructor(host: Host) {
    this.#arch = host.arch;
    this.memory = kernelInsnMemory(host.memory);
    this.#cpus = Array.from({ length: host.cpus }, () => new TrapCpu());
    const trampoline = host.text?.returnTrampoline ?? 0n;
    this.#trampolineLo = lo32(trampoline);
    this.#trampolineHi = hi32(trampoline);
    this.#scratch = new Uint8Array(host.arch.probing.maxInsnLength);
  }

  /** Whether no trap can come that somebody must take: no probes, no hits or followed calls under way. */
  get idle(): boolean {
    return this.points.empty && !this.returnsPending();
  }

  /** Takes the host's traps. */
  readonly handle = (frame: TrapFrame): boolean => {
    if (frame.user) return false;
    const { regs } = frame;
    const { ip } = regs.layout;
    if (frame.kind === 'fault') return this.#faulted(frame, regs.lo(ip), regs.hi(ip));
    if (frame.kind !== 'breakpoint') return false;
    const bias = this.#arch.probing.trapPcBias;
    const pcLo = regs.lo(ip);
    const lo = (pcLo - bias) | 0;
    const hi = pcLo >>> 0 < bias ? (regs.hi(ip) - 1) | 0 : regs.hi(ip);
    const point = this.points.find(lo, hi);
    if (point !== undefined && point.armed) return this.#hit(frame, point);
    const stepped = this.slotEnds.find(lo, hi);
    if (stepped !== undefined) return this.#stepped(frame, stepped);
    if (lo === this.#trampolineLo && hi === this.#trampolineHi) return this.#returned(frame);
    return this.#retry(regs, lo, hi);
  };

  #hit(frame: TrapFrame, point: KprobePoint): boolean {
    const cpu = this.#cpus[frame.cpu];
    point.inFlight++;
    if (cpu.busy) {
      point.missRecursion();
      return this.#step(frame, point, cpu, true);
    }
    cpu.busy = true;
    this.generation++;
    if (!this.#runPreHandlers(point, frame, cpu)) return this.#step(frame, point, cpu, false);
    cpu.busy = false;
    this.#leave(point);
    return true;
  }

  /** True if a handler sent the pc elsewhere. */
  #runPreHandlers(point: KprobePoint, frame: TrapFrame, cpu: TrapCpu): boolean {
    // Probes added by a handler wait for the next hit; those removed by one are not called any more.
    const { probes } = point;
    this.handlers++;
    try {
      for (let i = 0; i < probes.length; i++) {
        if (!this.#runPreHandler(probes[i], frame)) continue;
        missRest(probes, i + 1);
        return true;
      }
      return false;
    } catch (error) {
      // The exception goes to the host, but the CPU must not stay busy for ever.
      cpu.busy = false;
      this.#leave(point);
      throw error;
    } finally {
      this.handlers--;
    }
  }

  #runPreHandler(probe: Kprobe, frame: TrapFrame): boolean {
    if (!probe.enabled || !probe.registered) return false;
    probe.nhit++;
    if (probe.preHandler === null) return false;
    const redirected = (probe.preHandler(probe, frame.regs, frame.cpu) ?? 0) !== 0;
    if (!probe.readsOnly) this.generation++;
    return redirected;
  }

  /** Executes the displaced instruction, or begins to. */
  #step(frame: TrapFrame, point: KprobePoint, cpu: TrapCpu, nested: boolean): boolean {
    const { regs } = frame;
    const { plan, slot } = point;
    // Where simulating faults, the CPU meets the fault in the slot; without one the host finds an unhandled trap.
    if (plan.kind === 'simulate') {
      const done = plan.simulate(regs, this.memory);
      if (done || slot === null) return this.#complete(frame, point, cpu, nested, done);
    }
    const interrupts = this.#arch.probing.maskInterrupts(regs);
    if (slot !== null && cpu.pushStep(point, interrupts, nested)) {
      regs.set(regs.layout.ip, slot.lo, slot.hi);
      return true;
    }
    this.#arch.probing.restoreInterrupts(regs, interrupts);
    return this.#complete(frame, point, cpu, nested, false);
  }

  /** The breakpoint at the end of a slot. */
  #stepped(frame: TrapFrame, point: KprobePoint): boolean {
    const cpu = this.#cpus[frame.cpu];
    const { step } = cpu;
    if (step?.point !== point) return false;
    cpu.popStep();
    this.#arch.probing.restoreInterrupts(frame.regs, step.interrupts);
    frame.regs.set(frame.regs.layout.ip, point.nextLo, point.nextHi);
    return this.#complete(frame, point, cpu, step.nested, true);
  }

  /** A memory fault in a slot becomes one at the probed instruction, which will be hit again if it is retried. */
  #faulted(frame: TrapFrame, lo: number, hi: number): boolean {
    const cpu = this.#cpus[frame.cpu];
    const { step } = cpu;
    const point = step?.point;
    if (step === undefined || point?.slot?.lo !== lo || point.slot.hi !== hi) return false;
    cpu.popStep();
    this.#arch.probing.restoreInterrupts(frame.regs, step.interrupts);
    frame.regs.set(frame.regs.layout.ip, point.lo, point.hi);
    if (!step.nested) cpu.busy = false;
    this.#leave(point);
    return true;
  }

  /** The hit is over. `done`: the displaced instruction was executed. */
  #complete(frame: TrapFrame, point: KprobePoint, cpu: TrapCpu, nested: boolean, done: boolean): boolean {
    this.handlers++;
    try {
      if (done && !nested) point.runPostHandlers(frame.regs, frame.cpu);
    } finally {
      this.handlers--;
      if (!nested) cpu.busy = false;
      this.#leave(point);
    }
    return done;
  }

  #returned(frame: TrapFrame): boolean {
    if (this.returnHandler === null) return false;
    const cpu = this.#cpus[frame.cpu];
    const outer = cpu.busy;
    cpu.busy = true;
    this.generation++;
    this.handlers++;
    try {
      return this.returnHandler(frame);
    } finally {
      this.handlers--;
      cpu.busy = outer;
    }
  }

  #leave(point: KprobePoint): void {
    point.inFlight--;
    if (point.inFlight === 0 && point.probes.length === 0) this.onDrained(point);
  }

  /**
   * A trap that belongs to no probe. If no breakpoint stands there any more, it was one of ours, removed after
   * the CPU had met it: the instruction is executed anew. Otherwise it is somebody else's.
   */
  #retry(regs: PtRegs, lo: number, hi: number): boolean {
    const { minInsnLength, maxInsnLength } = this.#arch.probing;
    const bytes = this.#scratch.fill(0);
    // Memory may end behind a short instruction.
    if (!this.memory.read(lo, hi, bytes, maxInsnLength) && !this.memory.read(lo, hi, bytes, minInsnLength))
      return false;
    if (this.#arch.probing.isBreakpoint(bytes)) return false;
    regs.set(regs.layout.ip, lo, hi);
    return true;
  }
}

function missRest(probes: readonly Kprobe[], from: number): void {
  for (let i = from; i < probes.length; i++) {
    const probe = probes[i];
    if (probe.enabled && probe.registered) probe.missed.redirected++;
  }
}

function kernelInsnMemory(memory: HostMemory): InsnMemory {
  return {
    read: (lo, hi, dst, length) => memory.readKernel(lo, hi, dst, 0, length),
    write: (lo, hi, src, length) => memory.writeKernel(lo, hi, src, 0, length),
  };
}
