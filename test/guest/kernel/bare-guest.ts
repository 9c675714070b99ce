import { readFileSync } from 'node:fs';
import { type Arch, arm64, loongarch64, riscv64 } from '../../../src/arch/index.js';
import { hi32, lo32 } from '../../../src/base/index.js';
import { IdentityTables } from '../../../src/host/guest/index.js';
import { type KernelSymbol, SymbolTable } from '../../../src/host/index.js';
import { QemuHost, type QemuHostOptions, type TrapArch } from '../../../src/host/qemu/index.js';
import { QemuProcess } from '../../../src/host/qemu/node/index.js';
import type { BareArch, BareKernel } from './bare-kernel.js';
import { BareTasks } from './bare-tasks.js';

export const CPUS = 2;
/** Offsets in `struct control`. */
const Control = { rounds: 0, holdStart: 8, holdEnd: 16, stop: 24, limit: 32 } as const;
/** More rounds than any test lets it do. */
const ENDLESS = 1_000_000_000;
const MEMORY_MIB: Readonly<Record<BareArch, number>> = { riscv64: 64, arm64: 64, loongarch64: 1024 };
const ROOM = 0x8000;

const ARCHS: Readonly<Record<BareArch, Arch>> = { riscv64, arm64, loongarch64 };

/** How traps are taken; `stub, bytes`: by the stub, with breakpoints as bytes in the text. */
export type BareWay = 'stub' | 'stub, bytes' | 'mailbox';

const WAYS: Readonly<Record<BareWay, Pick<QemuHostOptions, 'trap' | 'breakpoints'>>> = {
  stub: { trap: 'stub' },
  'stub, bytes': { trap: 'stub', breakpoints: 'bytes' },
  mailbox: { trap: 'mailbox' },
};

export function bareWays(arch: BareArch): readonly BareWay[] {
  return arch === 'loongarch64' ? ['stub', 'stub, bytes'] : ['stub', 'stub, bytes', 'mailbox'];
}

/** The kernel has no page tables, and keeps the current task where its README says. */
const TRAPS: Readonly<Record<BareArch, Partial<TrapArch>>> = {
  riscv64: { stubParameter: () => 32n },
  arm64: { current: (cpu) => cpu.get('TPIDR_EL1'), postsCurrent: () => false },
  loongarch64: {},
};

const TRAP_PATH: Readonly<Record<BareArch, readonly string[]>> = {
  riscv64: ['trap_entry', 'do_trap', 'ret_from_trap'],
  arm64: ['vectors', 'entry_1_sync', 'entry_1_irq', 'entry_1_bad', 'entry_0_sync', 'entry_0_irq', 'do_sync'],
  loongarch64: ['trap_entry', 'do_trap', 'ret_from_trap'],
};

/** Names of `struct counts`, in their order. */
const COUNTS = [...readFileSync(new URL('kernel.h', import.meta.url), 'utf8').matchAll(/^\tX\((\w+)\)/gm)].map(
  ([, name]) => name,
);

/** What the kernel has counted, of all CPUs. */
export type BareCounts = Readonly<Record<string, number>>;

/** The bare-metal kernel on two CPUs under QEMU, with a host on it. It works as many rounds as it is told to. */
export class BareGuest {
  readonly kernel: BareKernel;
  readonly host: QemuHost;
  /** Whether each hit takes milliseconds. */
  readonly slow: boolean;
  #limit = 0;
  #detached = false;

  constructor(kernel: BareKernel, way: BareWay) {
    this.kernel = kernel;
    this.slow = way !== 'mailbox';
    const machine = boot(kernel);
    try {
      this.host = new QemuHost({
        machine,
        arch: ARCHS[kernel.arch],
        symbols: symbolsOf(kernel),
        execRoom: { address: addressOf(kernel, 'probe_pages'), size: ROOM },
        traps: { tables: () => new IdentityTables(), root: () => 0, kernelRoot: () => 0, ...TRAPS[kernel.arch] },
        trapPath: TRAP_PATH[kernel.arch],
        guest: (host) => ({ tasks: new BareTasks(host) }),
        ...WAYS[way],
      });
    } catch (error) {
      machine.close();
      throw error;
    }
  }

