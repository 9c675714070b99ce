import { type CpuFault, Vector } from './cpu-fault.js';
import type { PhysicalMemory } from './physical-memory.js';
import { Access, walkPageTables } from './page-walk.js';

const ENTRIES = 512;
/** No page address has this low word. */
const EMPTY = 1;

/** Translations by kind of access: four words an entry (tag low, tag high, physical page, unused). */
class Tlb {
  readonly read = new Int32Array(ENTRIES * 4);
  readonly write = new Int32Array(ENTRIES * 4);
  readonly exec = new Int32Array(ENTRIES * 4);

  flush(): void {
    this.read.fill(EMPTY);
    this.write.fill(EMPTY);
    this.exec.fill(EMPTY);
  }
}

function slot(lo: number, hi: number): number {
  return (((lo >>> 12) ^ (hi >>> 3)) & (ENTRIES - 1)) << 2;
}

/**
 * One CPU's view of memory: translates, checks permissions, reads and writes little-endian integers. A
 * failed access raises #PF (or #GP for a non-canonical address) and has changed nothing.
 */
export class Mmu {
  readonly physical: PhysicalMemory;
  /** High word of the last 64-bit read. */
  high = 0;
  /** Physical address of the top-level table. */
  cr3 = 0;
  /** CR0.WP: supervisor writes honour read-only pages. */
  writeProtect = true;
  /**
   * Asked where user mode's fetches from a page go before that is kept in the TLB: gets the physical address that the page
   * tables give, or a negative number, and answers the same or another.
   */
  userFetch: ((lo: number, hi: number, found: number) => number) | null = null;
  readonly #fault: CpuFault;
  readonly #view: DataView;
  readonly #code: Uint8Array;
  readonly #kernel = new Tlb();
  readonly #user = new Tlb();
  #tlb: Tlb = this.#kernel;
  #isUser = false;

  constructor(physical: PhysicalMemory, fault: CpuFault) {
    this.physical = physical;
    this.#fault = fault;
    this.#view = physical.view;
    this.#code = physical.code;
    this.flush();
  }

  get user(): boolean {
    return this.#isUser;
  }

  /** Switches the privilege with which accesses are checked. */
  setUser(user: boolean): void {
    this.#isUser = user;
    this.#tlb = user ? this.#user : this.#kernel;
  }

  flush(): void {
    this.#kernel.flush();
    this.#user.flush();
  }

