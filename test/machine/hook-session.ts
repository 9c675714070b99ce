import { readFileSync } from 'node:fs';
import { createSim, type SimHost, type SimOptions } from '../../src/host/sim/index.js';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { type AttachOptions, type Link, Machine } from '../../src/machine/index.js';
import { type AttachTarget, type EngineChoice, type ProgramFault, RingBufferMap } from '../../src/runtime/index.js';
import { eventDecoder } from '../../src/runtime/index.js';
import { instance } from '../support/instance.js';

/** struct hook_event of test/testdata/hook-objects/hooks.bpf.c */
export interface HookEvent {
  readonly hook: string;
  readonly args: readonly bigint[];
  readonly ret: bigint;
  readonly cookie: bigint;
  readonly ip: bigint;
  readonly pid_tgid: bigint;
  readonly frames: bigint;
  readonly stack: readonly bigint[];
  readonly text: string;
}

export interface HookSessionOptions extends SimOptions {
  /** Values of the object's constants. */
  readonly constants?: Readonly<Record<string, number>>;
  /** How to attach each program; default: by its section, with a cookie of 100 and more. */
  readonly attach?: Readonly<Record<string, AttachOptions & { readonly target?: AttachTarget }>>;
  readonly engine?: EngineChoice['engine'];
}

const SLICE = 200_000;

/** The simulated machine with programs of the object hooks.bpf.o, by name. */
export class HookSession {
  readonly host: SimHost;
  readonly machine: Machine;
  readonly collection: Collection;
  readonly links = new Map<string, Link>();
  readonly events: HookEvent[] = [];
  readonly faults: ProgramFault[] = [];

  constructor(programs: readonly string[], options: HookSessionOptions = {}) {
    this.host = createSim(options);
    const engine = options.engine === undefined ? {} : { engine: options.engine };
    this.machine = new Machine(this.host, { ...engine, onFault: (fault) => this.faults.push(fault) });
    const spec = CollectionSpec.parse(readFileSync(new URL('../testdata/hook-objects/hooks.bpf.o', import.meta.url)));
    for (const [name, value] of Object.entries(options.constants ?? {})) spec.variables.get(name)?.set(BigInt(value));
    this.collection = Collection.load(spec, this.machine.runtime, { programs });
    [...this.collection.programs.values()].forEach(({ name, program, attach }, i) => {
      const { target = attach, ...how } = options.attach?.[name] ?? {};
      this.links.set(name, this.machine.attach(program, target, { cookie: BigInt(100 + i), ...how }));
    });
  }

  /** Runs to the end of the workload, or for so many nanoseconds. */
  run(limit = Infinity): this {
    const ring = instance(this.collection.maps.get('events'), RingBufferMap);
    const { btf } = this.collection.spec;
    if (btf === null) throw new Error('the object has no BTF');
    const decode = eventDecoder(btf, 'hook_event');
    const reader = this.machine.readRings(ring);
    const drain = (): number => reader.poll(({ data }) => this.events.push(decode(data) as unknown as HookEvent));
    for (let ns = 0; ns < limit && this.host.run({ ns: SLICE }) === 'time'; ns += SLICE) drain();
    drain();
    reader.close();
    if (this.host.oops !== null) throw new Error(this.host.oops.message);
    return this;
  }

  /** What the program of one hook has seen. */
  of(hook: string): HookEvent[] {
    return this.events.filter((event) => event.hook === hook);
  }

  /** Names of the functions on an event's stack, innermost first, with offsets if wanted. */
  stack({ frames, stack }: HookEvent, offsets = false): string[] {
    return stack.slice(0, Number(frames) / 8).map((address) => {
      const text = this.host.symbols.format(address);
      return offsets ? text : text.replace(/\+.*/, '');
    });
  }

  address(symbol: string): bigint {
    return this.host.symbols.lookup(symbol)?.address ?? 0n;
  }
}