  addressOf(name: string): bigint {
    return addressOf(this.kernel, name);
  }

  /** Writable memory that nobody uses: the half of `probe_pages` that is no room for displaced instructions. */
  get scratch(): { readonly address: bigint; readonly size: number } {
    return { address: this.addressOf('probe_pages') + BigInt(ROOM), size: ROOM };
  }

  /** The first address behind its memory. */
  get memoryEnd(): bigint {
    const start = { riscv64: 0x8000_0000n, arm64: 0x4000_0000n, loongarch64: 0x9000_0000n - 0x1000_0000n };
    return start[this.kernel.arch] + (BigInt(MEMORY_MIB[this.kernel.arch]) << 20n);
  }

  get counts(): BareCounts {
    const words = this.#words('counts', COUNTS.length * CPUS);
    return Object.fromEntries(
      COUNTS.map((name, i) => [
        name,
        Array.from({ length: CPUS }, (_, cpu) => words[cpu * COUNTS.length + i]).reduce(add),
      ]),
    );
  }

  /** Breakpoints of the kernel's own and of its user mode that its rounds up to now come to. At rest. */
  get breaksDone(): { readonly own: number; readonly user: number } {
    const rounds = this.#perCpu('rounds');
    return {
      own: rounds.map((done) => Math.ceil(done / 4)).reduce(add),
      user: rounds.map((done) => Math.ceil(done / 8)).reduce(add),
    };
  }

  /** Rounds that each CPU has begun. */
  get rounds(): readonly number[] {
    return this.#perCpu('rounds');
  }

  /** Lets each CPU do `rounds` more, and come to rest behind them; what was counted meanwhile. At rest. */
  work(rounds: number): BareCounts {
    const before = this.counts;
    this.load(rounds);
    this.rest();
    const after = this.counts;
    return Object.fromEntries(COUNTS.map((name) => [name, after[name] - before[name]]));
  }

  /** Gives each CPU work, without letting the machine run. */
  load(rounds: number): void {
    this.#limit = Math.max(...this.rounds) + rounds;
    this.#control('limit', this.#limit);
    this.#control('holdStart', 0);
  }

  /** Lets the machine run for a while, wherever its CPUs are then. */
  run(ns: number): void {
    this.#alive(this.#run(ns));
  }

  /** Runs until every CPU waits behind the last round it was given. */
  rest(): void {
    const resting = (): boolean => this.#perCpu('syscalls').every((calls) => calls > this.#limit);
    this.#alive(this.#run(60e9, resting));
    if (!resting()) throw new Error(`CPUs do not come to rest: rounds ${this.rounds.join(', ')} of ${this.#limit}`);
  }

  /** Comes to rest as soon as each CPU has done as many rounds as the first of them. */
  restSoon(): void {
    this.#limit = Math.max(1, ...this.rounds);
    this.#control('limit', this.#limit);
    this.#control('holdStart', 0);
    this.rest();
  }

  /** Lets the kernel end; what it says of all its work. */
  finish(): BareCounts {
    this.#control('holdEnd', 1);
    this.#control('stop', 1);
    const done = (): boolean => this.host.console.includes('KSCOPE-DONE');
    this.#alive(this.#run(30e9, done));
    if (!done()) throw new Error(`it does not end; it said ${this.host.console.slice(-500)}`);
    const told = this.host.console.matchAll(/KSCOPE-COUNTS (\w+) (\d+)/g);
    return Object.fromEntries([...told].map(([, name, value]) => [name, Number(value)]));
  }

  /** Lets it power off; how the machine ended. */
  powerOff(): string {
    this.#control('holdEnd', 0);
    return this.host.run({ ns: 10e9 });
  }

  /** Lets go of it: from now on it runs by itself, whatever is asked of it. */
  detach(): void {
    this.host.detach();
    this.#detached = true;
  }

