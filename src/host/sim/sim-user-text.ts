import { hi32, lo32, u64 } from '../../base/index.js';
import type { SymbolTable } from '../symbol-table.js';
import type { ForkedTask, HostUserText, TaskAddress, UserFile, UserMapping, UserPlace } from '../user-text.js';
import { Access } from './cpu/page-walk.js';
import type { KernelLayout } from './kernel-layout.js';
import type { SimMachine } from './machine/sim-machine.js';
import { ShadowPages } from './shadow-pages.js';
import { SimFiles } from './sim-files.js';
import type { DiskEntry } from './disk-directory.js';
import type { SimMemory } from './sim-memory.js';
import type { SimTasks } from './sim-tasks.js';
import { DIRECT_MAP } from './machine/boot-loader.js';
import { SimAddressSpaces } from './sim-address-spaces.js';
import { SimCounters } from './sim-counters.js';
import { SimPastMappings } from './sim-past-mappings.js';
import { SlotPool } from './slot-pool.js';

const PAGE = 4096;
/**
 * Where user mode finds the pages for displaced instructions: the same pages several times, so that one place is within
 * reach of what static programs address relative to the pc, one of position-independent programs, one of libraries.
 */
const XOL = 0x1000_0000n;
const WINDOWS = [XOL, 0x5555_5000_0000n, 0x7eff_f000_0000n] as const;
const XOL_PAGES = 32;
const XOL_SIZE = BigInt(XOL_PAGES * PAGE);
const INT3 = Uint8Array.of(0xcc);

/** What user text is read by. */
export interface UserTextParts {
  readonly memory: SimMemory;
  readonly tasks: SimTasks;
  readonly layout: KernelLayout;
  /** What the disk starts out with. */
  readonly entries: readonly DiskEntry[];
  /** Symbols by path. */
  readonly programs: ReadonlyMap<string, SymbolTable>;
}

/**
 * User text as a hypervisor sees it: user mode's instruction fetches from a page of a probed file go to a copy with the
 * breakpoints, in memory that the kernel does not know. Page tables and page cache stay as they are, so fork, exec, mmap and
 * pages that are read later need nothing, and programs that read their own text read the file's bytes.
 */
export class SimUserText implements HostUserText {
  readonly returnTrampoline = XOL;
  readonly #machine: SimMachine;
  readonly #memory: SimMemory;
  readonly #files: SimFiles;
  readonly #counters: SimCounters;
  readonly #spaces: SimAddressSpaces;
  readonly #past: SimPastMappings;
  readonly #shadows: ShadowPages;
  readonly #slots: SlotPool;
  readonly #forks = new Set<(parent: TaskAddress, child: ForkedTask) => void>();
  readonly #tasks: SimTasks;
  readonly #layout: KernelLayout;
  readonly #programs: ReadonlyMap<string, SymbolTable>;
  readonly #current = new Int32Array(2);

  constructor(machine: SimMachine, parts: UserTextParts) {
    const { memory, tasks, layout } = parts;
    this.#programs = parts.programs;
    this.#machine = machine;
    this.#memory = memory;
    this.#tasks = tasks;
    this.#layout = layout;
    this.#files = new SimFiles(memory, layout, parts.entries);
    this.#spaces = new SimAddressSpaces(memory, layout, this.#files);
    this.#past = new SimPastMappings(tasks, this.#spaces);
    this.#counters = new SimCounters(machine, this.#files, this.#spaces);
    const { from, to } = machine.physical.hidden;
    const pages = Array.from({ length: (to - from) / PAGE }, (_, i) => from + i * PAGE);
    this.#shadows = new ShadowPages(machine.physical, pages.slice(XOL_PAGES).toReversed());
    machine.physical.write(from, INT3);
    this.#slots = new SlotPool(XOL + 16n, XOL_PAGES * PAGE - 16);
    for (const cpu of machine.cpus) cpu.mmu.userFetch = (lo, hi, found) => this.#fetch(lo, hi, found);
    machine.observers.fork = (child) => this.#forked(child);
    machine.observers.leave = (tgid) => this.#past.keep(tgid);
  }

  open(path: string): UserFile | null {
    return this.#files.list.find((file) => file.path === path) ?? null;
  }

  symbols(file: UserFile): SymbolTable | null {
    return this.#programs.get(file.path) ?? null;
  }

  read(file: UserFile, offset: number, dst: Uint8Array): boolean {
    if (!(offset >= 0 && offset + dst.length <= file.size)) return false;
    this.#machine.disk.peek(file.id * 8, offset, dst);
    return true;
  }

