import type { HostMemory, SymbolTable } from '../../index.js';
import { copyRange, type KernelRange, rangeBetween } from './kernel-range.js';

/** `struct exception_table_entry` since Linux 5.16: distances to the instruction and to where it goes on, type and data. */
const ENTRY = 12;
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
    if (named !== null)
      return instructions(copyRange(this.#memory, named), 0, Number(named.to - named.from), named.from);
    const text = rangeBetween(this.#symbols, '_stext', '_etext');
    const data = rangeBetween(this.#symbols, '_etext', '_sinittext');
    if (text === null || data === null) return new Set();
    const copy = copyRange(this.#memory, data);
    const { start, end } = longestRun(copy, offsets(text, data.from));
    return instructions(copy, start, end, data.from);
  }
}

interface Offsets {
  readonly from: number;
  readonly to: number;
}

function offsets({ from, to }: KernelRange, origin: bigint): Offsets {
  return { from: Number(from - origin), to: Number(to - origin) };
}

/** Entries, sorted by instruction, that follow one another, of which there are more nowhere else. */
function longestRun(view: DataView, text: Offsets): { start: number; end: number } {
  let longest = { start: 0, end: 0 };
  for (let start = 0; start + ENTRY <= view.byteLength;) {
    const end = endOfRun(view, start, text);
    if (end - start > longest.end - longest.start) longest = { start, end };
    // Runs do not overlap but by an accident of few entries.
    start = Math.max(start + 4, end - ENTRY);
  }
  return longest.end - longest.start < LEAST_ENTRIES * ENTRY ? { start: 0, end: 0 } : longest;
}

function endOfRun(view: DataView, start: number, text: Offsets): number {
  let last = text.from;
  let at = start;
  while (at + ENTRY <= view.byteLength) {
    const instruction = at + view.getInt32(at, true);
    if (instruction < last || instruction >= text.to || !isEntry(view, at, text)) break;
    last = instruction;
    at += ENTRY;
  }
  return at;
}

/** Alternatives and bugs look alike, but for lengths where the data are, or a file's name where the fix-up is. */
function isEntry(view: DataView, at: number, text: Offsets): boolean {
  const fixup = at + 4 + view.getInt32(at + 4, true);
  if (fixup < text.from || fixup >= text.to || ((fixup - text.from) & 1) !== 0) return false;
  return view.getUint16(at + 8, true) <= LAST_TYPE && view.getUint16(at + 10, true) <= LAST_DATA;
}

function instructions(view: DataView, start: number, end: number, origin: bigint): ReadonlySet<bigint> {
  const found = new Set<bigint>();
  for (let at = start; at + ENTRY <= end; at += ENTRY) found.add(origin + BigInt(at + view.getInt32(at, true)));
  return found;
}