  close(): void {
    this.host.close();
  }

  #run(ns: number, until?: () => boolean): string {
    if (!this.#detached) return this.host.run({ ns, ...(until === undefined ? {} : { until }) });
    const end = performance.now() + ns / 1e6;
    while (performance.now() < end) {
      if (until?.() === true) return 'until';
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
    return 'time';
  }

  #alive(why: string): void {
    const { console } = this.host;
    if ((why === 'time' || why === 'until') && !console.includes('KSCOPE-OOPS')) return;
    throw new Error(`the kernel ended: ${why}; it said ${console.slice(-500)}`);
  }

  #perCpu(name: string): number[] {
    const words = this.#words('counts', COUNTS.length * CPUS);
    return Array.from({ length: CPUS }, (_, cpu) => words[cpu * COUNTS.length + COUNTS.indexOf(name)]);
  }

  #words(name: string, count: number): number[] {
    const address = this.addressOf(name);
    const bytes = new Uint8Array(8 * count);
    if (!this.host.memory.readKernel(lo32(address), hi32(address), bytes, 0, bytes.length)) {
      throw new Error(`${name} cannot be read`);
    }
    const view = new DataView(bytes.buffer);
    return Array.from({ length: count }, (_, i) => Number(view.getBigUint64(8 * i, true)));
  }

  #control(name: keyof typeof Control, value: number): void {
    const address = this.addressOf('control') + BigInt(Control[name]);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    this.host.memory.writeKernel(lo32(address), hi32(address), bytes, 0, 8);
  }
}

/** The kernel up on all its CPUs, held before the first round. */
function boot(kernel: BareKernel): QemuProcess {
  const control = addressOf(kernel, 'control');
  const loader = (name: keyof typeof Control, value: number): string[] => [
    '-device',
    `loader,addr=${control + BigInt(Control[name])},data=${value},data-len=8`,
  ];
  const bios = kernel.arch === 'riscv64' ? ['-bios', 'none'] : [];
  const machine = new QemuProcess({
    arch: kernel.arch,
    kernel: kernel.path,
    append: null,
    cpus: CPUS,
    memoryMiB: MEMORY_MIB[kernel.arch],
    extra: [...bios, ...loader('rounds', ENDLESS), ...loader('holdStart', 1)],
  });
  machine.client.resume();
  // The first thing each CPU does, and the greeting the last before it waits.
  const lastTask = Number(addressOf(kernel, 'tasks')) + 64 * (CPUS - 1);
  const isUp = (): boolean => machine.console.text.includes('KSCOPE-BOOT') && machine.ram.word(lastTask + 36) > 0;
  const end = performance.now() + 20_000;
  while (!isUp() && performance.now() < end) machine.client.waitStop(10);
  machine.client.waitStop(10);
  machine.client.interrupt();
  machine.client.waitStop(5000);
  if (isUp()) return machine;
  machine.close();
  throw new Error(`${kernel.arch}: the kernel does not come up; it said ${machine.console.text}`);
}

function addressOf(kernel: BareKernel, name: string): bigint {
  const address = kernel.symbols.get(name);
  if (address === undefined) throw new Error(`the kernel has no ${name}`);
  return address;
}

/** Its symbols without marks of local labels and of mapping between code and data. */
function symbolsOf(kernel: BareKernel): SymbolTable {
  const [start, end] = [addressOf(kernel, '_stext'), addressOf(kernel, '_etext')];
  const named = [...kernel.symbols].filter(([name]) => /^[a-z_]\w*$/.test(name));
  const places = [...new Set(named.map(([, address]) => address))].toSorted((a, b) => (a < b ? -1 : 1));
  const symbols = named.map(([name, address]): KernelSymbol => {
    const next = places[places.indexOf(address) + 1] ?? address;
    return { name, address, size: next - address, type: address >= start && address < end ? 'T' : 'D' };
  });
  return new SymbolTable(symbols);
}

function add(a: number, b: number): number {
  return a + b;
}
