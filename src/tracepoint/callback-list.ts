import { BpfError } from '../base/index.js';

/** A function with the data it is called with; one function may be there several times with different data. */
export interface Callback<F> {
  readonly func: F;
  readonly data: unknown;
  readonly priority: number;
  /** False once it was removed: those who still hold an older list must not call it. */
  active: boolean;
}

/** The priority of those who ask for none (TRACEPOINT_DEFAULT_PRIO). */
export const DEFAULT_PRIORITY = 10;

/**
 * Callbacks in the order of their calls: higher priority first, then as registered. `entries` is replaced, never
 * changed: who walks it is not disturbed by callbacks that come and go meanwhile, and need only skip inactive ones.
 */
export class CallbackList<F> {
  entries: readonly Callback<F>[] = [];

  get empty(): boolean {
    return this.entries.length === 0;
  }

  /** EEXIST if the same function is there with the same data. */
  add(func: F, data: unknown, priority: number, what: string): void {
    if (this.#find(func, data) !== undefined) {
      throw new BpfError('EEXIST', `registering at ${what}`, {
        remedy: 'this function is registered already with this data',
      });
    }
    const after = this.entries.filter((entry) => entry.priority < priority);
    const before = this.entries.filter((entry) => entry.priority >= priority);
    this.entries = [...before, { func, data, priority, active: true }, ...after];
  }

  /** ENOENT if it is not there. */
  remove(func: F, data: unknown, what: string): void {
    const found = this.#find(func, data);
    if (found === undefined) {
      throw new BpfError('ENOENT', `unregistering from ${what}`, {
        remedy: 'this function is not registered with this data',
      });
    }
    found.active = false;
    this.entries = this.entries.filter((entry) => entry !== found);
  }

  #find(func: F, data: unknown): Callback<F> | undefined {
    return this.entries.find((entry) => entry.func === func && entry.data === data);
  }
}
