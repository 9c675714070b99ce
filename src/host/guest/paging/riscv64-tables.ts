import type { GuestRam } from '../guest-ram.js';
import { PageAccess } from './page-tables.js';
import { type EntryFormat, RadixTables } from './radix-tables.js';

const VALID = 1;
const READ = 2;
const WRITE = 4;
const EXECUTE = 8;
const USER = 16;
const ACCESSED_AND_DIRTY = 0xc0;

const format: EntryFormat = {
  bytes: 8,
  dirty: ACCESSED_AND_DIRTY,
  // Writable but not readable is reserved.
  present: (low, _high, level) =>
    (low & VALID) !== 0 && (low & (READ | WRITE)) !== WRITE && (level > 0 || (low & (READ | EXECUTE)) !== 0),
  leaf: (low) => (low & (READ | EXECUTE)) !== 0,
  frame(low, high, shift) {
    const address = ((low >>> 10) + (high & 0x3f_ffff) * 2 ** 22) * 4096;
    // A superpage that is not aligned to its size is a page fault.
    return shift > 12 && address % 2 ** shift !== 0 ? -1 : address;
  },
  allows(low, _high, access, leaf) {
    if (!leaf) return true;
    if ((access & PageAccess.write) !== 0 && (low & WRITE) === 0) return false;
    if ((access & PageAccess.write) === 0 && (low & READ) === 0) return false;
    return (access & PageAccess.user) === 0 || (low & USER) !== 0;
  },
};

/** riscv64 with Sv39, Sv48 or Sv57 (3, 4 or 5 levels). `root` is the physical address of the top table: satp.PPN << 12. */
export class Riscv64Tables extends RadixTables {
  readonly #sign: number;

  constructor(ram: GuestRam, levels: 3 | 4 | 5) {
    super(
      ram,
      [12, 21, 30, 39, 48].slice(0, levels).map((shift) => ({ shift, bits: 9 })),
      format,
    );
    this.#sign = 12 + 9 * levels - 33;
  }

  isUser(_lo: number, hi: number): boolean {
    return hi >> this.#sign === 0;
  }

  protected override canonical(_lo: number, hi: number): boolean {
    const top = hi >> this.#sign;
    return top === 0 || top === -1;
  }
}

/** What satp holds: how many levels, and where the top table lies; null where translation is off (bare). */
export function parseSatp(satp: bigint): { readonly levels: 3 | 4 | 5; readonly root: number } | null {
  const mode = Number(satp >> 60n);
  if (mode !== 8 && mode !== 9 && mode !== 10) return null;
  return { levels: (mode - 5) as 3 | 4 | 5, root: Number(satp & 0xfff_ffff_ffffn) * 4096 };
}
