import { readFileSync } from 'node:fs';
import { createSim, type JournalEntry, type SimHost, type SimOptions } from '../../src/host/sim/index.js';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { type AttachOptions, Machine } from '../../src/machine/index.js';
import { type BpfMap, type ProgramFault, RingBufferMap, type RingRecord } from '../../src/runtime/index.js';
import { instance } from '../support/instance.js';

/** Virtual nanoseconds between two drains of the rings. */
const SLICE = 200_000;

/** A simulated machine that runs its workload to the end with the programs of one object attached. */
export class SimSession {
  readonly host: SimHost;
  readonly machine: Machine;
  readonly collection: Collection;
  readonly records: RingRecord[] = [];
  readonly faults: ProgramFault[] = [];

  constructor(object: string, options: SimOptions = {}, attach: AttachOptions = {}) {
    this.host = createSim(options);
    this.machine = new Machine(this.host, { onFault: (fault) => this.faults.push(fault) });
    const bytes = readFileSync(new URL(`../../examples/${object}`, import.meta.url));
    this.collection = Collection.load(CollectionSpec.parse(bytes), this.machine.runtime);
    for (const { program, attach: target } of this.collection.programs.values()) {
      this.machine.attach(program, target, attach);
    }
  }

  /** Runs to the end of the workload. */
  run(): this {
    const rings = [...this.collection.maps.values()].filter((map) => map instanceof RingBufferMap);
    const reader = this.machine.readRings(rings);
    while (this.host.run({ ns: SLICE }) === 'time') reader.poll((record) => this.records.push(record));
    reader.poll((record) => this.records.push(record));
    reader.close();
    if (this.host.oops !== null) throw new Error(this.host.oops.message);
    return this;
  }

  map(name: string): BpfMap {
    const map = this.collection.maps.get(name);
    if (map === undefined) throw new RangeError(`no map ${name}`);
    return map;
  }

  /** All keys and values of a map. */
  *elements(name: string): Generator<[Uint8Array, Uint8Array]> {
    const map = this.map(name);
    for (let key = map.sysNextKey(null); key instanceof Uint8Array; key = map.sysNextKey(key)) {
      yield [key, instance(map.sysLookup(key), Uint8Array)];
    }
  }

  journal(kind: number): JournalEntry[] {
    return [...this.host.journal.entries(kind)];
  }
}
