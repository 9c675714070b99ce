import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BpfError } from '../../base/index.js';
import { qemuArguments, type QemuPaths, type QemuSpec } from '../../host/qemu/node/index.js';
import { READY_LINE } from './guest-initramfs.js';

/** Lines of a console that an error shows. */
const SHOWN_BYTES = 800;
const BOOT_MS = 120_000;

/** A guest under QEMU that others attach to. It runs until `close`, and ends with this process. */
export class QemuDaemon {
  readonly paths: QemuPaths;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #program: string;
  readonly #exit = (): void => this.close();
  #ended: string | undefined;

  constructor(program: string, spec: QemuSpec) {
    this.#program = program;
    this.#folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'kscope-guest-'));
    const at = (name: string): string => join(this.#folder, name);
    this.paths = { gdb: at('gdb'), console: at('console'), ram: at('ram') };
    const log = openSync(at('log'), 'w');
    // Born stopped for who wants to see its first instruction; here it may run at once.
    const args = qemuArguments(spec, this.paths).filter((arg) => arg !== '-S');
    this.#child = spawn(program, args, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    this.#child.on('error', (error: NodeJS.ErrnoException) => {
      this.#ended =
        error.code === 'ENOENT' ? 'it is not installed (Debian: qemu-system-x86, -arm, -misc)' : error.message;
    });
    this.#child.on('exit', (code, signal) => {
      this.#ended ??= this.#log() || `it ended with ${code ?? signal}`;
    });
    process.once('exit', this.#exit);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Why QEMU is no more, or undefined. */
  get ended(): string | undefined {
    return this.#ended;
  }

  /** Waits until the guest says it is ready; what it printed. The console is free for others afterwards. */
  async boot(signal: AbortSignal): Promise<string> {
    const end = performance.now() + BOOT_MS;
    const socket = await this.#console(signal, end);
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    try {
      while (!text.includes(READY_LINE)) {
        this.#check(signal, end, text);
        await pause();
      }
      return text;
    } finally {
      socket.destroy();
    }
  }

  close(): void {
    process.off('exit', this.#exit);
    this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #console(signal: AbortSignal, end: number): Promise<Socket> {
    for (;;) {
      this.#check(signal, end, '');
      const socket = await connected(this.paths.console);
      if (socket !== undefined) return socket;
      await pause();
    }
  }

  #check(signal: AbortSignal, end: number, text: string): void {
    if (signal.aborted) throw new BpfError('EINTR', 'starting the guest was interrupted');
    if (this.#ended !== undefined) throw new BpfError('EIO', `starting ${this.#program}`, { remedy: this.#ended });
    if (performance.now() < end) return;
    throw new BpfError('ETIMEDOUT', `the guest did not come up in ${BOOT_MS / 1000} seconds`, {
      remedy: `its console ends with: ${text.slice(-SHOWN_BYTES)}`,
    });
  }

  #log(): string {
    const path = join(this.#folder, 'log');
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  }
}

function connected(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
}
