import type { Arch } from '../../arch/index.js';
import { BpfError, hi32, lo32 } from '../../base/index.js';
import type { Btf } from '../../btf/index.js';
import type {
  DrivenHost,
  HostCapabilities,
  HostClock,
  HostRunLimits,
  HostStacks,
  HostTasks,
  SymbolTable,
} from '../index.js';
import type { PageTables } from '../guest/index.js';
import { ContextTasks, noStacks } from './context-tasks.js';
import { type ExecRoom, mapExecRoom, type PhysicalRoom } from './exec-room.js';
import { kernelRootOf } from './kernel-root.js';
import { MachineControl } from './machine-control.js';
import type { QemuMachine } from './qemu-machine.js';
import { QemuMemory } from './qemu-memory.js';
import { QemuText } from './qemu-text.js';
import { reservedRoom } from './reserved-room.js';
import type { RspStop } from './rsp/rsp-stop-reply.js';
import { TrapContext } from './trap-context.js';
import { freeRoom, linkReturnStub } from './traps/return-stub.js';
import { MailboxTraps } from './traps/mailbox-traps.js';
import { StubTraps } from './traps/stub-traps.js';
import { trapArchOf } from './traps/trap-archs.js';
import type { TrapArch } from './traps/trap-arch.js';
import type { TrapEngine } from './traps/trap-engine.js';
import { TrapStub } from './traps/trap-stub.js';

/** How a guest's traps are taken; docs/qemu.md compares them. */
export type QemuTrapKind = 'stub' | 'mailbox' | 'pvpanic';

/** What reads the guest's tasks and stacks, made once the machine can be read. */
export interface QemuGuestParts {
  readonly tasks?: HostTasks;
  readonly stacks?: HostStacks;
  readonly clock?: HostClock;
  /** Top page table of the current program; absent: the one in force, which the trap tells. */
  readonly userRoot?: () => number;
  /** Whether the instruction at `address` has an entry in the kernel's exception table. */
  readonly hasFixup?: (address: bigint) => boolean;
  /** Why the kernel keeps the instruction at `address` for itself, since it patches it; null: it does not. */
  readonly reserved?: (address: bigint) => string | null;
  /** Called when the machine has run and stands still. */
  readonly settle?: () => void;
}

export interface QemuHostOptions {
  /** Past its boot, and standing still. */
  readonly machine: QemuMachine;
  readonly arch: Arch;
  readonly symbols: SymbolTable;
  readonly btf?: Btf | null;
  /** As `findRunningKernel` finds them: what programs ask of the kernel as __kconfig externs. */
  readonly kernelVersion?: number | undefined;
  readonly kconfig?: string | undefined;
  /** `stub` if absent. */
  readonly trap?: QemuTrapKind;
  /** With `stub`: whether breakpoints are the stub's own (the default) or bytes in the guest's text. */
  readonly breakpoints?: 'stub' | 'bytes';
  /**
   * Physical memory that the guest does not use, or where to find some: what Linux keeps for a crash kernel. `mailbox` and
   * `pvpanic` need it, and so do return probes and slots.
   */
  readonly room?: PhysicalRoom | 'crashkernel';
  /** Executable memory of the guest that it does not use, for kernels without page tables of their own to write. */
  readonly execRoom?: ExecRoom;
  /** Differences to how Linux on this architecture takes traps. */
  readonly traps?: Partial<TrapArch>;
  /** Functions of a kernel that is no Linux on the way of a trap, there and back: never probed, waited for on removal. */
  readonly trapPath?: readonly string[];
  /** Tables and root where the CPU's registers do not tell. */
  readonly guest?: (host: QemuHost) => QemuGuestParts;
}

/** Pages of a room before those for slots: the stub, then the mailbox. Apart, since writes to code are slow. */
const PAGE = 4096;
const RESERVED = 2 * PAGE;

const OOPS = /(?:Kernel panic - not syncing|Oops(?:: |\s)|BUG: |Unable to handle kernel|Internal error: )[^\r\n]*/;

