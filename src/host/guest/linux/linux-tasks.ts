import type { Btf } from '../../../btf/index.js';
import type { HostMemory, HostTasks } from '../../index.js';
import { KernelReader } from './kernel-reader.js';
import { type TaskLayout, taskLayout } from './task-layout.js';

/** Puts the address of the task that is current where the event happens into two words; 0, 0 where nobody knows. */
export type CurrentTask = (out: Int32Array) => void;

const COMM_BYTES = 16;
/** A ring of tasks that is being changed may not lead back: more processes than a small guest has. */
const MAX_PROCESSES = 1 << 16;

interface KnownTask {
  readonly lo: number;
  readonly hi: number;
  readonly pid: number;
}

/** Tasks of a Linux guest, read from its memory at the offsets its own types give. Nothing about them is kept. */
export class LinuxTasks implements HostTasks {
  readonly #reader: KernelReader;
  readonly #layout: TaskLayout;
  readonly #currentTask: CurrentTask;
  readonly #task = new Int32Array(2);
  readonly #exitHandlers = new Set<(taskLo: number, taskHi: number) => void>();
  /** Tasks seen as current since somebody listens to exits, by address. */
  readonly #known = new Map<number, KnownTask>();

  constructor(memory: HostMemory, btf: Btf, currentTask: CurrentTask) {
    this.#reader = new KernelReader(memory, btf.pointerSize === 4 ? 4 : 8);
    this.#layout = taskLayout(btf);
    this.#currentTask = currentTask;
  }

  current(out: Int32Array): void {
    this.#currentTask(out);
    if (this.#exitHandlers.size > 0 && (out[0] !== 0 || out[1] !== 0)) this.#remember(out[0], out[1]);
  }

  pidTgid(out: Int32Array): void {
    const { pid, tgid } = this.#layout;
    out[0] = this.#field(pid);
    out[1] = this.#field(tgid);
  }

  uidGid(out: Int32Array): void {
    const { cred, credUid, credGid } = this.#layout;
    const reader = this.#reader;
    this.#currentTask(this.#task);
    reader.pointer(this.#task[0], this.#task[1], cred);
    const { lo, hi } = reader;
    reader.u32(lo, hi, credUid);
    out[0] = reader.lo;
    reader.u32(lo, hi, credGid);
    out[1] = reader.lo;
  }

  comm(dst: Uint8Array, offset: number): boolean {
    this.#currentTask(this.#task);
    return this.#readComm(this.#task[0], this.#task[1], dst, offset);
  }

  /** Walks the ring of processes from the current one: while a hit is handled, or where a current task is known at all. */
  commOf(pid: number): string | undefined {
    const { groupLeader, tasks } = this.#layout;
    const reader = this.#reader;
    this.#currentTask(this.#task);
    if (!reader.pointer(this.#task[0], this.#task[1], groupLeader)) return undefined;
    let [lo, hi] = [reader.lo, reader.hi];
    const [firstLo, firstHi] = [lo, hi];
    for (let seen = 0; seen < MAX_PROCESSES; seen++) {
      if (!reader.u32(lo, hi, this.#layout.tgid)) return undefined;
      if (reader.lo === pid) return this.#commText(lo, hi);
      if (!reader.pointer(lo, hi, tasks)) return undefined;
      const next = (reader.lo >>> 0) - tasks;
      hi = (reader.hi + Math.floor(next / 2 ** 32)) | 0;
      lo = next | 0;
      if (lo === firstLo && hi === firstHi) return undefined;
    }
    return undefined;
  }

  /**
   * An exit is noticed when `settle` looks, and when a task is first seen as current: Linux tells nobody outside. Only
   * tasks that were current in an event since the call are watched.
   */
  onExit(handler: (taskLo: number, taskHi: number) => void): () => void {
    this.#exitHandlers.add(handler);
    return () => {
      this.#exitHandlers.delete(handler);
      if (this.#exitHandlers.size === 0) this.#known.clear();
    };
  }

  /** Tells of the watched tasks that are gone by now. */
  settle(): void {
    for (const [key, { lo, hi, pid }] of this.#known) {
      if (this.#lives(lo, hi, pid)) continue;
      this.#known.delete(key);
      for (const handler of this.#exitHandlers) handler(lo, hi);
    }
  }

  #remember(lo: number, hi: number): void {
    // Kernel addresses are small negative numbers: exact in a double.
    const key = hi * 2 ** 32 + (lo >>> 0);
    const known = this.#known.get(key);
    if (known !== undefined && this.#pidOf(lo, hi) === known.pid) return;
    this.settle();
    this.#known.set(key, { lo, hi, pid: this.#pidOf(lo, hi) });
  }

  /** A task_struct that was freed holds another task, or anything. */
  #lives(lo: number, hi: number, pid: number): boolean {
    if (this.#pidOf(lo, hi) !== pid) return false;
    return this.#reader.u32(lo, hi, this.#layout.exitState) && this.#reader.lo === 0;
  }

  #pidOf(lo: number, hi: number): number {
    return this.#reader.u32(lo, hi, this.#layout.pid) ? this.#reader.lo : -1;
  }

  #field(offset: number): number {
    this.#currentTask(this.#task);
    this.#reader.u32(this.#task[0], this.#task[1], offset);
    return this.#reader.lo;
  }

  #readComm(lo: number, hi: number, dst: Uint8Array, offset: number): boolean {
    const at = (lo >>> 0) + this.#layout.comm;
    return this.#reader.memory.readKernel(at | 0, (hi + Math.floor(at / 2 ** 32)) | 0, dst, offset, COMM_BYTES);
  }

  #commText(lo: number, hi: number): string | undefined {
    const bytes = new Uint8Array(COMM_BYTES);
    if (!this.#readComm(lo, hi, bytes, 0)) return undefined;
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(bytes.subarray(0, end < 0 ? COMM_BYTES : end));
  }
}
