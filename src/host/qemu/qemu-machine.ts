import type { GuestRam, RamView } from '../guest/index.js';
import type { RspClient } from './rsp/rsp-client.js';

/** Architectures whose machines are known here. */
export type QemuArch = 'x86_64' | 'arm64' | 'riscv64' | 'loongarch64';

/** A guest's console. */
export interface QemuConsole {
  /** All that was printed so far. */
  readonly text: string;
  write(text: string): void;
}

/** What a host needs of an emulated machine. Whoever made it says how it is reached. */
export interface QemuMachine {
  /** Started, and the machine stands still. */
  readonly client: RspClient;
  readonly ram: GuestRam;
  /** The same RAM as bytes of this process, where they can be had: traps are faster then. */
  readonly views: readonly RamView[];
  readonly console: QemuConsole;
  close(): void;
}
