import type { GuestRam } from '../guest-ram.js';
import { PageAccess } from './page-tables.js';
import { type EntryFormat, RadixTables, type TableLevel } from './radix-tables.js';

const PRESENT = 1;
const WRITE = 2;
const USER = 4;
const HUGE = 0x80;
const ACCESSED_AND_DIRTY = 0x60;

function allowsX86(low: number, access: number): boolean {
  if ((access & PageAccess.write) !== 0 && (low & WRITE) === 0) return false;
  return (access & PageAccess.user) === 0 || (low & USER) !== 0;
}

/** Entries of 64 bits: IA-32e paging, and PAE below its top level. */
const longFormat: EntryFormat = {
  bytes: 8,
  dirty: ACCESSED_AND_DIRTY,
  present: (low) => (low & PRESENT) !== 0,
  leaf: (low, _high, level) => (low & HUGE) !== 0 && level <= 2,
  frame(low, high, shift) {
    // Bit 12 of a huge page's entry is the PAT bit, not address.
    const mask = shift <= 30 ? -(2 ** shift) | 0 : ~0xfff;
    return ((low & mask & ~0xfff) >>> 0) + (high & 0xf_ffff) * 2 ** 32;
  },
  allows: (low, _high, access) => allowsX86(low, access),
};

/** PAE: the four entries of the top level have neither write nor user bits, and map no pages. */
const paeFormat: EntryFormat = {
  ...longFormat,
  leaf: (low, _high, level) => (low & HUGE) !== 0 && level === 1,
  allows: (low, _high, access, leaf) => !leaf || allowsX86(low, access),
};

/** Two levels of 32 bits, 4 MiB pages with the upper address bits in 13 to 20 (PSE-36). */
const shortFormat: EntryFormat = {
  bytes: 4,
  dirty: ACCESSED_AND_DIRTY,
  present: (low) => (low & PRESENT) !== 0,
  leaf: (low) => (low & HUGE) !== 0,
  frame: (low, _high, shift) =>
    shift === 22 ? ((low & 0xffc0_0000) >>> 0) + ((low >>> 13) & 0xff) * 2 ** 32 : (low & 0xffff_f000) >>> 0,
  allows: (low, _high, access) => allowsX86(low, access),
};

const LONG_LEVELS: readonly TableLevel[] = [12, 21, 30, 39, 48].map((shift) => ({ shift, bits: 9 }));
const PAE_LEVELS: readonly TableLevel[] = [
  { shift: 12, bits: 9 },
  { shift: 21, bits: 9 },
  { shift: 30, bits: 2 },
];
const SHORT_LEVELS: readonly TableLevel[] = [
  { shift: 12, bits: 10 },
  { shift: 22, bits: 10 },
];

/** x86-64 with four or five levels. `root` is CR3; writes to read-only pages fault as with CR0.WP. */
export class X86_64Tables extends RadixTables {
  readonly #sign: number;

  constructor(ram: GuestRam, levels: 4 | 5 = 4) {
    super(ram, LONG_LEVELS.slice(0, levels), longFormat);
    this.#sign = levels === 4 ? 15 : 24;
  }

  isUser(_lo: number, hi: number): boolean {
    return hi >> this.#sign === 0;
  }

  protected override canonical(_lo: number, hi: number): boolean {
    const top = hi >> this.#sign;
    return top === 0 || top === -1;
  }
}

/** i386. Of a 64-bit address only the low word counts, as for a C pointer there. */
export class I386Tables extends RadixTables {
  readonly #pageOffset: number;

  /** `pageOffset` is where the kernel's part begins (PAGE_OFFSET, 3 GiB but for rare configurations). */
  constructor(ram: GuestRam, options: { readonly pae: boolean; readonly pageOffset?: number }) {
    if (options.pae) super(ram, PAE_LEVELS, paeFormat, 32);
    else super(ram, SHORT_LEVELS, shortFormat);
    this.#pageOffset = options.pageOffset ?? 0xc000_0000;
  }

  isUser(lo: number): boolean {
    return lo >>> 0 < this.#pageOffset;
  }

  protected override canonical(): boolean {
    return true;
  }
}
