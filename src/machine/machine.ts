import { BpfError } from '../base/index.js';
import type { Host } from '../host/index.js';
import type { IterOptions } from '../iter/index.js';
import type { KprobeEvents, KprobeRegistry, KretprobeRegistry, UprobeRegistry } from '../kprobe/index.js';
import {
  openPerfBuffer,
  type PerfBufferOptions,
  type PerfEvents,
  type PerfReader,
  perfRingLedger,
} from '../perf/index.js';
import type { RawTracepoints } from '../rawtp/index.js';
import {
  type AttachTarget,
  type BpfMap,
  type BpfFs,
  type BpfProgram,
  BpfRuntime,
  type BpfRuntimeOptions,
  EventReader,
  type EventType,
  type LedgerRow,
  LossLedger,
  PerfEventArrayMap,
  type ProgramFault,
  type ReaderOptions,
  type Poller,
  type PollerOptions,
  RingBufferMap,
  RingBufferReader,
} from '../runtime/index.js';
import type { TracepointRegistry } from '../tracepoint/index.js';
import type { SamplingOptions } from './hooks/perf-hook.js';
import { Link } from './link.js';
import { openPoller } from './open-poller.js';
import { listProbes, type ProbeInfo } from './probe-list.js';
import { probedHost } from './probed-host.js';
import { Registries } from './registries.js';
import { resolveTarget } from './resolve-target.js';
import { RingAccounts } from './ring-accounts.js';

export interface AttachOptions extends SamplingOptions, IterOptions {
  /** What bpf_get_attach_cookie answers; default 0. */
  readonly cookie?: bigint;
}

/** What the machine needs of the readers it hands out. */
interface ClosableReader {
  readonly closed: boolean;
  close(): void;
  once(event: 'end', listener: () => void): unknown;
}

export interface MachineOptions extends BpfRuntimeOptions {
  /** Told of each run that had to stop, at the hook: must be quick and must not throw. */
  readonly onFault?: (fault: ProgramFault, cpu: number) => void;
}

/**
 * A host with everything that instruments it: one BPF runtime, the registries of its hooks, the links of programs to
 * them, the readers of their rings, and the books of what was lost. Programs of one hook run in the order in
 * which they were attached; those of a kprobe in the opposite order, as Linux runs them.
 */
export class Machine {
  readonly host: Host;
  readonly runtime: BpfRuntime;
  /** Hits of every link and records of every ring, and what became of them. */
  readonly ledger = new LossLedger();
  readonly #registries: Registries;
  readonly #rings: RingAccounts;
  readonly #links = new Map<Link, () => void>();
  readonly #readers = new Set<ClosableReader>();
  readonly #onFault: MachineOptions['onFault'];
  #lastLinkId = 0;
  #closed = false;

