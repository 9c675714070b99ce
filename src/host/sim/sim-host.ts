import { BpfError } from '../../base/index.js';
import { x86_64 } from '../../arch/index.js';
import { parseBtf } from '../../btf/index.js';
import type { Btf } from '../../btf/index.js';
import { SIM_KCONFIG } from './sim-kconfig.js';
import type { DrivenHost, HostCapabilities } from '../host.js';
import { type KernelSymbol, SymbolTable } from '../symbol-table.js';
import type { DiskEntry } from './disk-directory.js';
import { encodedSimImage } from './image.js';
import { KernelLayout } from './kernel-layout.js';
import { describeOops } from './oops.js';
import type { InsnTrace } from './cpu/x86-cpu.js';
import type { SimJournal } from './machine/sim-journal.js';
import { type MachineOops, type RunLimits, SimMachine, type StopReason } from './machine/sim-machine.js';
import { addFiles, type SimFile } from './script/own-files.js';
import { renderScript } from './script/render-script.js';
import type { SimStep } from './script/sim-step.js';
import { SimClock } from './sim-clock.js';
import { type EncodedSimImage, decodeBase64 } from './sim-image.js';
import { SimMemory } from './sim-memory.js';
import { SimSampler } from './sim-sampler.js';
import { SimStacks } from './sim-stacks.js';
import { SimTasks } from './sim-tasks.js';
import { SimText } from './sim-text.js';
import { SimUserText } from './sim-user-text.js';
import { SimTracepoints } from './sim-tracepoints.js';

/** How a simulated machine is set up. The same options give the same machine, byte for byte. */
export interface SimOptions {
  /** Seed of everything that is left to chance: 1 if absent. */
  readonly seed?: bigint | number;
  /** 1 to 8, 2 if absent. */
  readonly cpus?: number;
  /** Bytes of memory, 32 MiB if absent, at least 24 MiB. */
  readonly memoryBytes?: number;
  /** shell, compile, web, io, storm, memory, mixed (if absent) or endless: what init runs. */
  readonly workload?: string;
  /** What init runs instead of `workload`: steps, which are checked before the machine boots, or a script for /bin/sh. */
  readonly script?: string | readonly SimStep[];
  /** Files of one's own by path, programs among them; directories on the way are made. */
  readonly files?: Readonly<Record<string, SimFile>>;
  /** Of a thousand packets, how many the loopback device loses: 0 if absent, at most 500. TCP sends them again. */
  readonly packetLoss?: number;
  /** Of a thousand packets, how many the loopback device holds back for a few ticks, so that later ones overtake: 0 if absent, at most 500. */
  readonly packetReorder?: number;
  /** Virtual nanoseconds an instruction takes, 10 if absent. */
  readonly nsPerInsn?: number;
  /** Nanoseconds of a scheduler tick, 1000000 if absent. */
  readonly tickNs?: bigint;
}

/** How the kernel ended. */
export interface SimOops extends MachineOops {
  /** A few lines: the reason, where, registers, the call trace with symbols. */
  readonly message: string;
}

/** The scripts /etc/rc.* of the machine's disk. */
const WORKLOADS: readonly string[] = ['shell', 'compile', 'web', 'io', 'mixed', 'storm', 'memory', 'endless'];

/** CLOCK_REALTIME at boot before the seed moves it: 2023-11-14T22:13:20Z. */
const EPOCH_NS = 1_700_000_000_000_000_000n;
const SHARE_MAX = 500;
const DISK_SECTORS = 131_072n;

/** The embedded host: an x86_64 machine with its own kernel. See docs/simulator.md. */
export class SimHost implements DrivenHost {
  readonly name = 'sim';
  readonly kconfig = SIM_KCONFIG;
  readonly arch: typeof x86_64 = x86_64;
  readonly cpus: number;
  readonly capabilities: HostCapabilities = {
    kprobes: true,
    kretprobes: true,
    singleStep: true,
    tracepoints: true,
    sampling: true,
    userMemory: true,
    stopsClock: true,
  };
  readonly memory: SimMemory;
  readonly symbols: SymbolTable;
  readonly btf: Btf;
  readonly clock: SimClock;
  readonly tasks: SimTasks;
  readonly stacks: SimStacks;
  readonly text: SimText;
  readonly userText: SimUserText;
  readonly tracepoints: SimTracepoints;
  readonly sampler: SimSampler;
  /** Symbols of the user programs by path; their addresses are user addresses. */
  readonly programs: ReadonlyMap<string, SymbolTable>;
  readonly #machine: SimMachine;

