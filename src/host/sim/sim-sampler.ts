import { PtRegs, X86Slot, x86PtRegs } from '../../arch/index.js';
import type { HostSampler, SampleFrame, SampleHandler } from '../host.js';
import type { SimMachine } from './machine/sim-machine.js';
import type { SimMemory } from './sim-memory.js';

class SimSampleFrame implements SampleFrame {
  cpu = 0;
  user = false;
  readonly regs = new PtRegs(x86PtRegs);
}

interface Running {
  readonly cpu: number;
  readonly handler: SampleHandler;
  /** A period has ended whose interrupt has not been taken yet. */
  due: boolean;
}

/** Sampling interrupts: the machine raises them, the kernel's handler reports them with its pt_regs. */
export class SimSampler implements HostSampler {
  readonly #machine: SimMachine;
  readonly #memory: SimMemory;
  readonly #frame = new SimSampleFrame();
  readonly #running = new Set<Running>();

  constructor(machine: SimMachine, memory: SimMemory) {
    this.#machine = machine;
    this.#memory = memory;
    machine.observers.sample = (lo, hi, cpu) => this.#sample(lo, hi, cpu);
  }

  start(cpu: number, periodNs: bigint, handler: SampleHandler): () => void {
    if (periodNs <= 0n || periodNs > 1_000_000_000_000n) throw new RangeError(`sampling period of ${periodNs} ns`);
    if (this.#machine.cpus[cpu] === undefined) throw new RangeError(`no CPU ${cpu}`);
    const entry: Running = { cpu, handler, due: false };
    const stop = this.#machine.addSampler(cpu, Number(periodNs), () => (entry.due = true));
    this.#running.add(entry);
    return () => {
      stop();
      this.#running.delete(entry);
    };
  }

  #sample(lo: number, hi: number, cpu: number): void {
    const at = this.#memory.physical(lo, hi);
    if (at < 0) return;
    const frame = this.#frame;
    frame.regs.words = this.#machine.physical.words;
    frame.regs.base = at >> 2;
    frame.cpu = cpu;
    frame.user = (frame.regs.lo(X86Slot.cs) & 3) === 3;
    for (const entry of this.#running) {
      if (entry.cpu !== cpu || !entry.due) continue;
      entry.due = false;
      entry.handler(frame);
    }
  }
}
