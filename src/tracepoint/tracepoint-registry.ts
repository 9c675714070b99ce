import { BpfError } from '../base/index.js';
import type { HostTracepoints } from '../host/index.js';
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
  readonly events: readonly TraceEvent[];
  readonly #host: HostTracepoints;
  readonly #records: RecordPool;
  readonly #byName: ReadonlyMap<string, Tracepoint>;
  readonly #events: ReadonlyMap<string, TraceEvent>;

  /** Takes over the hits of the host. EOPNOTSUPP where it has no tracepoints. */
  constructor(runtime: Runtime) {
    const { host, memory, cpus } = runtime;
    if (host.tracepoints === null) {
      throw new BpfError('EOPNOTSUPP', `using tracepoints of ${host.name}`, { remedy: 'it has none' });
    }
    this.#host = host.tracepoints;
    takeTracepoints(this.#host);
    this.#records = new RecordPool(memory, cpus);
    const tracepoints = host.tracepoints.list.map(
      (_, index) => new Tracepoint(host.tracepoints as HostTracepoints, index),
    );
    this.tracepoints = tracepoints;
    const events: TraceEvent[] = [];
    for (const tracepoint of tracepoints) {
      for (const descriptor of tracepoint.descriptor.events) {
        events.push(new TraceEvent(host, this.#records, tracepoint, descriptor, nextId(events)));
      }
    }
    this.events = events;
    this.#byName = new Map(tracepoints.map((tracepoint) => [tracepoint.name, tracepoint]));
    this.#events = new Map(events.map((event) => [`${event.system}:${event.name}`, event]));
    this.#host.setSink((index, args, cpu) => tracepoints[index].hit(args, cpu));
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
      remedy: similar(name, this.#events.keys()),
    });
  }

  /** The event with this id; ENOENT if there is none, 0 included. */
  eventById(id: number): TraceEvent {
    const found = this.events[id - 1];
    if (found !== undefined) return found;
    throw new BpfError('ENOENT', 'looking for a trace event by id', {
      value: id,
      remedy: `ids go from 1 to ${this.events.length}`,
    });
  }

  /** Stops receiving hits and gives the memory of records back. */
  close(): void {
    this.#host.setSink(null);
    taken.delete(this.#host);
    for (const { enabled, index } of this.tracepoints) if (enabled) this.#host.setEnabled(index, false);
    this.#records.free();
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

function nextId(events: readonly TraceEvent[]): number {
  const id = events.length + 1;
  if (id > MAX_EVENT_ID) throw new BpfError('E2BIG', `numbering more than ${MAX_EVENT_ID} trace events`);
  return id;
}

function similar(name: string, known: Iterable<string>): string {
  const near = [...known].filter((other) => other.includes(name) || name.includes(other)).slice(0, 3);
  return near.length > 0 ? `similar names: ${near.join(', ')}` : 'the host offers none of this name';
}