  flushPage(lo: number, hi: number): void {
    const at = slot(lo, hi);
    for (const tlb of [this.#kernel, this.#user]) tlb.read[at] = tlb.write[at] = tlb.exec[at] = EMPTY;
  }

  read8(lo: number, hi: number): number {
    return this.#view.getUint8(this.readable(lo, hi));
  }

  read16(lo: number, hi: number): number {
    if ((lo & 0xfff) > 0xffe) return this.read8(lo, hi) | (this.read8((lo + 1) | 0, next(lo, hi, 1)) << 8);
    return this.#view.getUint16(this.readable(lo, hi), true);
  }

  read32(lo: number, hi: number): number {
    if ((lo & 0xfff) > 0xffc) return this.#readSplit(lo, hi, 4);
    return this.#view.getInt32(this.readable(lo, hi), true);
  }

  /** The low word; the high one is in `high`. */
  read64(lo: number, hi: number): number {
    if ((lo & 0xfff) > 0xff8) {
      const low = this.#readSplit(lo, hi, 4);
      this.high = this.#readSplit((lo + 4) | 0, next(lo, hi, 4), 4);
      return low;
    }
    const at = this.readable(lo, hi);
    this.high = this.#view.getInt32(at + 4, true);
    return this.#view.getInt32(at, true);
  }

  write8(lo: number, hi: number, value: number): void {
    const at = this.writable(lo, hi);
    if (this.#code[at >>> 12] !== 0) this.physical.invalidate(at >>> 12);
    this.#view.setInt8(at, value);
  }

  write16(lo: number, hi: number, value: number): void {
    if ((lo & 0xfff) > 0xffe) return this.#writeSplit(lo, hi, value, 0, 2);
    const at = this.writable(lo, hi);
    if (this.#code[at >>> 12] !== 0) this.physical.invalidate(at >>> 12);
    this.#view.setInt16(at, value, true);
  }

  write32(lo: number, hi: number, value: number): void {
    if ((lo & 0xfff) > 0xffc) return this.#writeSplit(lo, hi, value, 0, 4);
    const at = this.writable(lo, hi);
    if (this.#code[at >>> 12] !== 0) this.physical.invalidate(at >>> 12);
    this.#view.setInt32(at, value, true);
  }

  write64(lo: number, hi: number, valueLo: number, valueHi: number): void {
    if ((lo & 0xfff) > 0xff8) return this.#writeSplit(lo, hi, valueLo, valueHi, 8);
    const at = this.writable(lo, hi);
    if (this.#code[at >>> 12] !== 0) this.physical.invalidate(at >>> 12);
    this.#view.setInt32(at, valueLo, true);
    this.#view.setInt32(at + 4, valueHi, true);
  }

  /** Raises the fault a write of `size` bytes would raise, and does nothing else. */
  checkWrite(lo: number, hi: number, size: number): void {
    this.writable(lo, hi);
    if ((lo & 0xfff) + size <= 0x1000) return;
    const second = ((lo | 0xfff) + 1) | 0;
    this.writable(second, second === 0 ? (hi + 1) | 0 : hi);
  }

  /** Physical address of a byte that may be read. */
  readable(lo: number, hi: number): number {
    const entries = this.#tlb.read;
    const at = (((lo >>> 12) ^ (hi >>> 3)) & (ENTRIES - 1)) << 2;
    if (entries[at] === (lo & ~0xfff) && entries[at + 1] === hi) return entries[at + 2] + (lo & 0xfff);
    return this.#fill(entries, at, lo, hi, Access.READ);
  }

  /** Physical address of a byte that may be written. */
  writable(lo: number, hi: number): number {
    const entries = this.#tlb.write;
    const at = (((lo >>> 12) ^ (hi >>> 3)) & (ENTRIES - 1)) << 2;
    if (entries[at] === (lo & ~0xfff) && entries[at + 1] === hi) return entries[at + 2] + (lo & 0xfff);
    return this.#fill(entries, at, lo, hi, Access.WRITE);
  }

  /** Physical address of a byte that may be executed. */
  executable(lo: number, hi: number): number {
    const entries = this.#tlb.exec;
    const at = slot(lo, hi);
    if (entries[at] === (lo & ~0xfff) && entries[at + 1] === hi) return entries[at + 2] + (lo & 0xfff);
    return this.#fill(entries, at, lo, hi, Access.EXEC);
  }

  /** Physical address as this CPU translates it, or -1: for those outside who must not fault. */
  translate(lo: number, hi: number, access: number, user: boolean): number {
    if (access === Access.READ) {
      const entries = (user ? this.#user : this.#kernel).read;
      const at = slot(lo, hi);
      if (entries[at] === (lo & ~0xfff) && entries[at + 1] === hi) return entries[at + 2] + (lo & 0xfff);
    }
    const found = walkPageTables(this.physical, this.cr3, lo, hi, access, user, this.writeProtect);
    return found < 0 ? -1 : found;
  }

  #fill(entries: Int32Array, at: number, lo: number, hi: number, access: number): number {
    let found = walkPageTables(this.physical, this.cr3, lo, hi, access, this.#isUser, this.writeProtect);
    if (access === Access.EXEC && this.#isUser && this.userFetch !== null) found = this.userFetch(lo, hi, found);
    if (found < 0) {
      if ((hi << 16) >> 16 !== hi) return this.#fault.raise(Vector.GP);
      return this.#fault.raisePageFault(lo, hi, -found - 1);
    }
    entries[at] = lo & ~0xfff;
    entries[at + 1] = hi;
    entries[at + 2] = found & ~0xfff;
    return found;
  }

  #readSplit(lo: number, hi: number, size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.read8((lo + i) | 0, next(lo, hi, i)) << (8 * i);
    return value;
  }

  #writeSplit(lo: number, hi: number, valueLo: number, valueHi: number, size: number): void {
    this.checkWrite(lo, hi, size);
    for (let i = 0; i < size; i++) {
      this.write8((lo + i) | 0, next(lo, hi, i), (i < 4 ? valueLo : valueHi) >>> (8 * (i & 3)));
    }
  }
}

/** High word of the address `by` bytes after lo:hi. */
function next(lo: number, hi: number, by: number): number {
  return (lo >>> 0) + by > 0xffff_ffff ? (hi + 1) | 0 : hi;
}
