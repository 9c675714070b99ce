import { hi32, lo32 } from '../../base/index.js';
import type { HostTasks } from '../host.js';
import type { KernelLayout } from './kernel-layout.js';
import type { SimMachine } from './machine/sim-machine.js';
import type { SimMemory } from './sim-memory.js';

const COMM_LENGTH = 16;
/** More tasks than the machine can hold: a guard against a corrupt list. */
const TASKS_MAX = 10_000;

/** Tasks as they are in simulated memory: nothing is kept here but offsets. */
export class SimTasks implements HostTasks {
  readonly #machine: SimMachine;
  readonly #memory: SimMemory;
  readonly #currentLo: number;
  readonly #currentHi: number;
  readonly #areaSize: number;
  readonly #initTask: bigint;
  readonly #at: {
    readonly pid: number;
    readonly tgid: number;
    readonly comm: number;
    readonly cred: number;
    readonly uid: number;
    readonly gid: number;
    readonly tasks: number;
  };
  readonly #task = new Int32Array(2);
  readonly #cred = new Int32Array(2);
  readonly #comm = new Uint8Array(COMM_LENGTH);
  readonly #exitHandlers = new Set<(lo: number, hi: number) => void>();

  constructor(machine: SimMachine, memory: SimMemory, layout: KernelLayout) {
    this.#machine = machine;
    this.#memory = memory;
    const current = layout.address('pcpu_area') + BigInt(layout.offset('pcpu', 'current_task'));
    this.#currentLo = lo32(current);
    this.#currentHi = hi32(current);
    this.#areaSize = layout.size('pcpu');
    this.#initTask = layout.address('init_task');
    machine.observers.taskDead = (lo, hi) => this.#exitHandlers.forEach((tell) => tell(lo, hi));
    this.#at = {
      pid: layout.offset('task_struct', 'pid'),
      tgid: layout.offset('task_struct', 'tgid'),
      comm: layout.offset('task_struct', 'comm'),
      cred: layout.offset('task_struct', 'cred'),
      uid: layout.offset('cred', 'uid'),
      gid: layout.offset('cred', 'gid'),
      tasks: layout.offset('task_struct', 'tasks'),
    };
  }

  current(out: Int32Array): void {
    this.#memory.pair(this.#currentLo, this.#currentHi, this.#machine.currentCpu * this.#areaSize, out, 0);
  }

  pidTgid(out: Int32Array): void {
    this.current(this.#task);
    const [lo, hi] = [this.#task[0], this.#task[1]];
    out[0] = this.#field(lo, hi, this.#at.pid);
    out[1] = this.#field(lo, hi, this.#at.tgid);
  }

  uidGid(out: Int32Array): void {
    this.current(this.#task);
    const cred = this.#cred;
    this.#memory.pair(this.#task[0], this.#task[1], this.#at.cred, cred, 0);
    out[0] = this.#field(cred[0], cred[1], this.#at.uid);
    out[1] = this.#field(cred[0], cred[1], this.#at.gid);
  }

  comm(dst: Uint8Array, offset: number): boolean {
    this.current(this.#task);
    return this.#readComm(this.#task[0], this.#task[1], dst, offset);
  }

  commOf(pid: number): string | undefined {
    const task = this.find(pid);
    if (task === undefined || !this.#readComm(lo32(task), hi32(task), this.#comm, 0)) return undefined;
    const end = this.#comm.indexOf(0);
    return new TextDecoder().decode(this.#comm.subarray(0, end < 0 ? COMM_LENGTH : end));
  }

  onExit(handler: (taskLo: number, taskHi: number) => void): () => void {
    // A wrapper, so that one function given twice is told twice.
    const entry = (lo: number, hi: number): void => handler(lo, hi);
    this.#exitHandlers.add(entry);
    return () => this.#exitHandlers.delete(entry);
  }

  /** Address of the task_struct with that pid, walking the kernel's list of all tasks. */
  find(pid: number): bigint | undefined {
    const link = new Int32Array(2);
    let task = this.#initTask;
    for (let i = 0; i < TASKS_MAX; i++) {
      if (this.#field(lo32(task), hi32(task), this.#at.pid) === pid) return task;
      if (!this.#memory.pair(lo32(task), hi32(task), this.#at.tasks, link, 0)) return undefined;
      const next = (BigInt(link[1]) << 32n) | BigInt(link[0] >>> 0);
      task = BigInt.asUintN(64, next) - BigInt(this.#at.tasks);
      if (task === this.#initTask) return undefined;
    }
    return undefined;
  }

  #field(lo: number, hi: number, offset: number): number {
    const sum = (lo >>> 0) + offset;
    return this.#memory.word(sum | 0, sum > 0xffff_ffff ? (hi + 1) | 0 : hi);
  }

  #readComm(lo: number, hi: number, dst: Uint8Array, offset: number): boolean {
    const sum = (lo >>> 0) + this.#at.comm;
    return this.#memory.readKernel(sum | 0, sum > 0xffff_ffff ? (hi + 1) | 0 : hi, dst, offset, COMM_LENGTH);
  }
}
