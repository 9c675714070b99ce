import { BpfError } from '../base/index.js';
import { type HostTracepoints, nearestNames } from '../host/index.js';
import type { Runtime } from '../runtime/index.js';
import { RecordPool } from './event-record.js';
import { TraceEvent } from './trace-event.js';
import { Tracepoint } from './tracepoint.js';

/** Ids are u16 on the wire. */
const MAX_EVENT_ID = 0xffff;

/**
 * The tracepoints and trace events of one host. Events have ids from 1, in the host's order of tracepoints and, for
 * one tracepoint, of its events: the same host gives the same ids.
 */
export class TracepointRegistry {
  readonly tracepoints: readonly Tracepoint[];
  readonly #runtime: Runtime;
  readonly #host: HostTracepoints;
  readonly #records: RecordPool;
  readonly #byName: ReadonlyMap<string, Tracepoint>;
  readonly #byId = new Map<number, TraceEvent>();
  readonly #events = new Map<string, TraceEvent>();
  #lastId = 0;
  #closed = false;

  /**
   * Takes over the hits of the host. EOPNOTSUPP where it has no tracepoints; `source` are those to use instead, which may be
   * none.
   */
  constructor(runtime: Runtime, source: HostTracepoints | null = runtime.host.tracepoints) {
    if (source === null) {
      throw new BpfError('EOPNOTSUPP', `using tracepoints of ${runtime.host.name}`, { remedy: 'it has none' });
    }
    this.#runtime = runtime;
    this.#host = source;
    takeTracepoints(this.#host);
    this.#records = new RecordPool(runtime.memory, runtime.cpus);
    this.tracepoints = this.#open(source);
    this.#byName = new Map(this.tracepoints.map((tracepoint) => [tracepoint.name, tracepoint]));
  }

  /** In the order of their ids. */
  get events(): readonly TraceEvent[] {
    return [...this.#byId.values()];
  }

  /** Events that come while the machine runs (those of kprobes): they get the next ids. */
  add(source: HostTracepoints): void {
    this.#open(source);
  }

  /** Takes away an event that was added. ENOENT if it is not there, EBUSY while somebody listens to it. */
  remove(system: string, name: string): void {
    const event = this.event(system, name);
    if (event.enabled) {
      throw new BpfError('EBUSY', `removing trace event ${system}:${name}`, { remedy: 'somebody listens to it' });
    }
    this.#byId.delete(event.id);
    this.#events.delete(`${system}:${name}`);
  }

  /** ENOENT if the host has no such tracepoint. */
  tracepoint(name: string): Tracepoint {
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    throw new BpfError('ENOENT', `looking for tracepoint ${name}`, {
      value: name,
      remedy: similar(name, this.#byName.keys()),
    });
  }

  /** ENOENT if the host has no such trace event. */
  event(system: string, name: string): TraceEvent {
    const found = this.#events.get(`${system}:${name}`);
    if (found !== undefined) return found;
    throw new BpfError('ENOENT', `looking for trace event ${system}:${name}`, {
      value: `${system}:${name}`,
      remedy: similar(`${system}:${name}`, this.#events.keys()),
    });
  }

  /** The event with this id; ENOENT if there is none, 0 included. */
  eventById(id: number): TraceEvent {
    const found = this.#byId.get(id);
    if (found !== undefined) return found;
    throw new BpfError('ENOENT', 'looking for a trace event by id', {
      value: id,
      remedy: `ids go from 1 to ${this.#lastId}`,
    });
  }

  /** Stops receiving hits and gives the memory of records back. Idempotent, also when another registry has the host by then. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.setSink(null);
    taken.delete(this.#host);
    for (const { enabled, index } of this.tracepoints) if (enabled) this.#host.setEnabled(index, false);
    this.#records.free();
  }

  /** Tracepoints and events of `source`, whose hits are taken from now on. */
  #open(source: HostTracepoints): Tracepoint[] {
    const tracepoints = source.list.map((_, index) => new Tracepoint(source, index));
    for (const tracepoint of tracepoints) {
      for (const descriptor of tracepoint.descriptor.events) {
        const event = new TraceEvent(this.#runtime.host, this.#records, tracepoint, descriptor, this.#nextId());
        this.#byId.set(event.id, event);
        this.#events.set(`${event.system}:${event.name}`, event);
      }
    }
    source.setSink((index, args, cpu) => tracepoints[index].hit(args, cpu));
    return tracepoints;
  }

  #nextId(): number {
    const id = this.#lastId + 1;
    if (id > MAX_EVENT_ID) throw new BpfError('E2BIG', `numbering more than ${MAX_EVENT_ID} trace events`);
    this.#lastId = id;
    return id;
  }
}

/** Hosts whose one sink a registry holds: a second one would silence the first. */
const taken = new WeakSet<HostTracepoints>();

function takeTracepoints(host: HostTracepoints): void {
  if (taken.has(host)) {
    throw new BpfError('EBUSY', 'taking the tracepoints of a host', {
      remedy: 'another registry has them: close its machine first, or share it',
    });
  }
  taken.add(host);
}

function similar(name: string, known: Iterable<string>): string {
  const near = nearestNames(name, known);
  return near.length > 0 ? `similar names: ${near.join(', ')}` : 'the host offers none of this name';
}
