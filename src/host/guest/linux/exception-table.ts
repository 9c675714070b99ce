import type { HostMemory, SymbolTable } from '../../index.js';
import { copyRange, instructionsOf, type KernelRange, rangeBetween, type TableRun } from './kernel-range.js';

/** `struct exception_table_entry` since Linux 5.16: distances to the instruction and to where it goes on, type and data. */
const ENTRY = 12;
/** The same before, but on x86: the two distances. */
const OLD_ENTRY = 8;
/** Kernels have thousands. */
const LEAST_ENTRIES = 64;
/** What types and data of entries may be (EX_TYPE_* and two register numbers). */
const LAST_TYPE = 15;
const LAST_DATA = 0x3ff;

/**
 * The kernel's own exception table (`__ex_table`): instructions that may fault and then go on elsewhere. Read from its
 * memory when first asked; a kernel that does not name its ends is searched for it between its text and its init text.
 */
export class ExceptionTable {
  readonly #memory: HostMemory;
  readonly #symbols: SymbolTable;
  #addresses: ReadonlySet<bigint> | null = null;

  constructor(memory: HostMemory, symbols: SymbolTable) {
    this.#memory = memory;
    this.#symbols = symbols;
  }

  /** Addresses of instructions, in the order of the table; none where no table is found. */
  get addresses(): ReadonlySet<bigint> {
    this.#addresses ??= this.#read();
    return this.#addresses;
  }

  /** Whether there is an entry for the instruction at `address`. */
  has(address: bigint): boolean {
    return this.addresses.has(address);
  }

  #read(): ReadonlySet<bigint> {
    const named = rangeBetween(this.#symbols, '__start___ex_table', '__stop___ex_table');
    const text = rangeBetween(this.#symbols, '_stext', '_etext');
    if (named !== null) {
      const copy = copyRange(this.#memory, named);
      const size = text !== null && isOld(copy, offsets(text, named.from)) ? OLD_ENTRY : ENTRY;
      return new Set(instructionsOf(copy, { start: 0, end: copy.byteLength, size }, named.from));
    }
    const data = rangeBetween(this.#symbols, '_etext', '_sinittext');
    if (text === null || data === null) return new Set();
    const copy = copyRange(this.#memory, data);
    const inText = offsets(text, data.from);
    const found = longestRun(copy, inText, ENTRY) ?? longestRun(copy, inText, OLD_ENTRY);
    return found === null ? new Set() : new Set(instructionsOf(copy, found, data.from));
  }
}

interface Offsets {
  readonly from: number;
  readonly to: number;
}

function offsets({ from, to }: KernelRange, origin: bigint): Offsets {
  return { from: Number(from - origin), to: Number(to - origin) };
}

/** Whether most entries are such as there were before 5.16; those of init text, at the end, do not fit. */
function isOld(view: DataView, text: Offsets): boolean {
  return 2 * endOfRun(view, 0, text, OLD_ENTRY) > view.byteLength;
}

/** Entries, sorted by instruction, that follow one another, of which there are more nowhere else; null: they are too few. */
function longestRun(view: DataView, text: Offsets, size: number): TableRun | null {
  let longest: TableRun = { start: 0, end: 0, size };
  for (let start = 0; start + size <= view.byteLength;) {
    const end = endOfRun(view, start, text, size);
    if (end - start > longest.end - longest.start) longest = { start, end, size };
    // Runs do not overlap but by an accident of few entries.
    start = Math.max(start + 4, end - size);
  }
  return longest.end - longest.start < LEAST_ENTRIES * size ? null : longest;
}

function endOfRun(view: DataView, start: number, text: Offsets, size: number): number {
  let last = text.from;
  let at = start;
  while (at + size <= view.byteLength) {
    const instruction = at + view.getInt32(at, true);
    if (instruction < last || instruction >= text.to || !isEntry(view, at, text, size)) break;
    last = instruction;
    at += size;
  }
  return at;
}

/** Alternatives and bugs look alike, but for lengths where the data are, or a file's name where the fix-up is. */
function isEntry(view: DataView, at: number, text: Offsets, size: number): boolean {
  const fixup = at + 4 + view.getInt32(at + 4, true);
  if (fixup < text.from || fixup >= text.to || ((fixup - text.from) & 1) !== 0) return false;
  return (
    size === OLD_ENTRY || (view.getUint16(at + 8, true) <= LAST_TYPE && view.getUint16(at + 10, true) <= LAST_DATA)
  );
}
