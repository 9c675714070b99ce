import { i386 } from '../../arch/index.js';
import { BpfError } from '../../base/index.js';
import { bannerVersion, findBanner, findKallsyms, GuestMemory, I386Tables, kallsymsTable } from '../guest/index.js';
import type { DrivenHost, HostCapabilities, HostRunLimits } from '../host.js';
import { parseKallsyms } from '../kallsyms.js';
import type { SymbolTable } from '../symbol-table.js';
import { GuestWords } from './guest-words.js';
import { perCpuBase } from './per-cpu.js';
import { decodeSavedState, encodeSavedState } from './saved-state.js';
import { findTaskLayout } from './task-layout.js';
import { V86Clock } from './v86-clock.js';
import { V86Machine, type V86BootOptions, type V86Parts } from './v86-machine.js';
import { V86Stacks } from './v86-stacks.js';
import { V86Tasks } from './v86-tasks.js';
import { V86Text } from './v86-text.js';

const PAE = 1 << 5;
/** Where kernels map low memory: 3 GiB but for rare configurations (CONFIG_VMSPLIT_*). */
const PAGE_OFFSETS = [0xc000_0000, 0xb000_0000, 0x8000_0000, 0x7800_0000, 0x4000_0000];
/** Kernels lie above the first megabyte. */
const KERNEL_START = 1 << 20;
/** Any low page that is surely mapped. */
const LOW_PAGE = 0xd_0000;

/**
 * An i686 Linux guest in the emulator v86, in this very thread: the guest stands still while a handler runs. One
 * processor. See docs/v86.md. Made by `bootV86` and `restoreV86`.
 */
export class V86Host implements DrivenHost {
  readonly name = 'v86';
  readonly arch: typeof i386 = i386;
  readonly cpus = 1;
  readonly capabilities: HostCapabilities = {
    kprobes: true,
    kretprobes: true,
    singleStep: false,
    tracepoints: false,
    sampling: false,
    userMemory: true,
    stopsClock: false,
  };
  readonly memory: GuestMemory;
  readonly symbols: SymbolTable;
  /** Debian builds i386 kernels without. */
  readonly btf = null;
  /** For who has it to say: Debian's kernels do not carry it. */
  kconfig: string | undefined;
  readonly clock: V86Clock;
  readonly tasks: V86Tasks;
  readonly stacks: V86Stacks;
  readonly text: V86Text;
  readonly tracepoints = null;
  readonly sampler = null;
  readonly #machine: V86Machine;
  #banner: string | null | undefined;
  #running = false;

  /** Instruments a guest that has come as far as its first program. */
  constructor(machine: V86Machine, symbols: SymbolTable) {
    const { cpu, ram } = machine;
    this.#machine = machine;
    this.symbols = symbols;
    const root = (): number => cpu.cr[3] >>> 0;
    const pae = (cpu.cr[4] & PAE) !== 0;
    const pageOffset = findPageOffset(new I386Tables(ram, { pae }), root());
    this.memory = new GuestMemory(ram, new I386Tables(ram, { pae, pageOffset }), { kernel: root, user: root });
    this.clock = new V86Clock(machine);
    this.text = new V86Text(machine, this.memory, symbols, pageOffset);
    this.tasks = this.#findTasks(pageOffset);
    this.stacks = new V86Stacks(this.memory, i386.ptRegs, this.text);
  }

  currentCpu(): number {
    return 0;
  }

