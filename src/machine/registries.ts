import type { Host, HostTracepoints } from '../host/index.js';
import {
  KprobeEvents,
  KprobePrograms,
  KprobeRegistry,
  KretprobeRegistry,
  Trampolines,
  UprobePrograms,
  UprobeRegistry,
} from '../kprobe/index.js';
import type { Uprobes } from './hooks/uprobe-hook.js';
import { Iterators } from '../iter/index.js';
import { PerfEvents } from '../perf/index.js';
import { RawTracepoints } from '../rawtp/index.js';
import type { Runtime } from '../runtime/index.js';
import { SoftwareEvents } from './software-events.js';
import { TracepointRegistry } from '../tracepoint/index.js';

interface Kprobes {
  readonly kprobes: KprobeRegistry;
  readonly kretprobes: KretprobeRegistry;
  readonly programs: KprobePrograms;
  readonly trampolines: Trampolines;
}

/**
 * The hook registries of one host. Each takes over its part of the host (traps, tracepoint hits) when it is first
 * needed: EOPNOTSUPP where the host has no such hooks.
 */
export class Registries {
  readonly host: Host;
  readonly perf: PerfEvents;
  readonly iterators: Iterators;
  readonly #runtime: Runtime;
  #tracepoints: TracepointRegistry | null = null;
  #rawTracepoints: RawTracepoints | null = null;
  #kprobes: Kprobes | null = null;
  #kprobeEvents: KprobeEvents | null = null;
  #uprobes: Uprobes | null = null;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.host = runtime.host;
    this.perf = new PerfEvents(runtime, new SoftwareEvents(runtime.host, () => this.tracepoints));
    this.iterators = new Iterators(runtime);
  }

  get tracepoints(): TracepointRegistry {
    this.#tracepoints ??= new TracepointRegistry(this.#runtime);
    return this.#tracepoints;
  }

  /** Kprobe events are trace events, also of a host that has no others. */
  get kprobeEvents(): KprobeEvents {
    this.#kprobeEvents ??= this.#makeKprobeEvents();
    return this.#kprobeEvents;
  }

  get rawTracepoints(): RawTracepoints {
    this.#rawTracepoints ??= new RawTracepoints(this.#runtime, this.tracepoints);
    return this.#rawTracepoints;
  }

  get kprobes(): Kprobes {
    this.#kprobes ??= this.#makeKprobes();
    return this.#kprobes;
  }

  /** EOPNOTSUPP where the host cannot follow the text of programs. */
  get uprobes(): Uprobes {
    this.#uprobes ??= this.#makeUprobes();
    return this.#uprobes;
  }

  /** The return probes, if any were ever needed. */
  get kretprobesInUse(): KretprobeRegistry | null {
    return this.#kprobes?.kretprobes ?? null;
  }

  /**
   * Gives the host back as it was: text restored, tracepoints off, samplers stopped. Traps are still taken where
   * calls are under way whose return address is the trampoline's.
   */
  close(): void {
    this.perf.close();
    this.#uprobes?.uprobes.close();
    this.#uprobes?.programs.close();
    if (this.#kprobes !== null) {
      this.#kprobes.kretprobes.close();
      this.#kprobes.kprobes.close();
      this.#kprobes.programs.close();
      this.#kprobes.trampolines.close();
    }
    this.#rawTracepoints?.close();
    this.#tracepoints?.close();
  }

  #makeKprobeEvents(): KprobeEvents {
    const { kprobes, kretprobes } = this.kprobes;
    this.#tracepoints ??= new TracepointRegistry(this.#runtime, this.host.tracepoints ?? noTracepoints());
    const traceEvents = this.#tracepoints;
    return new KprobeEvents(kprobes, kretprobes, {
      exists: (group, name) => traceEvents.events.some((event) => event.system === group && event.name === name),
      added: (event) => traceEvents.add(event),
      removing: ({ group, name }) => traceEvents.remove(group, name),
    });
  }

  #makeUprobes(): Uprobes {
    const uprobes = new UprobeRegistry(this.host);
    return { uprobes, programs: new UprobePrograms(this.#runtime, uprobes) };
  }

  #makeKprobes(): Kprobes {
    const kprobes = new KprobeRegistry(this.#runtime.host);
    const kretprobes = new KretprobeRegistry(kprobes);
    return {
      kprobes,
      kretprobes,
      programs: new KprobePrograms(this.#runtime, kprobes, kretprobes),
      trampolines: new Trampolines(this.#runtime, kprobes, kretprobes),
    };
  }
}

function noTracepoints(): HostTracepoints {
  return { list: [], setEnabled: () => undefined, setSink: () => undefined };
}
