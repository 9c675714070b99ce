import { hi32, lo32 } from '../../../src/base/index.js';
import type { HostTasks } from '../../../src/host/index.js';
import type { QemuHost } from '../../../src/host/qemu/index.js';

/** Offsets in `struct task`. */
const PID = 36;
const COMM = 40;
const COMM_LEN = 16;

/** The tasks of the bare-metal kernel, one for each CPU, as the README says where they are. */
export class BareTasks implements HostTasks {
  readonly #host: QemuHost;
  readonly #tasks: readonly bigint[];

  constructor(host: QemuHost) {
    const tasks = host.symbols.lookup('tasks');
    if (tasks === undefined) throw new Error('the kernel has no tasks');
    this.#host = host;
    this.#tasks = Array.from(
      { length: host.cpus },
      (_, i) => tasks.address + (tasks.size / BigInt(host.cpus)) * BigInt(i),
    );
  }

  /** What the CPU's register says, where the trap tells it. */
  current(out: Int32Array): void {
    const { taskLo, taskHi, cpu } = this.#host.context;
    const known = taskLo !== 0 || taskHi !== 0;
    out[0] = known ? taskLo : lo32(this.#tasks[cpu]);
    out[1] = known ? taskHi : hi32(this.#tasks[cpu]);
  }

  pidTgid(out: Int32Array): void {
    this.current(out);
    out[0] = this.#pid(out[0], out[1]);
    out[1] = out[0];
  }

  uidGid(out: Int32Array): void {
    out.fill(0, 0, 2);
  }

  comm(dst: Uint8Array, offset: number): boolean {
    const task = new Int32Array(2);
    this.current(task);
    return this.#host.memory.readKernel(task[0] + COMM, task[1], dst, offset, COMM_LEN);
  }

  commOf(pid: number): string | undefined {
    const task = this.#tasks.find((address) => this.#pid(lo32(address), hi32(address)) === pid);
    if (task === undefined) return undefined;
    const bytes = new Uint8Array(COMM_LEN);
    this.#host.memory.readKernel(lo32(task) + COMM, hi32(task), bytes, 0, COMM_LEN);
    return new TextDecoder().decode(bytes).split('\0', 1)[0];
  }

  #pid(lo: number, hi: number): number {
    const bytes = new Uint8Array(4);
    this.#host.memory.readKernel(lo + PID, hi, bytes, 0, 4);
    return new DataView(bytes.buffer).getInt32(0, true);
  }
}
