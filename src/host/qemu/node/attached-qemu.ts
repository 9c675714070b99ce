import type { GuestRam, RamView } from '../../guest/index.js';
import type { QemuMachine, RspClient } from '../index.js';
import { ConnectedMachine } from './connected-machine.js';
import type { GuestConsole } from './guest-console.js';
import type { QemuPaths, QemuSpec } from './qemu-arguments.js';

/** How long an emulator that is up may take to answer: it talks to one client at a time. */
const CONNECT_MS = 5_000;

/**
 * A machine that somebody else's QEMU runs, started with `qemuArguments(spec, paths)`. Attaching stops it; closing lets it
 * go on.
 */
export class AttachedQemu implements QemuMachine {
  readonly client: RspClient;
  readonly console: GuestConsole;
  readonly ram: GuestRam;
  readonly views: readonly RamView[];
  readonly #connected: ConnectedMachine;
  #closed = false;

  /** `printed` is what is known of its console so far. */
  constructor(spec: QemuSpec, paths: QemuPaths, printed = '') {
    this.#connected = new ConnectedMachine(spec, paths, { connectMs: CONNECT_MS, printed });
    ({ client: this.client, console: this.console, ram: this.ram, views: this.views } = this.#connected);
  }

  /** Lets the machine go on, and hangs up. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.client.detach();
    } catch {
      // A host has hung up before, or the emulator is gone: there is nothing left to let go.
    }
    this.#connected.close();
  }
}
