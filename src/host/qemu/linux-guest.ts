import { ExceptionTable, LinuxStacks, LinuxTasks, linuxUserRoot } from '../guest/index.js';
import type { QemuGuestParts, QemuHost } from './qemu-host.js';

/**
 * Tasks, stacks, exception table and user memory of a Linux guest, by its own types: `guest` of `QemuHostOptions`. Without
 * types only stacks and exception table are known.
 */
export function linuxGuest({ context, memory, symbols, btf, arch }: QemuHost): QemuGuestParts {
  const stacks = new LinuxStacks({ arch, memory, symbols, btf });
  const exceptions = new ExceptionTable(memory, symbols);
  const hasFixup = (address: bigint): boolean => exceptions.has(address);
  if (btf === null) return { stacks, hasFixup };
  const current = (out: Int32Array): void => {
    out[0] = context.taskLo;
    out[1] = context.taskHi;
  };
  const tasks = new LinuxTasks(memory, btf, current);
  return { stacks, hasFixup, tasks, userRoot: linuxUserRoot(memory, btf, current), settle: () => tasks.settle() };
}
