import { type PtRegs, ptRegsView } from '../../arch/index.js';
import type { HostText, TrapFrame } from '../../host/index.js';
import type { HostBench } from './host-bench.js';
import type { CheckSpec } from './host-check.js';
import { must } from './host-check.js';
import { CPUS, GONE, noProbes } from './trap-checks.js';

interface Step {
  /** Registers after the instruction as they should be, or null where the instruction cannot be simulated. */
  readonly expected: PtRegs | null;
  readonly interrupts: number;
}

/** Steps the first instruction of each call: the breakpoint is out while it runs. */
class Stepper {
  steps = 0;
  problem: string | null = null;
  readonly #bench: HostBench;
  readonly #text: HostText;
  readonly #address: bigint;
  readonly #original: Uint8Array;
  readonly #breakpoint: Uint8Array;
  readonly #next: bigint;
  #pending: Step | null = null;

  constructor(bench: HostBench) {
    const { probing } = bench.host.arch;
    this.#bench = bench;
    this.#text = bench.text;
    this.#address = bench.function.address;
    const insn = bench.bytes(this.#address, probing.maxInsnLength);
    const length = probing.insnLength(insn, 0);
    this.#breakpoint = probing.breakpoint(length);
    this.#original = insn.slice(0, this.#breakpoint.length);
    this.#next = this.#address + BigInt(length);
  }

  arm(): void {
    must(this.#text.patch(this.#address, this.#original, this.#breakpoint), 'the breakpoint cannot be put in');
  }

  disarm(): void {
    this.#text.patch(this.#address, this.#breakpoint, this.#original);
  }

  readonly handle = (frame: TrapFrame): boolean => {
    const { regs } = frame;
    if (frame.kind === 'step') return this.#stepped(regs);
    const pc = regs.ip - BigInt(this.#bench.host.arch.probing.trapPcBias);
    if (frame.kind !== 'breakpoint' || pc !== this.#address) return false;
    regs.ip = this.#address;
    // Another CPU has it now, or meets the breakpoint that was just taken out: it runs on.
    if (this.#pending !== null) return true;
    this.disarm();
    this.#pending = this.#expect(regs);
    this.#text.singleStep(frame);
    return true;
  };

  #expect(regs: PtRegs): Step {
    const { arch, memory } = this.#bench.host;
    const copy = copyOf(regs);
    const interrupts = arch.probing.maskInterrupts(copyOf(regs));
    const plan = arch.probing.plan(this.#bench.bytes(this.#address, arch.probing.maxInsnLength), this.#address);
    if (plan.kind !== 'simulate') return { expected: null, interrupts };
    // Its stores are those that the CPU is about to make.
    const ok = plan.simulate(copy, {
      read: (lo, hi, dst, length) => memory.readKernel(lo, hi, dst, 0, length),
      write: (lo, hi, src, length) => memory.writeKernel(lo, hi, src, 0, length),
    });
    return { expected: ok ? copy : null, interrupts };
  }

  #stepped(regs: PtRegs): boolean {
    const step = this.#pending;
    if (step === null) return false;
    this.#pending = null;
    this.steps++;
    this.problem ??= this.#judge(regs, step);
    this.arm();
    return true;
  }

  #judge(regs: PtRegs, { expected, interrupts }: Step): string | null {
    const next = expected?.ip ?? this.#next;
    if (regs.ip !== next) return `after one step the pc is ${regs.ip - next} bytes from the next instruction`;
    if (this.#bench.host.arch.probing.maskInterrupts(copyOf(regs)) !== interrupts) {
      return 'interrupts are not as they were before the step';
    }
    const names = regs.layout.names.filter((_, slot) => expected !== null && regs.get(slot) !== expected.get(slot));
    return names.length === 0 ? null : `after one step ${names.join(', ')} differ from what the instruction does`;
  }
}

function copyOf(regs: PtRegs): PtRegs {
  const words = new Int32Array(regs.layout.size >> 2);
  regs.copyTo(words, 0);
  return ptRegsView(regs.layout, words);
}

export const stepChecks: readonly CheckSpec[] = [
  {
    name: 'traps: a single step executes one instruction and leaves no trace in the registers',
    contract: 'HostText.singleStep',
    remedy: 'after the step, tell kind `step` and give back the flags that you changed to make it',
    needs: [GONE, CPUS],
    skip: (bench) =>
      noProbes(bench) ?? (bench.host.capabilities.singleStep ? null : 'capabilities.singleStep is false'),
    run(bench) {
      const stepper = new Stepper(bench);
      bench.text.setTrapHandler(stepper.handle);
      try {
        stepper.arm();
        bench.workload();
      } finally {
        stepper.disarm();
        bench.text.drain?.();
        bench.text.setTrapHandler(null);
      }
      must(stepper.steps > 0, 'no `step` trap came after singleStep');
      must(stepper.problem === null, () => String(stepper.problem));
    },
  },
];
