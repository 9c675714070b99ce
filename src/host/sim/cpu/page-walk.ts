import type { PhysicalMemory } from './physical-memory.js';

/** Kinds of memory access. */
export const Access = { READ: 0, WRITE: 1, EXEC: 2 } as const;

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;
const LARGE = 0x80;

/** Error code bits of a page fault. */
const PF = { PRESENT: 1, WRITE: 2, USER: 4, RESERVED: 8, FETCH: 16 } as const;

/**
 * Walks the four levels of page tables at `root`. The result is the physical address, or minus the page
 * fault's error code minus one. Accessed and dirty bits are not kept.
 */
export function walkPageTables(
  physical: PhysicalMemory,
  root: number,
  lo: number,
  hi: number,
  access: number,
  user: boolean,
  writeProtect: boolean,
): number {
  const mode =
    (access === Access.WRITE ? PF.WRITE : 0) | (user ? PF.USER : 0) | (access === Access.EXEC ? PF.FETCH : 0);
  if ((hi << 16) >> 16 !== (hi | 0)) return -(mode + 1);
  let table = root;
  let rights = WRITABLE | USER;
  let noExec = 0;
  for (let level = 3; level >= 0; level--) {
    const at = table + 8 * entryIndex(lo, hi, level);
    if (at + 8 > physical.size) return -((mode | PF.PRESENT | PF.RESERVED) + 1);
    const entryLo = physical.view.getInt32(at, true);
    const entryHi = physical.view.getInt32(at + 4, true);
    if ((entryLo & PRESENT) === 0) return -(mode + 1);
    if ((entryHi & 0xfffff) !== 0) return -((mode | PF.PRESENT | PF.RESERVED) + 1);
    rights &= entryLo;
    noExec |= entryHi;
    table = (entryLo & ~0xfff) >>> 0;
    if (level > 0 && ((entryLo & LARGE) === 0 || level === 3)) continue;
    const denied =
      (user && (rights & USER) === 0) ||
      (access === Access.WRITE && (rights & WRITABLE) === 0 && (user || writeProtect)) ||
      (access === Access.EXEC && noExec < 0);
    return denied ? -((mode | PF.PRESENT) + 1) : leaf(physical, table, lo, level, mode);
  }
  return -(mode + 1);
}

function entryIndex(lo: number, hi: number, level: number): number {
  switch (level) {
    case 3:
      return (hi >>> 7) & 0x1ff;
    case 2:
      return ((hi & 0x7f) << 2) | (lo >>> 30);
    case 1:
      return (lo >>> 21) & 0x1ff;
    default:
      return (lo >>> 12) & 0x1ff;
  }
}

/** The byte inside the 4 KiB, 2 MiB or 1 GiB frame, if there is memory. */
function leaf(physical: PhysicalMemory, frame: number, lo: number, level: number, mode: number): number {
  const mask = level === 0 ? 0xfff : level === 1 ? 0x1f_ffff : 0x3fff_ffff;
  const address = ((frame & ~mask) >>> 0) + (lo & mask);
  if (address >= physical.size) return -((mode | PF.PRESENT | PF.RESERVED) + 1);
  return address;
}
