import type { HostStacks, HostTasks } from '../index.js';
import type { TrapContext } from './trap-context.js';

/** Tasks of a kernel that is not known: the address of the current one, and nothing of what is in it. */
export class ContextTasks implements HostTasks {
  readonly #context: TrapContext;

  constructor(context: TrapContext) {
    this.#context = context;
  }

  /** Where no task is known, the CPU stands for one: return probes need something that a call belongs to. */
  current(out: Int32Array): void {
    const { taskLo, taskHi, cpu } = this.#context;
    const known = taskLo !== 0 || taskHi !== 0;
    out[0] = known ? taskLo : cpu + 1;
    out[1] = taskHi;
  }

  pidTgid(out: Int32Array): void {
    out.fill(0, 0, 2);
  }

  uidGid(out: Int32Array): void {
    out.fill(0, 0, 2);
  }

  comm(): boolean {
    return false;
  }

  commOf(): undefined {
    return undefined;
  }
}

/** Stacks of a kernel that is not known: where the event happened. */
export const noStacks: HostStacks = {
  kernel(regs, out, max) {
    if (regs === null || max < 1) return 0;
    const { ip } = regs.layout;
    out[0] = regs.lo(ip);
    out[1] = regs.hi(ip);
    return 1;
  },
  user: () => 0,
};
