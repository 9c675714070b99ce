import type { HostTracepoints, TracepointDescriptor } from '../host/index.js';
import { CallbackList, DEFAULT_PRIORITY } from './callback-list.js';

/**
 * Receives the raw arguments of a hit, as word pairs; the array is valid only during the call. `data` is what was
 * given at registration.
 */
export type TracepointProbe = (data: unknown, args: Int32Array, cpu: number) => void;

/** A tracepoint of the host, with the probes on it. Its flag in the host is on while it has any. */
export class Tracepoint {
  readonly index: number;
  readonly descriptor: TracepointDescriptor;
  readonly #host: HostTracepoints;
  readonly #probes = new CallbackList<TracepointProbe>();

  constructor(host: HostTracepoints, index: number) {
    this.#host = host;
    this.index = index;
    this.descriptor = host.list[index];
  }

  get name(): string {
    return this.descriptor.name;
  }

  get enabled(): boolean {
    return !this.#probes.empty;
  }

  /** Probes on it: raw ones, and one for each trace event in use. */
  get users(): number {
    return this.#probes.size;
  }

  /**
   * tracepoint_probe_register_prio(): probes of higher priority run first, those of equal priority as registered.
   * EEXIST for the same probe with the same data. A probe added during a hit waits for the next one.
   */
  register(probe: TracepointProbe, data: unknown, priority: number = DEFAULT_PRIORITY): void {
    const first = this.#probes.empty;
    this.#probes.add(probe, data, priority, `tracepoint ${this.name}`);
    if (first) this.#host.setEnabled(this.index, true);
  }

  /** tracepoint_probe_unregister(): when it returns the probe will not be called any more. ENOENT if it is not there. */
  unregister(probe: TracepointProbe, data: unknown): void {
    this.#probes.remove(probe, data, `tracepoint ${this.name}`);
    if (this.#probes.empty) this.#host.setEnabled(this.index, false);
  }

  /** Another probe in the place of `probe`, from the next hit on. ENOENT if that is not there. */
  replace(probe: TracepointProbe, data: unknown, next: TracepointProbe): void {
    this.#probes.replace(probe, data, next, `tracepoint ${this.name}`);
  }

  /** What was given with the probe behind which the next one of default priority comes. */
  get newest(): unknown {
    return this.#probes.newest;
  }

  /** A hit. */
  hit(args: Int32Array, cpu: number): void {
    const { entries, sole } = this.#probes;
    if (sole !== null) {
      sole.func(sole.data, args, cpu);
      return;
    }
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i];
      if (entry.active) entry.func(entry.data, args, cpu);
    }
  }
}
