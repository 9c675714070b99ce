import type { GuestRam } from '../guest-ram.js';
import { PageAccess } from './page-tables.js';
import { type EntryFormat, RadixTables } from './radix-tables.js';

const VALID = 1;
const TABLE_OR_PAGE = 2;
const AP_USER = 1 << 6;
const AP_READ_ONLY = 1 << 7;
/** In the high word of a table descriptor: no access from EL0, no writes below it. */
const AP_TABLE_NO_USER = 1 << 29;
const AP_TABLE_READ_ONLY = 1 << 30;

/** VMSAv8-64 stage 1, 4 KiB granule, 48-bit output addresses. Dirty bits are left to software, as before FEAT_HAFDBS. */
const format: EntryFormat = {
  bytes: 8,
  dirty: 0,
  present: (low, _high, level) => (low & VALID) !== 0 && ((low & TABLE_OR_PAGE) !== 0 || level === 1 || level === 2),
  leaf: (low) => (low & TABLE_OR_PAGE) === 0,
  frame: (low, high, shift) => ((low & (-(2 ** shift) | 0) & ~0xfff) >>> 0) + (high & 0xffff) * 2 ** 32,
  allows(low, high, access, leaf) {
    const write = (access & PageAccess.write) !== 0;
    const user = (access & PageAccess.user) !== 0;
    if (leaf) return !(write && (low & AP_READ_ONLY) !== 0) && !(user && (low & AP_USER) === 0);
    return !(write && (high & AP_TABLE_READ_ONLY) !== 0) && !(user && (high & AP_TABLE_NO_USER) !== 0);
  },
};

/**
 * arm64 with a 4 KiB granule and 39 or 48 bits of virtual address. The kernel's root is TTBR1_EL1, a user's TTBR0_EL1 (both
 * may carry an ASID above bit 48). User addresses may carry a tag in their top byte.
 */
export class Arm64Tables extends RadixTables {
  readonly #vaBits: number;

  constructor(ram: GuestRam, vaBits: 39 | 48) {
    super(
      ram,
      [12, 21, 30, 39].slice(0, vaBits === 39 ? 3 : 4).map((shift) => ({ shift, bits: 9 })),
      format,
    );
    this.#vaBits = vaBits;
  }

  override translate(root: number, lo: number, hi: number, access: number): number {
    return super.translate(root % 2 ** 48, lo, hi, access);
  }

  isUser(_lo: number, hi: number): boolean {
    return (hi & 0x00ff_ffff) >>> (this.#vaBits - 32) === 0;
  }

  protected override canonical(lo: number, hi: number): boolean {
    return hi >> (this.#vaBits - 32) === -1 || this.isUser(lo, hi);
  }
}