  /** Throws what the runtime throws; the host is not touched before something is attached. */
  constructor(host: Host, options: MachineOptions = {}) {
    this.host = host;
    this.#onFault = options.onFault;
    this.runtime = new BpfRuntime(
      probedHost(host, () => this.#registries.kretprobesInUse),
      options,
    );
    this.#registries = new Registries(this.runtime);
    this.#rings = new RingAccounts(this.runtime, this.ledger);
  }

  /** The links that are attached or paused, oldest first. */
  get links(): readonly Link[] {
    return [...this.#links.keys()];
  }

  /** Names under /sys/fs/bpf that keep maps and programs alive, until the machine is closed. */
  get bpffs(): BpfFs {
    return this.runtime.bpffs;
  }

  get perf(): PerfEvents {
    return this.#registries.perf;
  }

  /** EOPNOTSUPP where the host has no tracepoints. */
  get tracepoints(): TracepointRegistry {
    return this.#registries.tracepoints;
  }

  /** EOPNOTSUPP where the host has no tracepoints. */
  get rawTracepoints(): RawTracepoints {
    return this.#registries.rawTracepoints;
  }

  /** EOPNOTSUPP where the host's text cannot be patched. */
  get kprobes(): KprobeRegistry {
    return this.#registries.kprobes.kprobes;
  }

  /** EOPNOTSUPP where the host's text cannot be patched. */
  get kretprobes(): KretprobeRegistry {
    return this.#registries.kprobes.kretprobes;
  }

  /**
   * What tracefs calls `kprobe_events`: the events written there are trace events of this machine, to which programs attach
   * as `tracepoint:GROUP:NAME`. EOPNOTSUPP where the host's text cannot be patched.
   */
  get kprobeEvents(): KprobeEvents {
    return this.#registries.kprobeEvents;
  }

  /** EOPNOTSUPP where the host does not follow which files its programs execute. */
  get uprobes(): UprobeRegistry {
    return this.#registries.uprobes.uprobes;
  }

  /**
   * Attaches `program` to the hook that `target` names. The link keeps the program alive until it is detached.
   * Throws a `BpfError` with Linux's errno: EINVAL where the program's type does not fit, ENOENT with similar names
   * where the host has no such place, EOPNOTSUPP where it has no such hooks, EBADF once the machine is closed, and what the
   * hook itself answers.
   */
  attach(program: BpfProgram, target: AttachTarget, options: AttachOptions = {}): Link {
    if (this.#closed) {
      throw new BpfError('EBADF', `attaching ${program.name}: the machine is closed`, {
        remedy: 'make another Machine of the same host',
      });
    }
    const hook = resolveTarget(this.runtime, this.#registries, program, target, options);
    const { cookie } = options;
    const hookOptions = {
      ...(cookie === undefined ? {} : { cookie }),
      ...(this.#onFault === undefined ? {} : { onFault: this.#onFault }),
    };
    const link = new Link(++this.#lastLinkId, target, hook, program, hookOptions, (detached) => this.#forget(detached));
    this.#links.set(link, this.ledger.open(link));
    return link;
  }

  /** A reader of ring buffer maps. It keeps the maps until it is closed. EINVAL for a map of another type. */
  readRings(maps: RingBufferMap | readonly RingBufferMap[], options: ReaderOptions = {}): RingBufferReader {
    [maps].flat().forEach(needRing);
    return this.#keepMaps(new RingBufferReader(this.runtime.memory, maps, options));
  }

  /** As `readRings`, for records of one type. */
  readEvents<E extends object>(
    maps: RingBufferMap | readonly RingBufferMap[],
    type: EventType<E>,
    options: ReaderOptions = {},
  ): EventReader<E> {
    [maps].flat().forEach(needRing);
    return this.#keepMaps(new EventReader(maps, type, options));
  }

  /**
   * Gives a perf event array one ring per CPU and reads them. Closing the reader takes the rings away again. EINVAL for a map of
   * another type.
   */
  readPerf(map: PerfEventArrayMap, options: PerfBufferOptions = {}): PerfReader {
    if (!(map instanceof PerfEventArrayMap)) throw cannotRead(map);
    const reader = openPerfBuffer(this.perf, map, options);
    map.retain();
    const accounts = reader.rings.map((ring, cpu) => this.ledger.open(perfRingLedger(`${map.name}/cpu${cpu}`, ring)));
    this.#keep(reader, () => {
      for (const close of accounts) close();
      map.release();
    });
    return reader;
  }

  /**
   * One reader of ring buffers and perf event arrays, as many and as mixed as wanted; it keeps them until it is closed. EINVAL
   * for a map of another type.
   */
  openPoller(maps: readonly BpfMap[], options: PollerOptions & Pick<PerfBufferOptions, 'pages'> = {}): Poller {
    const { pages } = options;
    return this.#keepReader(
      openPoller(
        maps,
        options,
        (map) => this.readPerf(map, pages === undefined ? {} : { pages }),
        (map) => this.readRings(needRing(map)),
      ),
    );
  }

  /** The probes the host offers whose name matches `glob`; see `listProbes`. */
  list(glob?: string): ProbeInfo[] {
    return listProbes(this.host, glob);
  }

  /** The accounts of all links and rings up to now, those that are gone first. */
  ledgerRows(): LedgerRow[] {
    this.#rings.openNew();
    return this.ledger.rows();
  }

  /** The accounts when nobody reads on: what is still in rings is lost. */
  finalLedgerRows(): LedgerRow[] {
    this.#rings.openNew();
    return this.ledger.finalRows();
  }

  /**
   * Closes all readers, detaches all links and gives the host back as it was. The runtime, its maps and programs
   * stay readable. Idempotent, also when the host has another machine by then.
   */
  close(): void {
    for (const reader of this.#readers) reader.close();
    if (this.#closed) return;
    this.#closed = true;
    for (const link of this.links) link.detach();
    this.#registries.close();
    this.bpffs.clear();
  }

  #forget(link: Link): void {
    this.#links.get(link)?.();
    this.#links.delete(link);
  }

  #keepMaps<R extends ClosableReader & { readonly maps: readonly RingBufferMap[] }>(reader: R): R {
    for (const map of reader.maps) map.retain();
    this.#keep(reader, () => {
      for (const map of reader.maps) map.release();
    });
    return reader;
  }

  #keepReader<R extends ClosableReader>(reader: R): R {
    this.#keep(reader, () => undefined);
    return reader;
  }

  #keep(reader: ClosableReader, onEnd: () => void): void {
    this.#rings.openNew();
    this.#readers.add(reader);
    const end = (): void => {
      this.#readers.delete(reader);
      onEnd();
    };
    if (reader.closed) end();
    else reader.once('end', end);
  }
}

function needRing(map: BpfMap): RingBufferMap {
  if (map instanceof RingBufferMap) return map;
  throw cannotRead(map);
}

function cannotRead(map: BpfMap): BpfError {
  return new BpfError('EINVAL', `reading map ${map.name}`, {
    value: map.type,
    remedy: 'ring buffers and perf event arrays can be read',
  });
}
