import { ExceptionTable, LinuxStacks, LinuxTasks, linuxUserRoot, PatchSites } from '../guest/index.js';
import type { QemuGuestParts, QemuHost } from './qemu-host.js';

/**
 * Tasks, stacks, exception table, instructions that it patches and user memory of a Linux guest, by its own types: `guest` of
 * `QemuHostOptions`. Without types tasks and user memory are not known.
 */
export function linuxGuest({ context, memory, symbols, btf, arch }: QemuHost): QemuGuestParts {
  const stacks = new LinuxStacks({ arch, memory, symbols, btf });
  const exceptions = new ExceptionTable(memory, symbols);
  const hasFixup = (address: bigint): boolean => exceptions.has(address);
  const patched = new PatchSites(memory, symbols, arch.pointerSize);
  const text = { hasFixup, reserved: (address: bigint): string | null => patched.sites.get(address) ?? null };
  if (btf === null) return { stacks, ...text };
  const current = (out: Int32Array): void => {
    out[0] = context.taskLo;
    out[1] = context.taskHi;
  };
  const tasks = new LinuxTasks(memory, btf, current);
  return { stacks, ...text, tasks, userRoot: linuxUserRoot(memory, btf, current), settle: () => tasks.settle() };
}
