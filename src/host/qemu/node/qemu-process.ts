import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BpfError } from '../../../base/index.js';
import type { GuestRam, RamView } from '../../guest/index.js';
import type { QemuMachine, RspClient } from '../index.js';
import { ConnectedMachine } from './connected-machine.js';
import type { GuestConsole } from './guest-console.js';
import { GuardedChild, isInstalled } from './guarded-child.js';
import { qemuArguments, type QemuPaths, qemuProgram, type QemuSpec } from './qemu-arguments.js';

/** How long the emulator may take to open its sockets. */
const CONNECT_MS = 20_000;

/**
 * A machine that runs under QEMU as a child of this process, and ends with it however that ends. Born stopped, before its
 * first instruction: `client.resume()` or a host's `run` lets it boot.
 */
export class QemuProcess implements QemuMachine {
  readonly spec: QemuSpec;
  readonly client: RspClient;
  readonly console: GuestConsole;
  readonly ram: GuestRam;
  /** RAM as bytes of this process; empty where it could not be mapped. */
  readonly views: readonly RamView[];
  /** Process number of the emulator. */
  readonly pid: number;
  readonly #child: GuardedChild;
  readonly #connected: ConnectedMachine;
  #closed = false;

  /** ENOENT where QEMU is not installed; otherwise what QEMU says on its way out. */
  constructor(spec: QemuSpec) {
    this.spec = spec;
    const program = qemuProgram(spec.arch);
    if (!isInstalled(program)) {
      throw new BpfError('ENOENT', `starting ${program}`, { remedy: 'it is not installed (Debian: qemu-system-*)' });
    }
    const folder = mkdtempSync(join(tmpdir(), 'kscope-qemu-'));
    const shared = existsSync('/dev/shm') ? mkdtempSync('/dev/shm/kscope-') : folder;
    const at = (name: string): string => join(folder, name);
    const paths: QemuPaths = { gdb: at('gdb'), console: at('console'), ram: join(shared, 'ram') };
    const log = openSync(at('log'), 'w');
    const said = openSync(at('log'), 'r');
    const args = [...qemuArguments(spec, paths), '-pidfile', at('pid')];
    this.#child = new GuardedChild({ program, args, folders: [folder, shared], log });
    closeSync(log);
    try {
      this.#connected = new ConnectedMachine(spec, paths, { connectMs: CONNECT_MS });
      this.pid = Number(readFileSync(at('pid'), 'utf8'));
    } catch (error) {
      this.#child.end();
      const text = readFileSync(said, 'utf8').trim();
      throw new BpfError('EIO', `starting ${program}`, { cause: error, remedy: text === '' ? String(error) : text });
    } finally {
      closeSync(said);
    }
    ({ client: this.client, console: this.console, ram: this.ram, views: this.views } = this.#connected);
    // Both sides hold what they need open: nothing is left behind, whoever is killed.
    for (const path of [folder, shared]) rmSync(path, { recursive: true, force: true });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connected.close();
    this.#child.end();
  }
}
