import type { PtRegs } from '../../arch/index.js';
import type { HostTracepoints, TraceEventDescriptor, TraceRecord, TracepointSink } from '../../host/index.js';
import type { Kprobe } from '../kprobe.js';
import type { Kretprobe } from '../kretprobe.js';
import type { FetchStore } from './compile-store.js';
import type { EventDefinition } from './event-definition.js';
import type { EventLayout } from './event-layout.js';

/** One probe of an event, with arguments of its own that fit the event's record. */
export interface EventProbe {
  readonly definition: EventDefinition;
  readonly stores: readonly FetchStore[];
  /** Null while nothing is at its place that could be probed (a module that is not loaded). */
  probe: Kprobe | Kretprobe | null;
}

/** The hit that is being recorded. */
interface Hit {
  regs: PtRegs | null;
  stores: readonly FetchStore[];
  /** Address of the probe, or of the function that returned. */
  lo: number;
  hi: number;
}

const NO_ARGS = new Int32Array(0);

/**
 * A kprobe event: probes at one or several places whose hits become records of one layout. It is offered as a host offers a
 * tracepoint, with one trace event: what registers a sink and turns it on has the records. Nothing is allocated per hit.
 */
export class KprobeEvent implements HostTracepoints {
  readonly group: string;
  readonly name: string;
  readonly isReturn: boolean;
  readonly layout: EventLayout;
  readonly descriptor: TraceEventDescriptor;
  readonly list: HostTracepoints['list'];
  readonly #probes: EventProbe[] = [];
  readonly #switchProbe: (probe: EventProbe, enabled: boolean) => void;
  readonly #hit: Hit = { regs: null, stores: [], lo: 0, hi: 0 };
  /** Where the address of the probe or the function stands, and that of the return, or -1. */
  readonly #ipAt: number;
  readonly #retAt: number;
  readonly #wordSize: number;
  #sink: TracepointSink | null = null;
  #enabled = false;

  constructor(
    { group, event, isReturn }: EventDefinition,
    layout: EventLayout,
    switchProbe: (probe: EventProbe, enabled: boolean) => void,
  ) {
    this.group = group;
    this.name = event;
    this.isReturn = isReturn;
    this.layout = layout;
    this.#switchProbe = switchProbe;
    const [address] = layout.fields;
    this.#ipAt = address.offset;
    this.#wordSize = address.size;
    this.#retAt = isReturn ? layout.fields[1].offset : -1;
    const { fields, size, printFmt } = layout;
    this.descriptor = {
      system: group,
      name: event,
      fields,
      size,
      printFmt,
      assign: (_args, record) => this.#assign(record),
    };
    this.list = [{ name: `${group}:${event}`, args: [], writableSize: 0, events: [this.descriptor] }];
  }

  /** Oldest first. */
  get probes(): readonly EventProbe[] {
    return this.#probes;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** Hits that were handled, and those that the kernel counts as missed. */
  get counts(): { readonly hits: number; readonly missed: number } {
    let [hits, missed] = [0, 0];
    for (const { probe } of this.#probes) {
      if (probe === null) continue;
      hits += 'entry' in probe ? probe.nreturned : probe.nhit;
      missed += 'entry' in probe ? probe.nmissed + probe.entry.nmissed : probe.nmissed;
    }
    return { hits, missed };
  }

  setEnabled(_index: number, enabled: boolean): void {
    this.#enabled = enabled;
    for (const probe of this.#probes) this.#switchProbe(probe, enabled);
  }

  setSink(sink: TracepointSink | null): void {
    this.#sink = sink;
  }

  add(probe: EventProbe): void {
    this.#probes.push(probe);
  }

  remove(probe: EventProbe): void {
    this.#probes.splice(this.#probes.indexOf(probe), 1);
  }

  /** A hit of one of the probes; `lo` and `hi` are where it stands, or the function that returned. */
  hit(stores: readonly FetchStore[], lo: number, hi: number, regs: PtRegs, cpu: number): void {
    const hit = this.#hit;
    // A listener cannot be hit on its own CPU, and hosts deliver one CPU's hit at a time.
    hit.regs = regs;
    hit.stores = stores;
    hit.lo = lo;
    hit.hi = hi;
    this.#sink?.(0, NO_ARGS, cpu);
  }

  #assign(record: TraceRecord): void {
    const { regs, stores, lo, hi } = this.#hit;
    if (regs === null) return;
    putWord(record, this.#ipAt, this.#wordSize, lo, hi);
    const { ip } = regs.layout;
    if (this.#retAt >= 0) putWord(record, this.#retAt, this.#wordSize, regs.lo(ip), regs.hi(ip));
    for (let i = 0; i < stores.length; i++) stores[i](regs, record);
  }
}

function putWord({ view, start }: TraceRecord, offset: number, size: number, lo: number, hi: number): void {
  view.setInt32(start + offset, lo, true);
  if (size === 8) view.setInt32(start + offset + 4, hi, true);
}