  patch(file: UserFile, offset: number, expected: Uint8Array, bytes: Uint8Array): boolean {
    const original = new Uint8Array(expected.length);
    const at = offset % PAGE;
    if (expected.length !== bytes.length || at + bytes.length > PAGE || !this.read(file, offset, original))
      return false;
    const index = Math.floor(offset / PAGE);
    const found = original.slice();
    this.#shadows.overlay(file.id, index, at, found);
    if (found.some((byte, i) => byte !== expected[i])) return false;
    if (!this.#shadows.patch(file.id, index, at, original, bytes)) return false;
    this.#machine.retranslate();
    return true;
  }

  addToCounter(file: UserFile, offset: number, delta: number): boolean {
    if (!(offset >= 0 && offset + 2 <= file.size) || offset % 2 !== 0) return false;
    this.#counters.add(file, offset, delta);
    return true;
  }

  locate(lo: number, hi: number, out: UserPlace): boolean {
    const { cpus, currentCpu } = this.#machine;
    const at = cpus[currentCpu]?.mmu.translate(lo, hi, Access.EXEC, true) ?? -1;
    const place = at < 0 ? null : this.#files.ofPage(at >>> 12);
    if (place === null) return false;
    out.file = place.file;
    out.offset = place.index * PAGE + (lo & (PAGE - 1));
    return true;
  }

  allocExec(size: number, near = 0n): bigint | null {
    const slot = this.#slots.allocate(size);
    return slot === null ? null : slot - XOL + windowNear(near);
  }

  freeExec(address: bigint, size: number): void {
    this.#slots.free(XOL + (intoWindow(address) ?? 0n), size);
  }

  writeExec(address: bigint, bytes: Uint8Array): void {
    const at = Number(intoWindow(address) ?? -1n);
    if (!(at >= 16 && at + bytes.length <= XOL_PAGES * PAGE)) {
      throw new RangeError(`0x${address.toString(16)} was not given out by allocExec`);
    }
    this.#machine.physical.write(this.#machine.physical.hidden.from + at, bytes);
  }

  currentSpace(): number {
    return this.#machine.cpus[this.#machine.currentCpu]?.mmu.cr3 ?? 0;
  }

  onFork(handler: (parent: TaskAddress, child: ForkedTask) => void): () => void {
    const entry = (parent: TaskAddress, child: ForkedTask): void => handler(parent, child);
    this.#forks.add(entry);
    return () => this.#forks.delete(entry);
  }

  mappings(tgid: number, comm?: string): readonly UserMapping[] {
    return this.#past.of(tgid, comm) ?? [];
  }

  #forked(pid: number): void {
    this.#past.keep(pid);
    if (this.#forks.size === 0) return;
    this.#tasks.current(this.#current);
    const child = this.#tasks.find(pid);
    if (child === undefined) return;
    const parent = { lo: this.#current[0], hi: this.#current[1] };
    const space = this.#spaceOf(child);
    for (const tell of this.#forks) tell(parent, { lo: lo32(child), hi: hi32(child), space });
  }

  /** Physical address of the task's top-level page table. */
  #spaceOf(task: bigint): number {
    const pair = new Int32Array(2);
    this.#memory.pair(lo32(task), hi32(task), this.#layout.offset('task_struct', 'mm'), pair, 0);
    this.#memory.pair(pair[0], pair[1], this.#layout.offset('mm_struct', 'pgd'), pair, 0);
    return Number(u64(pair[0], pair[1]) - DIRECT_MAP);
  }

  /** Where user mode's fetch at lo:hi goes, which the page tables send to `found` (negative: nowhere). */
  #fetch(lo: number, hi: number, found: number): number {
    const into = intoWindow(u64(lo, hi));
    if (into !== undefined) return this.#machine.physical.hidden.from + Number(into);
    if (found < 0 || this.#shadows.empty) return found;
    const place = this.#files.ofPage(found >>> 12);
    const shadow = place === null ? -1 : this.#shadows.of(place.file, place.index, (found & ~0xfff) >>> 0);
    return shadow < 0 ? found : shadow + (found & 0xfff);
  }
}

function windowNear(address: bigint): bigint {
  return WINDOWS.reduce((best, window) => (distance(window, address) < distance(best, address) ? window : best));
}

function distance(a: bigint, b: bigint): bigint {
  return a < b ? b - a : a - b;
}

/** How far into the pages an address leads, whichever window it is in. */
function intoWindow(address: bigint): bigint | undefined {
  const window = WINDOWS.find((start) => address >= start && address < start + XOL_SIZE);
  return window === undefined ? undefined : address - window;
}
