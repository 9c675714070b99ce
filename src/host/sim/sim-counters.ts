import { hi32, lo32 } from '../../base/index.js';
import { walkPageTables, Access } from './cpu/page-walk.js';
import { DIRECT_MAP } from './machine/boot-loader.js';
import type { SimMachine } from './machine/sim-machine.js';
import type { UserFile } from '../user-text.js';
import type { SimAddressSpaces } from './sim-address-spaces.js';
import type { SimFiles } from './sim-files.js';

const PAGE = 4096;
const SECTOR = 512;
const SECTORS_PER_PAGE = 8;

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
  readonly #files: SimFiles;
  readonly #spaces: SimAddressSpaces;
  readonly #counters: Counter[] = [];

  constructor(machine: SimMachine, files: SimFiles, spaces: SimAddressSpaces) {
    this.#machine = machine;
    this.#files = files;
    this.#spaces = spaces;
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
    const seen = new Set<bigint>([0n]);
    for (const task of this.#spaces.tasks()) {
      const mm = this.#spaces.of(task);
      if (seen.has(mm)) continue;
      seen.add(mm);
      const root = Number(this.#spaces.field(mm, 'mm_struct', 'pgd') - DIRECT_MAP);
      for (const { file: of, start, end, offset } of this.#spaces.mappings(mm)) {
        const address = start + BigInt(index * PAGE - offset);
        if (of.id === file.id && address >= start && address < end) found.push({ root, address });
      }
    }
    return found;
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
