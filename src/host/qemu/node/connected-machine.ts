import { closeSync, openSync } from 'node:fs';
import { type GuestRam, MappedRam, type RamView } from '../../guest/index.js';
import { RspClient } from '../index.js';
import { FileRam } from './file-ram.js';
import { GuestConsole } from './guest-console.js';
import { mapSharedFile } from './map-file.js';
import { qemuBanks, type QemuPaths, type QemuSpec } from './qemu-arguments.js';
import { WorkerSocket } from './worker-socket.js';

/** How long the emulator may take to answer a request. */
const ANSWER_MS = 20_000;

export interface ConnectOptions {
  /** How long to try to connect. */
  readonly connectMs: number;
  /** What is known of the console so far. */
  readonly printed?: string;
}

/** The two sockets and the RAM of an emulator that runs. Connecting stops its machine. */
export class ConnectedMachine {
  readonly client: RspClient;
  readonly console: GuestConsole;
  readonly ram: GuestRam;
  /** RAM as bytes of this process; empty where it could not be mapped. */
  readonly views: readonly RamView[];
  readonly #fd: number;

  constructor(spec: QemuSpec, paths: QemuPaths, { connectMs, printed = '' }: ConnectOptions) {
    this.console = new GuestConsole(new WorkerSocket({ path: paths.console }, connectMs), printed);
    let client: RspClient | null = null;
    try {
      client = new RspClient(new WorkerSocket({ path: paths.gdb }, connectMs), { timeoutMs: ANSWER_MS });
      client.start();
      this.#fd = openSync(paths.ram, 'r+');
    } catch (error) {
      client?.close();
      this.console.close();
      throw error;
    }
    this.client = client;
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

  /** Hangs up. */
  close(): void {
    this.client.close();
    this.console.close();
    closeSync(this.#fd);
  }
}
