import { readFileSync } from 'node:fs';
import type { BtfValue } from '../../src/btf/index.js';
import { createSim, type JournalEntry, JournalKind as Kind, type SimHost } from '../../src/host/sim/index.js';
import { type Call, Execution, type Pass, type PassReads, type Watch } from './execution.js';
import { pidOf } from './journal-models.js';
import { decode } from './layout.js';
import { type Moment, readStory, type Task, type World } from './story.js';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { type AttachOptions, Machine } from '../../src/machine/index.js';
import {
  type AttachTarget,
  type BpfMap,
  MapAccess,
  PerfEventArrayMap,
  type ProgramFault,
  RingBufferMap,
} from '../../src/runtime/index.js';

/** What a tool's user space does before and while it loads its object. */
export interface ToolSetup {
  /** Values of .rodata variables. */
  readonly variables?: Readonly<Record<string, BtfValue>>;
  /** Variables that hold the address of a symbol, which it finds in /proc/kallsyms. */
  readonly kallsyms?: Readonly<Record<string, string>>;
  /** Programs that it does not load: the alternatives that it has for other kernels. */
  readonly without?: readonly string[];
  /** Where it attaches programs whose section does not tell. */
  readonly targets?: Readonly<Record<string, AttachTarget>>;
  readonly attach?: Readonly<Record<string, AttachOptions>>;
  /** Functions whose calls the comparison asks for. */
  readonly watches?: readonly Watch[];
  /** What it asks for of the moments at which tracepoints are passed. */
  readonly reads?: PassReads;
  /** Entries and value sizes of maps that the object leaves open. */
  readonly maps?: Readonly<
    Record<string, { readonly maxEntries?: number; readonly valueSize?: number; readonly keySize?: number }>
  >;
}

export interface Workload {
  readonly workload?: string;
  readonly script?: string;
  readonly seed?: number;
  readonly cpus?: number;
  readonly memoryBytes?: number;
}

export interface ToolEvent {
  readonly map: string;
  readonly cpu: number | undefined;
  readonly data: Uint8Array;
}

const SLICE = 200_000;
/** Where a task that ends gives its children to init. */
const ORPHANS: Watch = { symbol: 'forget_original_parent' };
/** Kinds whose first argument is the task, and which are written with interrupts on. */
const KINDS_OF_TASKS: ReadonlySet<number> = new Set([
  Kind.SYSCALL_ENTER,
  Kind.SYSCALL_EXIT,
  Kind.EXIT,
  Kind.EXEC,
  Kind.DIRECT_RECLAIM,
]);

/** A tool's object on the simulator, from boot to the end of the workload. */
export class ToolSession {
  readonly host: SimHost;
  readonly machine: Machine;
  readonly spec: CollectionSpec;
  readonly collection: Collection;
  readonly execution: Execution;
  readonly events: ToolEvent[] = [];
  readonly faults: ProgramFault[] = [];
  /** Programs that were attached. */
  readonly attached: string[] = [];
  #spoil: number | null = null;

  constructor(path: string, setup: ToolSetup, workload: Workload) {
    this.host = createSim(workload);
    this.execution = new Execution(this.host, [ORPHANS, ...(setup.watches ?? [])], setup.reads);
    this.machine = new Machine(this.host, { onFault: (fault) => this.faults.push(fault) });
    this.spec = CollectionSpec.parse(readFileSync(path));
    const addresses = Object.entries(setup.kallsyms ?? {}).map(([name, symbol]): [string, BtfValue] => [
      name,
      this.host.symbols.lookup(symbol)?.address ?? 0n,
    ]);
    for (const [name, value] of [...Object.entries(setup.variables ?? {}), ...addresses]) {
      const variable = this.spec.variables.get(name);
      if (variable === undefined) throw new RangeError(`no variable ${name}`);
      variable.set(value);
    }
    for (const [name, size] of Object.entries(setup.maps ?? {})) this.spec.changeMap(name, size);
    const autoload = Object.fromEntries((setup.without ?? []).map((name) => [name, false]));
    this.collection = Collection.load(this.spec, this.machine.runtime, { autoload });
    for (const { name, program, attach } of this.collection.programs.values()) {
      this.machine.attach(program, setup.targets?.[name] ?? attach, setup.attach?.[name]);
      this.attached.push(name);
    }
  }

  /**
   * Makes what was delivered wrong in one place: bytes of an event, or of what the next question for a map or variable brings.
   * `choice` picks among the bytes that are not zero, the same one for the same number.
   */
  spoil(choice: number): void {
    const filled = this.events.filter(({ data }) => data.some((byte) => byte !== 0));
    const event = filled[choice % Math.max(filled.length, 1)];
    if (event !== undefined) event.data.set(spoiled(event.data, choice));
    else this.#spoil = choice;
  }

