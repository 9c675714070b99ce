import { closeSync, openSync } from 'node:fs';
import { type GuestRam, MappedRam, type RamView } from '../../guest/index.js';
import { type QemuMachine, RspClient } from '../index.js';
import { FileRam } from './file-ram.js';
import { GuestConsole } from './guest-console.js';
import { mapSharedFile } from './map-file.js';
import { qemuBanks, type QemuPaths, type QemuSpec } from './qemu-arguments.js';
import { WorkerSocket } from './worker-socket.js';

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
  readonly #fd: number;
  #closed = false;

  /** `printed` is what is known of its console so far. */
  constructor(spec: QemuSpec, paths: QemuPaths, printed = '') {
    this.console = new GuestConsole(new WorkerSocket({ path: paths.console }, CONNECT_MS), printed);
    try {
      this.client = new RspClient(new WorkerSocket({ path: paths.gdb }, CONNECT_MS), { timeoutMs: 20_000 });
      this.client.start();
      this.#fd = openSync(paths.ram, 'r+');
    } catch (error) {
      this.console.close();
      throw error;
    }
    const banks = qemuBanks(spec);
    const mapped = mapSharedFile(
      this.#fd,
      banks.reduce((sum, { size }) => sum + size, 0),
    );
    this.views =
      mapped === null
        ? []
        : banks.map(({ start, offset, size }) => ({ start, bytes: new Uint8Array(mapped, offset, size) }));
    this.ram = mapped === null ? new FileRam(this.#fd, banks) : new MappedRam(this.views);
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
    this.client.close();
    this.console.close();
    closeSync(this.#fd);
  }
}
