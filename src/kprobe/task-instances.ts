import { AddressTable } from './address-table.js';
import type { KretprobeInstance } from './kretprobe.js';

/** Calls that one task is in, innermost first. */
export interface TaskCalls {
  head: KretprobeInstance | null;
}

/** The followed calls of each task, by the address of its task_struct. Lists of tasks without calls are reused. */
export class TaskInstances {
  readonly #lists = new AddressTable<TaskCalls>();
  readonly #spare: TaskCalls[] = [];

  find(taskLo: number, taskHi: number): TaskCalls | undefined {
    return this.#lists.find(taskLo, taskHi);
  }

  push(taskLo: number, taskHi: number, instance: KretprobeInstance): void {
    let calls = this.#lists.find(taskLo, taskHi);
    if (calls === undefined) {
      calls = this.#spare.pop() ?? { head: null };
      this.#lists.set(taskLo, taskHi, calls);
    }
    instance.next = calls.head;
    calls.head = instance;
  }

  /** Forgets a task whose list has become empty. */
  drop(taskLo: number, taskHi: number): void {
    const calls = this.#lists.find(taskLo, taskHi);
    if (calls === undefined || calls.head !== null) return;
    this.#lists.delete(taskLo, taskHi);
    this.#spare.push(calls);
  }

  /** The innermost call of each task that is in one. */
  *heads(): IterableIterator<KretprobeInstance> {
    for (const { head } of this.#lists.values()) if (head !== null) yield head;
  }

  get empty(): boolean {
    return this.#lists.empty;
  }

  /** Tasks that are in followed calls. */
  get size(): number {
    return [...this.#lists.values()].length;
  }
}
