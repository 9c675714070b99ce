import { BpfError } from '../base/index.js';
import { AttachPoint } from '../runtime/index.js';

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
  /** The entry that is alone, for whom a loop would cost more than the call. */
  sole: Callback<F> | null = null;

  get empty(): boolean {
    return this.entries.length === 0;
  }

  /** Those that are called: programs that share an entry count each. */
  get size(): number {
    return this.entries.reduce((sum, { data }) => sum + (data instanceof AttachPoint ? data.size : 1), 0);
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
    this.#set([...before, { func, data, priority, active: true }, ...after]);
  }

  /** ENOENT if it is not there. */
  remove(func: F, data: unknown, what: string): void {
    const found = this.#get(func, data, what);
    found.active = false;
    this.#set(this.entries.filter((entry) => entry !== found));
  }

  /** Another function in the same place, for those who look from now on. ENOENT if it is not there. */
  replace(func: F, data: unknown, next: F, what: string): void {
    const found = this.#get(func, data, what);
    this.#set(this.entries.map((entry) => (entry === found ? { ...entry, func: next } : entry)));
  }

  /** What was given with the entry behind which a function of default priority would come. */
  get newest(): unknown {
    return this.entries.findLast(({ priority }) => priority >= DEFAULT_PRIORITY)?.data;
  }

  #set(entries: readonly Callback<F>[]): void {
    this.entries = entries;
    this.sole = entries.length === 1 ? entries[0] : null;
  }

  #get(func: F, data: unknown, what: string): Callback<F> {
    const found = this.#find(func, data);
    if (found !== undefined) return found;
    throw new BpfError('ENOENT', `unregistering from ${what}`, {
      remedy: 'this function is not registered with this data',
    });
  }

  #find(func: F, data: unknown): Callback<F> | undefined {
    return this.entries.find((entry) => entry.func === func && entry.data === data);
  }
}
