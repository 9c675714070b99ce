import type { QemuPaths, QemuSpec } from '../../host/qemu/node/index.js';
import type { GuestName } from './guest-arch.js';
import type { GuestFiles } from './guest-cache.js';

/** How a guest is started. */
export interface GuestShape {
  readonly cpus: number;
  readonly memoryMiB?: number;
}

/** The machine of `guest up` and `--host qemu:`. A PC runs kernels of 32 bits as well. */
export function guestSpec(files: GuestFiles, initrd: string, { cpus, memoryMiB }: GuestShape): QemuSpec {
  return {
    arch: files.guest === 'i686' ? 'x86_64' : files.guest,
    kernel: files.kernel,
    initrd,
    cpus,
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
  };
}

/** A guest that is up, as `guest up` writes it down for other commands. */
export interface GuestState {
  readonly guest: GuestName;
  /** Process number of QEMU. */
  readonly pid: number;
  readonly spec: QemuSpec;
  readonly paths: QemuPaths;
  /** What it printed until it was ready. */
  readonly console: string;
}