  constructor(options: SimOptions = {}, image: EncodedSimImage = encodedSimImage) {
    const seed = BigInt(options.seed ?? 1);
    const tickNs = checkedTick(options.tickNs ?? 1_000_000n);
    const realtimeNs = EPOCH_NS + BigInt.asUintN(20, seed * 0x9e3779b9n) * 1_000_000_000n;
    this.cpus = checkedCpus(options.cpus ?? 2);
    this.symbols = new SymbolTable(parseSymbols(image.symbols, image.base));
    const slots = this.symbols.lookup('kprobe_insn_pages');
    const exec = { from: slots?.address ?? 0n, to: (slots?.address ?? 0n) + (slots?.size ?? 0n) };
    const own = addFiles(image, options.files ?? {});
    const { entries } = own.directory;
    this.#machine = new SimMachine(image, {
      files: own.chunks,
      exec,
      memoryBytes: options.memoryBytes ?? 32 << 20,
      nsPerInsn: checkedNs(options.nsPerInsn ?? 10),
      cpus: this.cpus,
      seed,
      tickNs,
      realtimeNs,
      diskSectors: DISK_SECTORS,
      workload: checkedWorkload(options.workload ?? 'mixed'),
      script: scriptOf(options.script ?? '', entries),
      packetLoss: checkedShare('packetLoss', options.packetLoss ?? 0),
      packetReorder: checkedShare('packetReorder', options.packetReorder ?? 0),
    });
    const machine = this.#machine;
    this.programs = new Map(
      [...image.programs, ...own.programs].map(({ path, symbols }) => [
        path,
        new SymbolTable(parseSymbols(symbols, 0n)),
      ]),
    );
    this.btf = parseBtf(decodeBase64(image.btf));
    const layout = new KernelLayout(this.btf, this.symbols);
    this.memory = new SimMemory(machine, layout);
    this.clock = new SimClock(machine, realtimeNs, tickNs);
    this.tasks = new SimTasks(machine, this.memory, layout);
    this.stacks = new SimStacks(machine, this.memory, this.tasks, layout);
    this.text = new SimText(machine, this.memory, layout, image, exec);
    this.userText = new SimUserText(machine, {
      entries,
      memory: this.memory,
      tasks: this.tasks,
      layout,
      programs: this.programs,
    });
    this.tracepoints = new SimTracepoints(machine, image, this.memory, {
      layout,
      tasks: this.tasks,
      clock: this.clock,
    });
    this.sampler = new SimSampler(machine, this.memory);
  }

  currentCpu(): number {
    return this.#machine.running ? this.#machine.currentCpu : 0;
  }

  /**
   * Lets the machine run until a limit is reached, its workload has ended, or its kernel has given up. Traps,
   * tracepoints and samples are delivered from within. May be called again to go on. RangeError for a limit that is no
   * number: it would never be reached.
   */
  run(limits: RunLimits = {}): StopReason {
    checkLimit('ns', limits.ns);
    checkLimit('instructions', limits.instructions);
    return this.#machine.run(limits);
  }

  /** Nothing outside of this process is held. */
  close(): void {
    this.text.setTrapHandler(null);
  }

  /** What really happened, written by the kernel where it happens; no tracing touches it. */
  get journal(): SimJournal {
    return this.#machine.journal;
  }

  /** What the machine has printed so far. */
  get console(): string {
    return this.#machine.console;
  }

  /** How the kernel ended, or null while it lives. */
  get oops(): SimOops | null {
    const { oops } = this.#machine;
    return oops === null ? null : { ...oops, message: describeOops(oops, this.symbols, this.stacks) };
  }

  /** Instructions executed since boot, by all CPUs. */
  get executed(): number {
    return this.#machine.executed;
  }

  /** Reports each instruction executed on any CPU; null stops it. Costs nothing when off. */
  traceInstructions(trace: InsnTrace | null): void {
    for (const cpu of this.#machine.cpus) cpu.trace = trace;
  }

  /** A digest of all physical memory, for comparing runs: 64 bits, FNV over words. Not cryptographic. */
  memoryDigest(): string {
    let low = 0x811c_9dc5 | 0;
    let high = 0x1000_0193 | 0;
    const { words, size } = this.#machine.physical;
    for (const word of words.subarray(0, size >> 2)) {
      low = Math.imul(low ^ word, 0x0100_0193);
      high = Math.imul(high ^ (word + low), 0x85eb_ca6b);
    }
    return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');
  }
}

/** A machine ready to boot. */
export function createSim(options: SimOptions = {}): SimHost {
  return new SimHost(options);
}

function checkedCpus(cpus: number): number {
  if (Number.isInteger(cpus) && cpus >= 1 && cpus <= 8) return cpus;
  throw new RangeError(`cpus: ${cpus}; the simulated kernel runs on 1 to 8`);
}

function checkedWorkload(name: string): string {
  if (WORKLOADS.includes(name)) return name;
  throw new BpfError('ENOENT', `no workload ${name}`, { value: name, remedy: `there are ${WORKLOADS.join(', ')}` });
}

function scriptOf(script: string | readonly SimStep[], entries: readonly DiskEntry[]): string {
  if (typeof script === 'string') return script;
  const paths = new Set(entries.map(({ path }) => path));
  return renderScript(script, (name) => paths.has(`/bin/${name}`));
}

function checkedShare(name: string, share: number): number {
  if (!(Number.isInteger(share) && share >= 0 && share <= SHARE_MAX)) {
    throw new RangeError(`${name} ${share}: of a thousand packets, 0 to ${SHARE_MAX}`);
  }
  return share;
}

function checkedTick(ns: bigint): bigint {
  if (typeof ns === 'bigint' && ns >= 1n) return ns;
  throw new RangeError(`tickNs: ${ns}; a bigint from 1n`);
}

function checkLimit(name: string, limit: number | undefined): void {
  if (limit === undefined || (typeof limit === 'number' && !Number.isNaN(limit))) return;
  throw new RangeError(`a run to ${name} ${String(limit)}: give a number`);
}

function checkedNs(ns: number): number {
  if (Number.isInteger(ns) && ns >= 1 && ns <= 1000) return ns;
  throw new RangeError(`nsPerInsn: ${ns}; a whole number from 1 to 1000`);
}

function parseSymbols(text: string, base: bigint): KernelSymbol[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [address, size, type, name] = line.split(' ') as [string, string, string, string];
      return { name, address: base + BigInt(`0x${address}`), size: BigInt(`0x${size}`), type };
    });
}
