import type { Runtime } from '../runtime/index.js';
import type { PerfEventAttr } from './perf-event-attr.js';
import { PerfEvent } from './perf-event.js';
import { checkPerfOpen, type PerfEventTarget } from './perf-open-rules.js';
import { NO_SOFTWARE_EVENTS, type SoftwareSource } from './software-source.js';

/** The perf events of one runtime: opens them, numbers them from 1, and closes what is left. */
export class PerfEvents {
  readonly #runtime: Runtime;
  readonly #software: SoftwareSource;
  readonly #open = new Set<PerfEvent>();
  #lastId = 0n;

  /** `software`: events that are counted, as far as the machine tells of them. */
  constructor(runtime: Runtime, software: SoftwareSource = NO_SOFTWARE_EVENTS) {
    this.#runtime = runtime;
    this.#software = software;
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
    checkPerfOpen(attr, target, this.#runtime.host, this.#software);
    const onClose = (closed: PerfEvent): void => void this.#open.delete(closed);
    const event = new PerfEvent(this.#runtime, ++this.#lastId, attr, target, onClose, this.#software);
    this.#open.add(event);
    return event;
  }

  /** Closes every event. */
  close(): void {
    for (const event of this.list) event.close();
  }
}
