import type { GuestMemory } from '../guest/index.js';
import type { HostTasks } from '../host.js';
import { GuestWords } from './guest-words.js';
import type { TaskLayout } from './task-layout.js';

const COMM_LENGTH = 16;
/** More tasks than a machine of this size can hold: a guard against a list that is just being changed. */
const TASKS_MAX = 10_000;

/** Who knows when tasks end. */
export interface TaskExits {
  onExit(handler: (taskLo: number, taskHi: number) => void): () => void;
}

/** Tasks as they are in guest memory: nothing is kept here but offsets. */
export class V86Tasks implements HostTasks {
  readonly #memory: GuestMemory;
  readonly #words: GuestWords;
  readonly #layout: TaskLayout;
  readonly #current: number;
  readonly #exits: TaskExits;
  readonly #comm = new Uint8Array(COMM_LENGTH);

  /** `perCpu` is the base of the only processor's per-CPU area. */
  constructor(memory: GuestMemory, layout: TaskLayout, perCpu: number, exits: TaskExits) {
    this.#exits = exits;
    this.#memory = memory;
    this.#words = new GuestWords(memory);
    this.#layout = layout;
    this.#current = (perCpu + layout.currentTask) >>> 0;
  }

  current(out: Int32Array): void {
    out[0] = this.#words.at(this.#current);
    out[1] = 0;
  }

  pidTgid(out: Int32Array): void {
    const task = this.#words.at(this.#current);
    out[0] = this.#words.at(task + this.#layout.pid);
    out[1] = this.#words.at(task + this.#layout.tgid);
  }

  uidGid(out: Int32Array): void {
    const { cred, credUid, credGid } = this.#layout;
    const held = this.#words.at(this.#words.at(this.#current) + cred);
    out[0] = this.#words.at(held + credUid);
    out[1] = this.#words.at(held + credGid);
  }

  comm(dst: Uint8Array, offset: number): boolean {
    return this.#readComm(this.#words.at(this.#current), dst, offset);
  }

  commOf(pid: number): string | undefined {
    const task = this.find(pid);
    if (task === undefined || !this.#readComm(task, this.#comm, 0)) return undefined;
    const end = this.#comm.indexOf(0);
    return new TextDecoder().decode(this.#comm.subarray(0, end < 0 ? COMM_LENGTH : end));
  }

  onExit(handler: (taskLo: number, taskHi: number) => void): () => void {
    return this.#exits.onExit(handler);
  }

  /** Address of the task_struct of the process with that pid, by walking the family tree; threads are not in it. */
  find(pid: number): number | undefined {
    const { initTask, children, sibling } = this.#layout;
    const waiting = [initTask];
    for (let seen = 0; seen < TASKS_MAX; seen++) {
      const task = waiting.pop();
      if (task === undefined) return undefined;
      if (this.#words.at(task + this.#layout.pid) === pid) return task;
      const head = task + children;
      for (
        let at = this.#words.at(head);
        at > 0 && at !== head && waiting.length < TASKS_MAX;
        at = this.#words.at(at)
      ) {
        waiting.push(at - sibling);
      }
    }
    return undefined;
  }

  #readComm(task: number, dst: Uint8Array, offset: number): boolean {
    return this.#memory.readKernel((task + this.#layout.comm) | 0, 0, dst, offset, COMM_LENGTH);
  }
}
