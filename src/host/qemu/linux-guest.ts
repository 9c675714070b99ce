import { LinuxStacks, LinuxTasks, linuxUserRoot } from '../guest/index.js';
import type { QemuGuestParts, QemuHost } from './qemu-host.js';

/**
 * Tasks, stacks and user memory of a Linux guest, by its own types: `guest` of `QemuHostOptions`. Without types only the
 * stacks are known.
 */
export function linuxGuest({ context, memory, symbols, btf, arch }: QemuHost): QemuGuestParts {
  const stacks = new LinuxStacks({ arch, memory, symbols, btf });
  if (btf === null) return { stacks };
  const current = (out: Int32Array): void => {
    out[0] = context.taskLo;
    out[1] = context.taskHi;
  };
  const tasks = new LinuxTasks(memory, btf, current);
  return { stacks, tasks, userRoot: linuxUserRoot(memory, btf, current), settle: () => tasks.settle() };
}
