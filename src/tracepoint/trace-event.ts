import { BpfError } from '../base/index.js';
import type { Host, TraceEventDescriptor } from '../host/index.js';
import { CallbackList, DEFAULT_PRIORITY } from './callback-list.js';
import { MAX_RECORD_SIZE, type EventRecord, type RecordPool } from './event-record.js';
import type { Tracepoint, TracepointProbe } from './tracepoint.js';

/** Receives the record of a hit, valid only during the call. `data` is what was given at registration. */
export type TraceEventConsumer = (data: unknown, record: EventRecord, cpu: number) => void;

/**
 * A trace event: turns hits of its tracepoint into records, for all its consumers at once. It is a probe on the
 * tracepoint while it has consumers. hits = records handed over + missed.
 */
export class TraceEvent {
  /** From 1 to 65535; what perf_event_attr.config and common_type hold. */
  readonly id: number;
  readonly descriptor: TraceEventDescriptor;
  readonly tracepoint: Tracepoint;
  /** Hits that were the event's own. */
  hits = 0;
  /** Hits without a record, because events were nested too deeply on the CPU. */
  missed = 0;
  readonly #host: Host;
  readonly #records: RecordPool;
  readonly #consumers = new CallbackList<TraceEventConsumer>();
  readonly #pid = new Int32Array(2);
  // Of the descriptor, whose shape is the host's.
  readonly #size: number;
  readonly #accepts: TraceEventDescriptor['accepts'];
  readonly #assign: TraceEventDescriptor['assign'];

  constructor(host: Host, records: RecordPool, tracepoint: Tracepoint, descriptor: TraceEventDescriptor, id: number) {
    if (descriptor.size > MAX_RECORD_SIZE) {
      throw new BpfError('EINVAL', `defining trace event ${descriptor.system}:${descriptor.name}`, {
        value: descriptor.size,
        remedy: `records have at most ${MAX_RECORD_SIZE} bytes`,
      });
    }
    this.id = id;
    this.descriptor = descriptor;
    this.tracepoint = tracepoint;
    this.#host = host;
    this.#records = records;
    this.#size = descriptor.size;
    this.#accepts = descriptor.accepts;
    this.#assign = descriptor.assign;
  }

  get system(): string {
    return this.descriptor.system;
  }

  get name(): string {
    return this.descriptor.name;
  }

  get enabled(): boolean {
    return !this.#consumers.empty;
  }

  get users(): number {
    return this.#consumers.size;
  }

  /** Higher priority first, then as registered. EEXIST for the same consumer with the same data. */
  register(consumer: TraceEventConsumer, data: unknown, priority: number = DEFAULT_PRIORITY): void {
    const first = this.#consumers.empty;
    this.#consumers.add(consumer, data, priority, `trace event ${this.system}:${this.name}`);
    if (first) this.tracepoint.register(buildRecord, this);
  }

  /** When it returns the consumer will not be called any more. ENOENT if it is not there. */
  unregister(consumer: TraceEventConsumer, data: unknown): void {
    this.#consumers.remove(consumer, data, `trace event ${this.system}:${this.name}`);
    if (this.#consumers.empty) this.tracepoint.unregister(buildRecord, this);
  }

  /** Another consumer in the place of `consumer`, from the next hit on. ENOENT if that is not there. */
  replace(consumer: TraceEventConsumer, data: unknown, next: TraceEventConsumer): void {
    this.#consumers.replace(consumer, data, next, `trace event ${this.system}:${this.name}`);
  }

  /** What was given with the consumer behind which the next one of default priority comes. */
  get newest(): unknown {
    return this.#consumers.newest;
  }

  /** A hit of the tracepoint, which may be one of other events only. */
  hit(args: Int32Array, cpu: number): void {
    const accepts = this.#accepts;
    if (accepts !== undefined && !accepts(args)) return;
    this.hits++;
    const record = this.#records.enter(cpu);
    if (record === null) {
      this.missed++;
      return;
    }
    try {
      this.#host.tasks.pidTgid(this.#pid);
      record.begin(this.#size, this.id, this.#pid[0]);
      const assign = this.#assign;
      assign(args, record, this.#host.memory);
      this.#deliver(record, cpu);
    } finally {
      this.#records.leave(cpu);
    }
  }

  #deliver(record: EventRecord, cpu: number): void {
    const { entries, sole } = this.#consumers;
    if (sole !== null) {
      sole.func(sole.data, record, cpu);
      return;
    }
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i];
      if (entry.active) entry.func(entry.data, record, cpu);
    }
  }
}

const buildRecord: TracepointProbe = (event, args, cpu) => (event as TraceEvent).hit(args, cpu);