  /** Runs the workload to its end and takes in what comes out of the rings. */
  run(): this {
    const polls = [...this.collection.maps.values()].flatMap((map) => this.#poll(map));
    const drain = (): void => polls.forEach((poll) => poll());
    while (this.host.run({ ns: SLICE }) === 'time') drain();
    drain();
    if (this.host.oops !== null) throw new Error(this.host.oops.message);
    return this;
  }

  journal(kind: number): JournalEntry[] {
    return [...this.host.journal.entries(kind)];
  }

  /** What `tell` makes of the journal's entries and of the tasks as they were before each. */
  story<T>(tell: (moment: Moment, world: World) => Iterable<T>): T[] {
    const orphaned = new Map<number, number[]>();
    for (const { pid, ended } of this.execution.returnsOf(ORPHANS.symbol)) {
      orphaned.set(ended, [...(orphaned.get(ended) ?? []), pid]);
    }
    return [...readStory(this.host.journal.entries(), orphaned, tell)];
  }

  /** The task of each call, as it was when the call began. */
  tasksOf(calls: readonly Call[]): Map<Call, Task> {
    const byIndex = new Map<number, Call[]>();
    for (const call of calls) byIndex.set(call.begun, [...(byIndex.get(call.begun) ?? []), call]);
    const found = this.story(({ index }, world) =>
      (byIndex.get(index) ?? []).map((call) => [call, world.task(call.pid) ?? world.idle(call.cpu)] as const),
    );
    return new Map(found);
  }

  /**
   * When and where programs ran on a tracepoint, by the index of the entry that the kernel wrote beside it: the last one of that kind
   * on the CPU (of the task, where tasks may be preempted between both), or the next if the tracepoint comes first. A program's time is later or earlier than the entry's by what the
   * CPU executed between them, nothing else.
   */
  passes(kind: number, tracepoint: string, first: 'journal' | 'tracepoint' = 'journal'): Map<number, Pass> {
    const byTask = KINDS_OF_TASKS.has(kind);
    const found = new Map<number, Pass>();
    const { journal } = this.host;
    const step = first === 'journal' ? -1 : 1;
    for (const pass of this.execution.passes) {
      if (pass.name !== tracepoint) continue;
      let index = step < 0 ? pass.entries - 1 : pass.entries;
      while (index >= 0 && index < journal.length) {
        const entry = journal.at(index);
        if (entry.kind === kind && (byTask ? pidOf(entry.a) === pass.pid : entry.cpu === pass.cpu)) break;
        index += step;
      }
      found.set(index, pass);
    }
    return found;
  }

  /** Return addresses that a stack map keeps under an id; what the id says if it is an error. */
  stack(map: string, id: number): string {
    if (id < 0) return `errno ${-id}`;
    const found = this.elements(map).find(({ key }) => decode({ id: 'i32' }, key).id === id);
    if (found === undefined) return 'no stack';
    const { buffer, byteOffset, byteLength } = found.value;
    const view = new DataView(buffer, byteOffset, byteLength);
    const addresses = Array.from({ length: byteLength / 8 }, (_, i) => view.getBigUint64(8 * i, true));
    return addresses.filter((address) => address !== 0n).join(' ');
  }

  /** Keys and values of a map, each as a type of the object's BTF if one is named, else as bytes. */
  elements(name: string): { key: Uint8Array; value: Uint8Array }[] {
    const map = this.collection.maps.get(name);
    if (map === undefined) throw new RangeError(`no map ${name}`);
    const found = [...new MapAccess(map)].map(([key, value]) => ({ key, value }));
    const at = this.#takeSpoil();
    if (at === null || found.length === 0) return found;
    return found.map(({ key, value }, i) => ({ key, value: i === at % found.length ? spoiled(value, at) : value }));
  }

  /** A global variable as the programs left it. */
  variable(name: string): BtfValue {
    const variable = this.collection.variables.get(name);
    if (variable === undefined) throw new RangeError(`no variable ${name}`);
    const value = variable.get();
    const at = this.#takeSpoil();
    return at === null ? value : oneMore(value, { left: at });
  }

  #takeSpoil(): number | null {
    const taken = this.#spoil;
    this.#spoil = null;
    return taken;
  }

  close(): void {
    this.machine.close();
    this.collection.close();
  }

  #poll(map: BpfMap): (() => void)[] {
    const keep = (cpu: number | undefined, data: Uint8Array): void => {
      this.events.push({ map: map.name, cpu, data: data.slice() });
    };
    if (map instanceof RingBufferMap) {
      const reader = this.machine.readRings(map);
      return [() => void reader.poll(({ data }) => keep(undefined, data))];
    }
    if (!(map instanceof PerfEventArrayMap)) return [];
    const reader = this.machine.readPerf(map, { pages: 64 });
    return [() => void reader.poll(({ data, cpu }) => keep(cpu, data))];
  }
}

/** A copy in which one of the bytes that are not zero is another. */
function spoiled(bytes: Uint8Array, choice: number): Uint8Array {
  const copy = bytes.slice();
  const filled = [...copy.keys()].filter((at) => copy[at] !== 0);
  const at = filled[choice % Math.max(filled.length, 1)] ?? 0;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** A copy in which one of the numbers that are not zero is one more. */
function oneMore(value: BtfValue, count: { left: number }): BtfValue {
  if (Array.isArray(value)) return value.map((each: BtfValue) => oneMore(each, count));
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, oneMore(each, count)]));
  }
  if (typeof value === 'number' && value !== 0 && count.left-- === 0) return value + 1;
  return typeof value === 'bigint' && value !== 0n && count.left-- === 0 ? value + 1n : value;
}
