import type { HostMemory } from '../index.js';
import type { GuestRam } from './guest-ram.js';
import { NO_PAGE, PageAccess, type PageTables } from './paging/page-tables.js';

const PAGE = 4096;

/** Where translations start. Asked at every access: address spaces change between traps. */
export interface PageRoots {
  /** Physical address of the kernel's top table: swapper_pg_dir, TTBR1_EL1, satp, or CR3 in kernel mode. */
  kernel(): number;
  /** Top table of the program that is current on the CPU where the event happens; `NO_PAGE` (-1) for none. */
  user(): number;
}

/**
 * A guest's virtual memory over its physical one. Nothing is cached: kernel stacks are vmalloc memory that moves, and a
 * program's pages come and go.
 */
export class GuestMemory implements HostMemory {
  readonly ram: GuestRam;
  readonly tables: PageTables;
  readonly roots: PageRoots;

  constructor(ram: GuestRam, tables: PageTables, roots: PageRoots) {
    this.ram = ram;
    this.tables = tables;
    this.roots = roots;
  }

  readKernel(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean {
    if (this.tables.isUser(lo, hi)) return length === 0;
    return this.#copy(this.roots.kernel(), lo, hi, PageAccess.read, dst, offset, length);
  }

  writeKernel(lo: number, hi: number, src: Uint8Array, offset: number, length: number): boolean {
    if (this.tables.isUser(lo, hi)) return length === 0;
    return this.#copy(this.roots.kernel(), lo, hi, PageAccess.write, src, offset, length);
  }

  readUser(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean {
    if (!this.isUser(lo, hi)) return length === 0;
    return this.#copy(this.roots.user(), lo, hi, PageAccess.user, dst, offset, length);
  }

  writeUser(lo: number, hi: number, src: Uint8Array, offset: number, length: number): boolean {
    if (!this.isUser(lo, hi)) return length === 0;
    return this.#copy(this.roots.user(), lo, hi, PageAccess.user | PageAccess.write, src, offset, length);
  }

  isUser(lo: number, hi: number): boolean {
    return this.tables.isUser(lo, hi);
  }

  /** Physical address behind a kernel address, whatever its page allows; `NO_PAGE` where none is mapped. */
  physical(lo: number, hi: number): number {
    return this.tables.translate(this.roots.kernel(), lo, hi, PageAccess.read);
  }

  /** Copies once it is known that each page is there, so that a fault leaves nothing half done. */
  #copy(
    root: number,
    lo: number,
    hi: number,
    access: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): boolean {
    if (length === 0) return true;
    const inFirst = PAGE - (lo & (PAGE - 1));
    if (length <= inFirst) {
      const at = this.tables.translate(root, lo, hi, access);
      return at !== NO_PAGE && this.#move(at, access, bytes, offset, length);
    }
    const parts = this.#pages(root, lo, hi, access, length);
    if (parts === null) return false;
    let done = 0;
    for (const at of parts) {
      const size = Math.min(done === 0 ? inFirst : PAGE, length - done);
      this.#move(at, access, bytes, offset + done, size);
      done += size;
    }
    return true;
  }

  /** Physical addresses of the parts of a range that crosses pages; null if one is missing or the range wraps around. */
  #pages(root: number, lo: number, hi: number, access: number, length: number): number[] | null {
    const parts: number[] = [];
    const user = this.tables.isUser(lo, hi);
    for (let done = 0; done < length;) {
      const low = (lo >>> 0) + done;
      const high = hi + Math.floor(low / 2 ** 32);
      if (high >>> 0 < hi >>> 0 || this.tables.isUser(low | 0, high | 0) !== user) return null;
      const size = Math.min(PAGE - (low % PAGE), length - done);
      const at = this.tables.translate(root, low | 0, high | 0, access);
      if (at === NO_PAGE || !this.#backed(at, size)) return null;
      parts.push(at);
      done += size;
    }
    return parts;
  }

  /** Whether a part of one page is RAM: banks are whole pages. */
  #backed(at: number, size: number): boolean {
    return this.ram.word(at - (at % 4)) >= 0 && this.ram.word(at + size - 1 - ((at + size - 1) % 4)) >= 0;
  }

  #move(at: number, access: number, bytes: Uint8Array, offset: number, length: number): boolean {
    return (access & PageAccess.write) === 0
      ? this.ram.read(at, bytes, offset, length)
      : this.ram.write(at, bytes, offset, length);
  }
}
