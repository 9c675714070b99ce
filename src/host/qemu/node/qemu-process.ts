import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BpfError } from '../../../base/index.js';
import { type GuestRam, MappedRam, type RamView } from '../../guest/index.js';
import { type QemuMachine, RspClient } from '../index.js';
import { FileRam } from './file-ram.js';
import { GuestConsole } from './guest-console.js';
import { mapSharedFile } from './map-file.js';
import { qemuArguments, qemuBanks, type QemuPaths, qemuProgram, type QemuSpec } from './qemu-arguments.js';
import { WorkerSocket } from './worker-socket.js';

/** How long the emulator may take to open its sockets. */
const CONNECT_MS = 20_000;

/**
 * A machine that runs under QEMU as a child of this process, and ends with it. Born stopped, before its first
 * instruction: `client.resume()` or a host's `run` lets it boot.
 */
export class QemuProcess implements QemuMachine {
  readonly spec: QemuSpec;
  readonly client: RspClient;
  readonly console: GuestConsole;
  readonly ram: GuestRam;
  /** RAM as bytes of this process; empty where it could not be mapped. */
  readonly views: readonly RamView[];
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #paths: QemuPaths;
  readonly #fd: number;
  readonly #end = (): void => this.close();
  #closed = false;

  /** ENOENT where QEMU is not installed; otherwise what QEMU says on its way out. */
  constructor(spec: QemuSpec) {
    this.spec = spec;
    this.#folder = mkdtempSync(join(tmpdir(), 'kscope-qemu-'));
    const shared = existsSync('/dev/shm') ? mkdtempSync('/dev/shm/kscope-') : this.#folder;
    this.#paths = { gdb: join(this.#folder, 'gdb'), console: join(this.#folder, 'console'), ram: join(shared, 'ram') };
    const log = openSync(join(this.#folder, 'log'), 'w');
    this.#child = spawn(qemuProgram(spec.arch), qemuArguments(spec, this.#paths), { stdio: ['ignore', log, log] });
    this.#child.unref();
    // Whoever waits for it sees its sockets close; without a listener a missing program would be thrown here.
    this.#child.on('error', () => undefined);
    closeSync(log);
    process.once('exit', this.#end);
    try {
      this.console = new GuestConsole(this.#connect(this.#paths.console));
      this.client = new RspClient(this.#connect(this.#paths.gdb), { timeoutMs: 20_000 });
      this.client.start();
      this.#fd = openSync(this.#paths.ram, 'r+');
    } catch (error) {
      const failure = this.#failure(error);
      this.#discard();
      throw failure;
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

  /** Process number of the emulator. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  close(): void {
    if (this.#closed) return;
    this.client.close();
    this.console.close();
    closeSync(this.#fd);
    this.#discard();
  }

  #connect(path: string): WorkerSocket {
    if (this.#child.pid === undefined) throw new Error('not started');
    return new WorkerSocket({ path }, CONNECT_MS);
  }

  #failure(cause: unknown): BpfError {
    const program = qemuProgram(this.spec.arch);
    if (this.#child.pid === undefined) {
      return new BpfError('ENOENT', `starting ${program}`, {
        cause,
        remedy: `it is not installed (Debian: qemu-system-*)`,
      });
    }
    const said = readFileSync(join(this.#folder, 'log'), 'utf8').trim();
    return new BpfError('EIO', `starting ${program}`, { cause, remedy: said === '' ? String(cause) : said });
  }

  #discard(): void {
    this.#closed = true;
    process.off('exit', this.#end);
    this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
    rmSync(join(this.#paths.ram, '..'), { recursive: true, force: true });
  }
}
