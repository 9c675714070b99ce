import type { GuestRam } from '../guest-ram.js';
import { PageAccess } from './page-tables.js';
import { type EntryFormat, RadixTables } from './radix-tables.js';

const DIRTY = 2;
const PLV_USER = 0xc;
const HUGE = 1 << 6;
const PRESENT = 1 << 7;
const WRITE = 1 << 8;

/** Entries as Linux keeps them. Directories hold addresses of tables, in or outside of a direct window; empty ones lead to tables of absent pages. */
const format: EntryFormat = {
  bytes: 8,
  dirty: DIRTY,
  present: (low, high, level) => (level > 0 ? (low | high) !== 0 : (low & PRESENT) !== 0),
  leaf: (low) => (low & (HUGE | PRESENT)) === (HUGE | PRESENT),
  frame: (low, high, shift) => (shift > 31 ? -1 : ((low & (-(2 ** shift) | 0)) >>> 0) + (high & 0xffff) * 2 ** 32),
  allows(low, _high, access, leaf) {
    if (!leaf) return true;
    if ((access & PageAccess.write) !== 0 && (low & WRITE) === 0) return false;
    return (access & PageAccess.user) === 0 || (low & PLV_USER) === PLV_USER;
  },
};

/** Shape of the tables below PGDL and PGDH. Linux's default: pages of 16 KiB, three levels. */
export interface LoongarchTableShape {
  readonly pageShift: 12 | 14 | 16;
  readonly levels: number;
}

const DEFAULT_SHAPE: LoongarchTableShape = { pageShift: 14, levels: 3 };
/** DMW0 and DMW1 as Linux sets them: uncached and cached view of all physical memory. */
const LINUX_WINDOWS: readonly bigint[] = [0x8000_0000_0000_0001n, 0x9000_0000_0000_0011n];

/**
 * loongarch64: direct map windows (the DMW registers), which kernels live in, then tables. The kernel's root is PGDH, a
 * user's PGDL.
 */
export class Loongarch64Tables extends RadixTables {
  /** Segment (address bits 60 to 63) of each window that privilege level 0 may use. */
  readonly #segments: readonly number[];

  constructor(
    ram: GuestRam,
    windows: readonly bigint[] = LINUX_WINDOWS,
    { pageShift, levels }: LoongarchTableShape = DEFAULT_SHAPE,
  ) {
    const bits = pageShift - 3;
    super(
      ram,
      Array.from({ length: levels }, (_, level) => ({ shift: pageShift + level * bits, bits })),
      format,
      2 ** pageShift,
    );
    this.#segments = windows.filter((window) => (window & 1n) !== 0n).map((window) => Number(window >> 60n));
  }

  override translate(root: number, lo: number, hi: number, access: number): number {
    if ((access & PageAccess.user) === 0 && this.#segments.includes(hi >>> 28)) {
      return (lo >>> 0) + (hi & 0xffff) * 2 ** 32;
    }
    return super.translate(root, lo, hi, access);
  }

  isUser(_lo: number, hi: number): boolean {
    return hi >= 0 && (hi & ~0xffff) === 0;
  }

  protected override canonical(_lo: number, hi: number): boolean {
    const top = hi >> 15;
    return top === 0 || top === -1;
  }
}
