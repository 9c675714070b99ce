import type { GuestRam } from '../guest-ram.js';
import { NO_PAGE, PageAccess, type PageTables } from './page-tables.js';

/** One level of a radix tree of page tables: which bits of a virtual address index its table. */
export interface TableLevel {
  readonly shift: number;
  readonly bits: number;
}

/** How entries of an architecture's tables read. `level` counts from 0, the tables that hold pages of the base size. */
export interface EntryFormat {
  readonly bytes: 4 | 8;
  present(low: number, high: number, level: number): boolean;
  /** Whether a present entry maps memory; otherwise it points to the next table. At level 0 asked of no entry. */
  leaf(low: number, high: number, level: number): boolean;
  /** Physical address a present entry holds, of a page of `2^shift` bytes or of a table; -1 where it may not hold it. */
  frame(low: number, high: number, shift: number): number;
  /** Whether a present entry lets the access through. Asked of every level on the way. */
  allows(low: number, high: number, access: number, leaf: boolean): boolean;
  /** Bits of the low word that processors set in the leaf of a page they write; 0 where they leave that to software. */
  readonly dirty: number;
}

/** Walks a radix tree of tables as the processor does. Subclasses say what is canonical, and what is user. */
export abstract class RadixTables implements PageTables {
  readonly #ram: GuestRam;
  readonly #levels: readonly TableLevel[];
  readonly #format: EntryFormat;
  readonly #rootMask: number;

  /** `levels` from the base page upwards; `rootAlign` is the alignment of the top table. */
  constructor(ram: GuestRam, levels: readonly TableLevel[], format: EntryFormat, rootAlign = 4096) {
    this.#ram = ram;
    this.#levels = levels;
    this.#format = format;
    this.#rootMask = rootAlign;
  }

  abstract isUser(lo: number, hi: number): boolean;
  /** Whether the tables are asked for this address at all. */
  protected abstract canonical(lo: number, hi: number): boolean;

  translate(root: number, lo: number, hi: number, access: number): number {
    if (root < 0 || !this.canonical(lo, hi)) return NO_PAGE;
    const format = this.#format;
    const ram = this.#ram;
    let table = root - (root % this.#rootMask);
    for (let level = this.#levels.length - 1; level >= 0; level--) {
      const { shift, bits } = this.#levels[level];
      const at = table + indexOf(lo, hi, shift, bits) * format.bytes;
      const low = ram.word(at);
      const high = format.bytes === 8 ? ram.word(at + 4) : 0;
      if (low < 0 || high < 0 || !format.present(low, high, level)) return NO_PAGE;
      const leaf = level === 0 || format.leaf(low, high, level);
      if (!format.allows(low, high, access, leaf)) return NO_PAGE;
      if (leaf) {
        if ((access & PageAccess.write) !== 0 && format.dirty !== 0) this.#markDirty(at, low);
        return pageAddress(format.frame(low, high, shift), lo, hi, shift);
      }
      table = format.frame(low, high, 12);
      if (table < 0) return NO_PAGE;
    }
    return NO_PAGE;
  }

  #markDirty(at: number, low: number): void {
    const { dirty } = this.#format;
    if ((low & dirty) === dirty) return;
    const marked = low | dirty;
    this.#ram.write(at, Uint8Array.of(marked, marked >>> 8, marked >>> 16, marked >>> 24), 0, 4);
  }
}

function indexOf(lo: number, hi: number, shift: number, bits: number): number {
  const mask = (1 << bits) - 1;
  if (shift >= 32) return (hi >>> (shift - 32)) & mask;
  const low = lo >>> shift;
  return (shift + bits > 32 ? low | (hi << (32 - shift)) : low) & mask;
}

function pageAddress(frame: number, lo: number, hi: number, shift: number): number {
  if (frame < 0) return NO_PAGE;
  if (shift < 32) return frame + ((lo & ((2 ** shift - 1) | 0)) >>> 0);
  return frame + (lo >>> 0) + (hi & ((1 << (shift - 32)) - 1)) * 2 ** 32;
}
