import type { Runtime } from '../runtime/index.js';
import type { PerfEventAttr } from './perf-event-attr.js';
import { PerfEvent } from './perf-event.js';
import { checkPerfOpen, type PerfEventTarget } from './perf-open-rules.js';

/** The perf events of one runtime: opens them, numbers them from 1, and closes what is left. */
export class PerfEvents {
  readonly #runtime: Runtime;
  readonly #open = new Set<PerfEvent>();
  #lastId = 0n;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** CPUs of the host. */
  get cpus(): number {
    return this.#runtime.cpus;
  }

  /** The open events in the order they were opened. */
  get list(): readonly PerfEvent[] {
    return [...this.#open];
  }

  /**
   * perf_event_open(2): the event starts at once unless its attribute says `disabled`. Throws what Linux
   * would answer, and EOPNOTSUPP for an attribute that asks for something kscope does not have.
   */
  open(attr: PerfEventAttr, target: PerfEventTarget): PerfEvent {
    checkPerfOpen(attr, target, this.#runtime.host);
    const event = new PerfEvent(this.#runtime, ++this.#lastId, attr, target, (closed) => this.#open.delete(closed));
    this.#open.add(event);
    return event;
  }

  /** Closes every event. */
  close(): void {
    for (const event of this.list) event.close();
  }
}
