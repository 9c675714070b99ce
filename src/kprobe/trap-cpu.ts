import type { KprobePoint } from './kprobe-point.js';

/** How deep stepping may nest: a page fault in a slot whose handler hits a probe, twice more for safety. */
const MAX_STEPS = 4;

/** A displaced instruction that runs in its slot. */
export interface Step {
  point: KprobePoint | null;
  /** Interrupt state to restore behind it. */
  interrupts: number;
  /** The hit was recursion: no handlers, and the CPU is still busy afterwards. */
  nested: boolean;
}

/** What one CPU is doing with probes (the kernel's kprobe_ctlblk). */
export class TrapCpu {
  /** From the trap to the end of the post handlers: a probe hit meanwhile is recursion. */
  busy = false;
  readonly #steps: readonly Step[] = Array.from({ length: MAX_STEPS }, () => ({
    point: null,
    interrupts: 0,
    nested: false,
  }));
  #depth = 0;

  /** Notes that `point` is being stepped; false when stepping is nested too deeply. */
  pushStep(point: KprobePoint, interrupts: number, nested: boolean): boolean {
    const step = this.#steps[this.#depth];
    if (step === undefined) return false;
    step.point = point;
    step.interrupts = interrupts;
    step.nested = nested;
    this.#depth++;
    return true;
  }

  /** The innermost step, or undefined. */
  get step(): Step | undefined {
    return this.#depth === 0 ? undefined : this.#steps[this.#depth - 1];
  }

  /** Ends the innermost step. */
  popStep(): void {
    this.#depth--;
  }
}