/** A machine under QEMU's emulation, and the kernel on it, as a host. */
export class QemuHost implements DrivenHost {
  readonly name = 'qemu';
  readonly arch: Arch;
  readonly cpus: number;
  readonly capabilities: HostCapabilities;
  readonly memory: QemuMemory;
  readonly symbols: SymbolTable;
  readonly btf: Btf | null;
  readonly kernelVersion: number | undefined;
  readonly kconfig: string | undefined;
  readonly clock: HostClock;
  readonly tasks: HostTasks;
  readonly stacks: HostStacks;
  readonly text: QemuText;
  readonly tracepoints = null;
  readonly sampler = null;
  /** Which CPU, task and address space the event being handled belongs to. */
  readonly context: TrapContext;
  readonly #machine: QemuMachine;
  readonly #control: MachineControl;
  readonly #engine: TrapEngine;
  readonly #settle: () => void;
  readonly #returnStub: string;
  readonly #room: ExecRoom | null;
  #closed = false;
  #oopsSearched = 0;
  #oops: { readonly message: string } | null = null;

  /** EOPNOTSUPP, ENOMEM where the guest does not have what the kind of trap needs. */
  constructor(options: QemuHostOptions) {
    const trap = options.trap ?? 'stub';
    const traps = trapsOf(options);
    const facts = { symbols: options.symbols, btf: options.btf ?? null };
    this.arch = options.arch;
    this.symbols = options.symbols;
    this.btf = facts.btf;
    this.kernelVersion = options.kernelVersion;
    this.kconfig = options.kconfig;
    this.#machine = options.machine;
    this.#control = new MachineControl(options.machine.client);
    const control = this.#control;
    control.client.physicalMemory(true);
    this.cpus = control.threads.length;
    control.cpu.load(control.threads[0]);
    const tables: PageTables = traps.tables(options.machine.ram, control.cpu);
    const root = kernelRootOf(traps, tables, options.symbols, control, () => this.context);
    this.context = new TrapContext(root);
    this.memory = new QemuMemory(options.machine.ram, tables, this.context);
    this.#returnStub = traps.returns;
    const room = this.#roomOf(options, traps, trap);
    this.#room = room;
    const stubBreakpoints = trap === 'stub' && options.breakpoints !== 'bytes';
    this.text = new QemuText({
      arch: this.arch,
      symbols: this.symbols,
      memory: this.memory,
      control,
      room: room === null ? null : { address: room.address + BigInt(RESERVED), size: room.size - RESERVED },
      returnTrampoline: room === null ? null : room.address + BigInt(TrapStub.trampoline),
      stubBreakpoints,
      trapPath: stubBreakpoints ? [] : traps.handler.path,
      singleStep: trap === 'stub' && stubBreakpoints,
    });
    this.capabilities = {
      kprobes: true,
      kretprobes: room !== null,
      singleStep: stubBreakpoints,
      tracepoints: false,
      sampling: false,
      userMemory: true,
      stopsClock: trap !== 'mailbox',
    };
    const parts = options.guest?.(this) ?? {};
    if (parts.userRoot !== undefined) this.context.userRoot = parts.userRoot;
    if (parts.hasFixup !== undefined) this.text.hasFixup = parts.hasFixup;
    if (parts.reserved !== undefined) this.text.reserved = parts.reserved;
    this.#settle = parts.settle ?? (() => {});
    this.tasks = parts.tasks ?? new ContextTasks(this.context);
    this.stacks = parts.stacks ?? noStacks;
    this.clock = parts.clock ?? control.clock;
    const common = {
      arch: this.arch,
      traps,
      facts,
      control,
      memory: this.memory,
      text: this.text,
      context: this.context,
    };
    if (trap === 'stub') {
      const site = this.symbols.lookup(traps.handler.symbol)?.address ?? null;
      if (!stubBreakpoints && site === null) throw missing(`the kernel has no ${traps.handler.symbol}`);
      if (room !== null) this.text.placeTrampoline(room.address + BigInt(TrapStub.trampoline));
      this.#engine = new StubTraps({ ...common, room, handler: stubBreakpoints ? null : site });
    } else {
      const code = traps.stubs[trap];
      if (code === undefined) throw missing(`${trap} traps are not there for ${this.arch.name}`);
      if (room === null) throw missing(`${trap} traps need room in the guest: start it with some (docs/qemu.md)`);
      const slots = this.memory.physical(lo32(room.address) + PAGE, hi32(room.address));
      this.#engine = new MailboxTraps({
        ...common,
        ram: options.machine.ram,
        views: options.machine.views,
        room,
        code,
        mailbox: room.address + BigInt(PAGE),
        slots,
        stops: trap === 'pvpanic',
      });
    }
    this.text.drain = () => this.#engine.drain();
  }

  currentCpu(): number {
    return this.context.cpu;
  }

  /** What the guest has printed since it was started. */
  get console(): string {
    return this.#machine.console.text;
  }

  /** Types a line, or part of one, on the guest's console. */
  type(text: string): void {
    this.#machine.console.write(text);
  }

  get oops(): { readonly message: string } | null {
    if (this.#oops !== null) return this.#oops;
    const text = this.console;
    // A line may have come in two parts.
    const found = OOPS.exec(text.slice(Math.max(0, this.#oopsSearched - 200)));
    this.#oopsSearched = text.length;
    if (found !== null) this.#oops = { message: found[0] };
    return this.#oops;
  }

  /**
   * Lets the machine run until a limit is reached, and delivers its traps. `ns` counts by this process' clock. Other answers:
   * `oops`, `exited` (the emulator is gone), `stopped` (it stopped for a reason of its own, as a debugger beside us).
   */
  run(limits: HostRunLimits = {}): string {
    const end = limits.ns === undefined ? Number.POSITIVE_INFINITY : performance.now() + limits.ns / 1e6;
    const control = this.#control;
    try {
      for (;;) {
        if (control.ended !== null) return control.ended;
        if (!control.running) this.#engine.ready();
        control.resume();
        this.#engine.serve(Math.min(1, Math.max(0, end - performance.now())));
        const stop = control.take(Math.max(0, Math.min(this.#engine.waitMs, end - performance.now())));
        if (stop !== null && !this.#engine.stopped(stop)) return whyStopped(stop);
        if (limits.until?.() === true) return 'until';
        if (performance.now() >= end) return 'time';
        if (this.oops !== null) return 'oops';
      }
    } finally {
      control.halt();
      if (control.ended === null) this.#settle();
    }
  }

  /**
   * Takes out of the guest what was put there, and lets it go on without us. Probes must be gone. Calls that were followed
   * and have not returned yet do so by themselves; code for that stays in the room.
   */
  detach(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#control.halt();
    this.#engine.remove(() => this.#leaveReturns());
    this.#control.client.physicalMemory(false);
    this.#control.client.detach();
  }

  close(): void {
    this.#closed = true;
    this.text.setTrapHandler(null);
    this.#machine.close();
  }

  /** No trap is under way, and the machine stands still. */
  #leaveReturns(): void {
    const calls = this.text.followedReturns;
    if (this.#room === null || calls.length === 0) return;
    const stub = linkReturnStub(this.#returnStub, calls, this.#room);
    if (stub !== null && this.text.write(this.#room.address, stub)) return;
    throw new BpfError('ENOMEM', 'letting go of a guest with followed calls under way', {
      value: calls.length,
      remedy: 'the room is too small to note where they return to: wait for them first',
    });
  }

  /** Executable memory that is free, or null where none was asked for. */
  #roomOf(options: QemuHostOptions, traps: TrapArch, trap: QemuTrapKind): ExecRoom | null {
    const all = this.#wholeRoom(options, traps, trap);
    if (all === null) return null;
    const room = freeRoom(this.memory, all);
    if (room.size > RESERVED) return room;
    throw new BpfError('ENOMEM', 'making room for probes in the guest', {
      value: `${all.size} bytes`,
      remedy: 'all of it is left to followed calls that have not returned: start the guest anew',
    });
  }

  #wholeRoom(options: QemuHostOptions, traps: TrapArch, trap: QemuTrapKind): ExecRoom | null {
    if (options.execRoom !== undefined) return options.execRoom;
    if (options.room === undefined || traps.room === null) return null;
    const text = this.symbols.lookup('_stext') ?? this.symbols.lookup('_text');
    if (text === undefined) throw missing(`${trap} traps: the kernel does not say where its text is (_stext)`);
    const room = options.room === 'crashkernel' ? reservedRoom(this.symbols, this.memory, this.console) : options.room;
    return mapExecRoom(traps.room, this.#control.cpu, this.memory, room, text.address);
  }
}

function trapsOf({ arch, traps, trapPath = [] }: QemuHostOptions): TrapArch {
  const merged = { ...trapArchOf(arch.name), ...traps };
  const { handler } = merged;
  return { ...merged, handler: { ...handler, path: [...handler.path, ...trapPath] } };
}

function whyStopped(stop: RspStop): string {
  if (stop.kind !== 'stopped') return 'exited';
  return `stopped by signal ${stop.signal}`;
}

function missing(remedy: string): BpfError {
  return new BpfError('EOPNOTSUPP', 'attaching to a guest under QEMU', { remedy });
}
