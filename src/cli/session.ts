import { BpfError } from '../base/index.js';
import type { Btf, BtfValue } from '../btf/index.js';
import type { DrivenHost } from '../host/index.js';
import { Collection, type CollectionProgram, CollectionSpec } from '../loader/index.js';
import { Machine, UserSymbols } from '../machine/index.js';
import {
  type BpfMap,
  eventDecoder,
  inferEventType,
  PerfEventArrayMap,
  type ProgramFault,
  RingBufferMap,
} from '../runtime/index.js';
import type { OpenedHost } from './hosts/opened-host.js';
import type { CliIo } from './io.js';
import type { RunOptions } from './run-options.js';
import { setVariables } from './set-variables.js';
import { UsageError } from './usage-error.js';

/** One record a program emitted. */
export interface SessionEvent {
  readonly map: string;
  readonly cpu: number | undefined;
  /** Struct it was decoded as; undefined where the object's BTF does not tell. */
  readonly type: string | undefined;
  readonly value: BtfValue | undefined;
  readonly data: Uint8Array;
}

/** What one program on an iterator wrote. */
export interface IterText {
  readonly program: string;
  readonly target: string;
  readonly text: string;
}

export type SessionListener = (event: SessionEvent) => void;

/** An object loaded and attached on a host, with readers on everything it emits. */
export class Session {
  readonly opened: OpenedHost;
  readonly machine: Machine;
  readonly collection: Collection;
  readonly userSymbols: UserSymbols;
  readonly #io: CliIo;
  readonly #options: RunOptions;
  readonly #polls: (() => void)[] = [];
  readonly #decoders = new Map<
    number,
    { type: string | undefined; decode: ((data: Uint8Array) => BtfValue) | undefined }
  >();
  #faults = 0;

  /**
   * Loads and attaches; throws what any of the steps throws, and then nothing of it is left on the host, which stays the
   * caller's to close.
   */
  constructor(opened: OpenedHost, options: RunOptions, io: CliIo, listener: SessionListener) {
    this.#io = io;
    this.#options = options;
    const spec = CollectionSpec.parse(io.readFile(options.file));
    setVariables(spec, options.variables);
    for (const { name, pinning } of spec.maps) if (pinning === 'by_name') io.err(unpinned(name));
    this.opened = opened;
    this.userSymbols = new UserSymbols(opened.host);
    this.machine = new Machine(this.host, { engine: options.engine, onFault: (fault) => this.#reportFault(fault) });
    try {
      this.collection = Collection.load(spec, this.machine.runtime);
      this.machine.runtime.tracePrintk = (line) => io.err(line);
      this.#openReaders(listener);
      this.#attachAll();
    } catch (error) {
      this.machine.close();
      throw error;
    }
  }

  get host(): DrivenHost {
    return this.opened.host;
  }

  get btf(): Btf | undefined {
    return this.collection.spec.btf ?? undefined;
  }

  /** Runs the host until its workload has ended, the duration is over, or Ctrl-C. */
  async run(): Promise<void> {
    let left = this.#options.duration;
    while (!this.#io.signal.aborted && (left === undefined || left > 0n)) {
      const { slice: most } = this.opened;
      const slice = left !== undefined && left < most ? left : most;
      const stopped = this.host.run({ ns: Number(slice) });
      this.#drain();
      if (left !== undefined) left -= slice;
      if (stopped !== 'time') break;
      await breathe();
    }
    const { oops } = this.host;
    if (oops !== null) throw new BpfError('EIO', `the kernel of host ${this.host.name} gave up: ${oops.message}`);
  }

  /** What the programs on iterators write now, in the order of the object. */
  *iterators(): Generator<IterText, void, undefined> {
    for (const link of this.machine.links) {
      const { target, program } = link;
      if (target.kind !== 'iter') continue;
      const file = link.openIter();
      try {
        yield { program: program.name, target: target.target, text: file.text() };
      } finally {
        file.close();
      }
    }
  }

  /** Detaches the programs, once what they have emitted is handed out. The maps stay, to be looked at, until `close`. */
  stop(): void {
    this.#drain();
    this.machine.close();
  }

  /** Gives maps and programs back. */
  close(): void {
    this.stop();
    this.collection.close();
  }

  #drain(): void {
    for (const poll of this.#polls) poll();
  }

  /** Programs whose sections tell no place are left out with a word, unless there are no others. */
  #attachAll(): void {
    const programs = [...this.collection.programs.values()];
    const placed = programs.filter(({ attach, autoattach }) => autoattach || attach.kind === 'perf_event');
    const isPlaced = new Set(placed);
    for (const program of placed.length === 0 ? programs : placed) this.#attach(program);
    for (const program of programs)
      if (!isPlaced.has(program))
        this.#io.err(`kscope: ${program.name} is not attached: its section ${program.section} names no place`);
  }

  #attach({ name, program, attach, section }: CollectionProgram): void {
    try {
      this.machine.attach(program, attach, { ...this.#options.sampling, ...this.#walkedMap() });
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      this.#io.err(`kscope: cannot attach ${name} (${section})`);
      throw error;
    }
  }

  /** The map that is named for iterators over elements. */
  #walkedMap(): { map?: BpfMap } {
    const { map: name } = this.#options;
    if (name === undefined) return {};
    const map = this.collection.maps.get(name);
    if (map !== undefined) return { map };
    throw new UsageError(`--map: no map "${name}"; there are: ${[...this.collection.maps.keys()].join(', ')}`);
  }

  #openReaders(listener: SessionListener): void {
    for (const map of this.collection.maps.values()) {
      if (map instanceof RingBufferMap) {
        const reader = this.machine.readRings(map);
        this.#polls.push(() => reader.poll(({ data }) => listener(this.#event(map.name, undefined, data, false))));
      } else if (map instanceof PerfEventArrayMap) {
        const reader = this.machine.readPerf(map);
        this.#polls.push(() => reader.poll(({ data, cpu }) => listener(this.#event(map.name, cpu, data, true))));
      }
    }
  }

  #event(map: string, cpu: number | undefined, data: Uint8Array, padded: boolean): SessionEvent {
    const { type, decode } = this.#decoder(data.length, padded);
    return { map, cpu, type, value: decode?.(data), data };
  }

  #decoder(
    size: number,
    padded: boolean,
  ): { type: string | undefined; decode: ((data: Uint8Array) => BtfValue) | undefined } {
    let decoder = this.#decoders.get(size);
    if (decoder === undefined) {
      const { kernelTypes } = this.collection.spec;
      const type = this.btf === undefined ? undefined : inferEventType(this.btf, size, padded, kernelTypes);
      decoder = {
        type,
        decode: type === undefined || this.btf === undefined ? undefined : eventDecoder(this.btf, type),
      };
      this.#decoders.set(size, decoder);
    }
    return decoder;
  }

  #reportFault({ program, pc, reason, source }: ProgramFault): void {
    this.#faults++;
    if (this.#faults > 5) return;
    this.#io.err(
      `kscope: ${program} stopped at instruction ${pc}: ${reason}${source === undefined ? '' : ` (${source})`}`,
    );
  }
}

/** What LIBBPF_PIN_BY_NAME comes to in a machine that ends with the command. */
function unpinned(map: string): string {
  return `kscope: map ${map} is pinned by name in a bpffs that ends with this run: it starts empty`;
}

/** Lets signals and streams have their turn. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
