import type { HostMemory, SymbolTable } from '../../index.js';
import { copyRange, type KernelRange, rangeBetween } from './kernel-range.js';

/** `struct jump_entry` on 64 bits: distances to the jump and to its target, and to the key with two flags. */
const JUMP = 16;
/** `struct static_call_site`: distances to the call and to the key. */
const CALL = 8;
/** Kernels have thousands of jumps. */
const LEAST_JUMPS = 64;
/** More bytes than init text has with all that is linked behind it. */
const IMAGE = 1 << 26;

/**
 * Instructions that a kernel of 64 bits patches while it runs: the jumps of its static keys and its static calls. It insists on
 * finding what it left there, so that Linux refuses probes on them (jump_label_text_reserved(), static_call_text_reserved()).
 * Read from its tables when first asked; a kernel that does not name the ends of the jumps' is searched for it between its
 * text and its init text. Those of modules are not known.
 */
export class PatchSites {
  readonly #memory: HostMemory;
  readonly #symbols: SymbolTable;
  #sites: ReadonlyMap<bigint, string> | null = null;

  constructor(memory: HostMemory, symbols: SymbolTable) {
    this.#memory = memory;
    this.#symbols = symbols;
  }

  /** What the kernel makes of each, by address. */
  get sites(): ReadonlyMap<bigint, string> {
    this.#sites ??= new Map([...this.#jumps(), ...this.#calls()]);
    return this.#sites;
  }

  #jumps(): [bigint, string][] {
    const why = 'the kernel patches it: the jump of a static key';
    const named = rangeBetween(this.#symbols, '__start___jump_table', '__stop___jump_table');
    if (named !== null)
      return places(copyRange(this.#memory, named), 0, Number(named.to - named.from), JUMP, named, why);
    const text = rangeBetween(this.#symbols, '_stext', '_etext');
    const data = rangeBetween(this.#symbols, '_etext', '_sinittext');
    if (text === null || data === null) return [];
    const copy = copyRange(this.#memory, data);
    const { start, end } = longestRun(copy, Number(-data.from & 7n), new JumpShape(text, data));
    return places(copy, start, end, JUMP, data, why);
  }

  #calls(): [bigint, string][] {
    const range = rangeBetween(this.#symbols, '__start_static_call_sites', '__stop_static_call_sites');
    if (range === null) return [];
    const why = 'the kernel patches it: a static call';
    return places(copyRange(this.#memory, range), 0, Number(range.to - range.from), CALL, range, why);
  }
}

/** The instructions of entries, each of which begins with the distance to its own. */
function places(
  view: DataView,
  start: number,
  end: number,
  size: number,
  { from }: KernelRange,
  why: string,
): [bigint, string][] {
  const found: [bigint, string][] = [];
  for (let at = start; at + size <= end; at += size) found.push([from + BigInt(at + view.getInt32(at, true)), why]);
  return found;
}

/** What an entry looks like; all places as distances from the start of the data. */
class JumpShape {
  readonly #text: number;
  readonly #init: number;

  constructor(text: KernelRange, data: KernelRange) {
    this.#text = Number(text.from - data.from);
    this.#init = Number(data.to - data.from);
  }

  /** Jump and target lie in the text or behind the start of the init text, the key anywhere behind the text. */
  fits(view: DataView, at: number): boolean {
    const code = at + view.getInt32(at, true);
    const target = at + 4 + view.getInt32(at + 4, true);
    if (!this.#isCode(code) || !this.#isCode(target)) return false;
    const low = view.getInt32(at + 8, true);
    const key = at + 8 + (low & ~3);
    return view.getInt32(at + 12, true) === low >> 31 && key >= 0 && key < IMAGE;
  }

  #isCode(at: number): boolean {
    return (at >= this.#text && at < 0) || (at >= this.#init && at < this.#init + IMAGE);
  }
}

/** Entries that follow one another, of which there are more nowhere else; `first` is where the first may be, eight bytes apart. */
function longestRun(view: DataView, first: number, shape: JumpShape): { start: number; end: number } {
  let longest = { start: 0, end: 0 };
  for (let start = first; start + JUMP <= view.byteLength;) {
    let end = start;
    while (end + JUMP <= view.byteLength && shape.fits(view, end)) end += JUMP;
    if (end - start > longest.end - longest.start) longest = { start, end };
    start = Math.max(start + 8, end);
  }
  return longest.end - longest.start < LEAST_JUMPS * JUMP ? { start: 0, end: 0 } : longest;
}