  /**
   * Lets the guest run, while real time passes, until a limit is reached (`time`, `until`), its kernel has given up
   * (`oops`), or it has halted (`halted`). Throws what a trap handler threw.
   */
  run(limits: HostRunLimits = {}): string {
    if (this.#running) throw new TypeError('run() from inside of a handler');
    this.#running = true;
    try {
      return this.#machine.run(limits);
    } finally {
      this.#running = false;
    }
  }

  /** By what the kernel says of itself, looked for in memory once. */
  get kernelVersion(): number | undefined {
    if (this.#banner === undefined) this.#banner = findBanner(this.#machine.ram.bytes.subarray(KERNEL_START));
    return this.#banner === null ? undefined : bannerVersion(this.#banner);
  }

  get console(): string {
    return this.#machine.console.text;
  }

  get oops(): { readonly message: string } | null {
    const { oops } = this.#machine.console;
    return oops === null ? null : { message: oops };
  }

  /** Types `text` on the guest's console. */
  send(text: string): void {
    this.#machine.send(text);
  }

  /**
   * The machine with its symbols, for `restoreV86`, in Node or a page. EBUSY while probes stand in its text: what is restored
   * knows nothing of them.
   */
  async save(): Promise<Uint8Array> {
    if (!this.text.pristine || this.#running) {
      throw new BpfError('EBUSY', 'saving a machine', { remedy: 'detach what is attached to it first' });
    }
    const state = await this.text.asItWas(() => this.#machine.save());
    return encodeSavedState({
      memoryBytes: this.#machine.ram.size,
      kallsyms: kallsymsText(this.symbols),
      state: new Uint8Array(state),
    });
  }

  close(): void {
    this.text.setTrapHandler(null);
    this.#machine.close();
  }

  #findTasks(pageOffset: number): V86Tasks {
    const { memory, symbols } = this;
    const start = Number(symbols.lookup('_text')?.address ?? 0n);
    const end = Number(symbols.lookup('_etext')?.address ?? 0n);
    const perCpu = perCpuBase(this.#machine, memory);
    const text = new Uint8Array(Math.max(end - start, 0));
    memory.readKernel(start | 0, 0, text, 0, text.length);
    const image = { start, words: this.#machine.ram.words.subarray((start - pageOffset) >> 2) };
    return new V86Tasks(memory, findTaskLayout(image, text, new GuestWords(memory), perCpu), perCpu, this.text);
  }
}

/** How a boot is followed. */
export interface V86BootProgress {
  /** The guest's symbols, if they are known; else they are found in its memory. */
  readonly symbols?: SymbolTable;
  /** What the console says when the guest is ready to be instrumented; its kernel's start of init if absent. */
  readonly ready?: RegExp;
  /** Milliseconds it may take, 300000 if absent. */
  readonly timeoutMs?: number;
  /** Called between slices of running: gives others their turn, shows progress. */
  readonly breathe?: (console: string) => Promise<void>;
}

const READY = /Run \S+ as init process/;
const BOOT_TIMEOUT_MS = 300_000;
const SLICE_NS = 50e6;

/** Boots a kernel to `ready`. EIO with the end of its console where it does not get there, ETIMEDOUT where it takes too long. */
export async function bootV86(
  parts: V86Parts,
  options: V86BootOptions,
  { symbols, ready = READY, timeoutMs = BOOT_TIMEOUT_MS, breathe }: V86BootProgress = {},
): Promise<V86Host> {
  const machine = await V86Machine.boot(parts, options);
  const end = performance.now() + timeoutMs;
  try {
    for (;;) {
      const stopped = machine.run({ ns: SLICE_NS, until: () => ready.test(machine.console.text) });
      if (stopped === 'until') return new V86Host(machine, symbols ?? findSymbols(machine));
      if (stopped !== 'time') throw notBooted('EIO', machine, `the guest has stopped: ${stopped}`);
      if (performance.now() > end) throw notBooted('ETIMEDOUT', machine, `not ready after ${timeoutMs} ms`);
      await breathe?.(machine.console.text);
    }
  } catch (error) {
    machine.close();
    throw error;
  }
}

/** Goes on with a machine that `save` stored. */
export async function restoreV86(parts: V86Parts, saved: Uint8Array): Promise<V86Host> {
  const { memoryBytes, kallsyms, state } = decodeSavedState(saved);
  const symbols = parseKallsyms(kallsyms);
  const machine = await V86Machine.restore(parts, state, memoryBytes);
  try {
    return new V86Host(machine, symbols ?? findSymbols(machine));
  } catch (error) {
    machine.close();
    throw error;
  }
}

function notBooted(code: 'EIO' | 'ETIMEDOUT', { console }: V86Machine, remedy: string): BpfError {
  return new BpfError(code, 'booting a guest in v86', { value: JSON.stringify(console.text.slice(-500)), remedy });
}

/** What the running kernel keeps of its symbols, at the addresses where it runs. */
function findSymbols({ ram }: V86Machine): SymbolTable {
  return kallsymsTable(findKallsyms(ram.bytes.subarray(KERNEL_START), i386.pointerSize));
}

function findPageOffset(tables: I386Tables, root: number): number {
  for (const offset of PAGE_OFFSETS) {
    if (tables.translate(root, (offset + LOW_PAGE) | 0, 0, 0) === LOW_PAGE) return offset;
  }
  throw new BpfError('ENOENT', "looking for the guest kernel's map of low memory", {
    value: `cr3 0x${root.toString(16)}`,
  });
}

function kallsymsText(symbols: SymbolTable): string {
  let text = '';
  for (const { address, type, name, module } of symbols) {
    text += `${address.toString(16).padStart(8, '0')} ${type} ${name}${module === undefined ? '' : `\t[${module}]`}\n`;
  }
  return text;
}
