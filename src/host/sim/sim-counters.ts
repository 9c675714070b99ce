import { hi32, lo32, u64 } from '../../base/index.js';
import { walkPageTables, Access } from './cpu/page-walk.js';
import type { KernelLayout } from './kernel-layout.js';
import { DIRECT_MAP } from './machine/boot-loader.js';
import type { SimMachine } from './machine/sim-machine.js';
import type { UserFile } from '../user-text.js';
import type { SimFiles } from './sim-files.js';
import type { SimMemory } from './sim-memory.js';

const PAGE = 4096;
const SECTOR = 512;
const SECTORS_PER_PAGE = 8;
const FOLLOWED_MAX = 10_000;

/** How much a counter of a file differs from what the disk has. */
interface Counter {
  readonly file: UserFile;
  readonly offset: number;
  delta: number;
}

/**
 * Counters in files that count who watches: the page in the page cache is changed, each private copy of it, and what the
 * disk delivers later, so that whatever a process maps shows the same count.
 */
export class SimCounters {
  readonly #machine: SimMachine;
  readonly #memory: SimMemory;
  readonly #files: SimFiles;
  readonly #layout: KernelLayout;
  readonly #counters: Counter[] = [];
  readonly #pair = new Int32Array(2);

  constructor(machine: SimMachine, memory: SimMemory, files: SimFiles, layout: KernelLayout) {
    this.#machine = machine;
    this.#memory = memory;
    this.#files = files;
    this.#layout = layout;
    machine.disk.onRead = (sector, bytes, buffer) => this.#delivered(sector, bytes, buffer);
  }

  add(file: UserFile, offset: number, delta: number): void {
    const counter = this.#counters.find((known) => known.file === file && known.offset === offset);
    if (counter === undefined) this.#counters.push({ file, offset, delta });
    else counter.delta += delta;
    for (const page of this.#pages(file, offset)) this.#change(page + (offset % PAGE), delta);
  }

  /** Physical addresses of all pages that hold the counter: the file's own and private copies. */
  #pages(file: UserFile, offset: number): Set<number> {
    const index = Math.floor(offset / PAGE);
    const pages = new Set<number>();
    const cached = this.#files.cachedPage(file, index);
    if (cached >= 0) pages.add(cached);
    for (const { root, address } of this.#mappings(file, index)) {
      const found = walkPageTables(this.#machine.physical, root, lo32(address), hi32(address), Access.READ, true, true);
      if (found >= 0) pages.add((found & ~0xfff) >>> 0);
    }
    return pages;
  }

  /** Where page `index` of the file is mapped: top-level page table and address. */
  #mappings(file: UserFile, index: number): { root: number; address: bigint }[] {
    const found: { root: number; address: bigint }[] = [];
    const seen = new Set<bigint>();
    for (const task of this.#tasks()) {
      const mm = this.#field(task, 'task_struct', 'mm');
      if (mm === 0n || seen.has(mm)) continue;
      seen.add(mm);
      const root = Number(this.#field(mm, 'mm_struct', 'pgd') - DIRECT_MAP);
      for (const address of this.#areas(mm, file, index)) found.push({ root, address });
    }
    return found;
  }

  *#areas(mm: bigint, file: UserFile, index: number): Iterable<bigint> {
    let area = this.#field(mm, 'mm_struct', 'mmap');
    for (let i = 0; i < FOLLOWED_MAX && area !== 0n; i++) {
      const of = this.#field(area, 'vm_area_struct', 'vm_file');
      const start = this.#field(area, 'vm_area_struct', 'vm_start');
      const into = BigInt(index) - this.#field(area, 'vm_area_struct', 'vm_pgoff');
      const address = start + into * BigInt(PAGE);
      const inside = into >= 0n && address < this.#field(area, 'vm_area_struct', 'vm_end');
      if (of !== 0n && inside && this.#files.firstBlock(this.#field(of, 'file', 'f_inode')) === file.id) yield address;
      area = this.#field(area, 'vm_area_struct', 'vm_next');
    }
  }

  *#tasks(): Iterable<bigint> {
    const first = this.#layout.address('init_task');
    const link = BigInt(this.#layout.offset('task_struct', 'tasks'));
    let task = first;
    for (let i = 0; i < FOLLOWED_MAX; i++) {
      yield task;
      const next = this.#field(task, 'task_struct', 'tasks');
      task = next - link;
      if (next === 0n || task === first) return;
    }
  }

  #field(address: bigint, struct: string, member: string): bigint {
    this.#memory.pair(lo32(address), hi32(address), this.#layout.offset(struct, member), this.#pair, 0);
    return u64(this.#pair[0], this.#pair[1]);
  }

  /** The disk has filled `bytes` of memory at `buffer`. */
  #delivered(sector: number, bytes: number, buffer: number): void {
    for (const { file, offset, delta } of this.#counters) {
      const at = file.id * SECTORS_PER_PAGE * SECTOR + offset - sector * SECTOR;
      if (at >= 0 && at + 2 <= bytes && delta !== 0) this.#change(buffer + at, delta);
    }
  }

  #change(physical: number, delta: number): void {
    const { view } = this.#machine.physical;
    view.setUint16(physical, view.getUint16(physical, true) + delta, true);
    this.#machine.physical.invalidateRange(physical, 2);
  }
}
