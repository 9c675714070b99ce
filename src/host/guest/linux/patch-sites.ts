import type { HostMemory, SymbolTable } from '../../index.js';
import { copyRange, instructionsOf, type KernelRange, rangeBetween, type TableRun } from './kernel-range.js';

/** Of `struct jump_entry`: distances to the jump and to its target; behind them, in a long, that to the key with two flags. */
const KEY = 8;
/** `struct static_call_site`: distances to the call and to the key. */
const CALL = 8;
/** Kernels have thousands of jumps. */
const LEAST_JUMPS = 64;
/** More bytes than init text has with all that is linked behind it, in 64 and in 32 bits. */
const IMAGE = { 8: 1 << 26, 4: 1 << 20 } as const;
/** First bytes of jumps, and of the nops of two and five bytes in their places, on i386. */
const I386_JUMPS: ReadonlySet<number> = new Set([0xe9, 0xeb, 0x3e, 0x66, 0x89]);

/**
 * Instructions that a kernel patches while it runs: the jumps of its static keys and its static calls. It insists on
 * finding what it left there, so that Linux refuses probes on them (jump_label_text_reserved(), static_call_text_reserved()).
 * Read from its tables when first asked; a kernel that does not name the ends of the jumps' is searched for it between its
 * text and its init text. Those of modules are not known.
 */
export class PatchSites {
  readonly #memory: HostMemory;
  readonly #symbols: SymbolTable;
  readonly #pointerSize: 4 | 8;
  #sites: ReadonlyMap<bigint, string> | null = null;

  constructor(memory: HostMemory, symbols: SymbolTable, pointerSize: 4 | 8) {
    this.#memory = memory;
    this.#symbols = symbols;
    this.#pointerSize = pointerSize;
  }

  /** What the kernel makes of each, by address. */
  get sites(): ReadonlyMap<bigint, string> {
    this.#sites ??= new Map([...this.#jumps(), ...this.#calls()]);
    return this.#sites;
  }

  #jumps(): [bigint, string][] {
    const why = 'the kernel patches it: the jump of a static key';
    const size = KEY + this.#pointerSize;
    const named = rangeBetween(this.#symbols, '__start___jump_table', '__stop___jump_table');
    if (named !== null) {
      const copy = copyRange(this.#memory, named);
      return places(copy, { start: 0, end: copy.byteLength, size }, named.from, why);
    }
    const text = rangeBetween(this.#symbols, '_stext', '_etext');
    const data = rangeBetween(this.#symbols, '_etext', '_sinittext');
    if (text === null || data === null) return [];
    const copy = copyRange(this.#memory, data);
    const shape = new JumpShape(text, data, this.#pointerSize === 4 ? copyRange(this.#memory, text) : null);
    const first = Number(-data.from & BigInt(this.#pointerSize - 1));
    return places(copy, longestRun(copy, first, this.#pointerSize, shape), data.from, why);
  }

  #calls(): [bigint, string][] {
    const range = rangeBetween(this.#symbols, '__start_static_call_sites', '__stop_static_call_sites');
    if (range === null) return [];
    const why = 'the kernel patches it: a static call';
    const copy = copyRange(this.#memory, range);
    return places(copy, { start: 0, end: copy.byteLength, size: CALL }, range.from, why);
  }
}

/** The instructions of entries, with what the kernel makes of them. */
function places(view: DataView, run: TableRun, origin: bigint, why: string): [bigint, string][] {
  return instructionsOf(view, run, origin).map((address) => [address, why]);
}

/** What an entry looks like; all places as distances from the start of the data. */
class JumpShape {
  readonly #text: number;
  readonly #init: number;
  readonly #image: number;
  readonly #bytes: DataView | null;

  /**
   * `bytes`: the text of an i386 kernel, which tells jumps from what else has entries of that size. What the init text was
   * when it is no more is not looked at.
   */
  constructor(text: KernelRange, data: KernelRange, bytes: DataView | null) {
    this.#text = Number(text.from - data.from);
    this.#init = Number(data.to - data.from);
    this.#image = IMAGE[bytes === null ? 8 : 4];
    this.#bytes = bytes;
  }

  /** Jump and target lie in the text or behind the start of the init text, the key anywhere behind the text. */
  fits(view: DataView, at: number): boolean {
    const code = at + view.getInt32(at, true);
    const target = at + 4 + view.getInt32(at + 4, true);
    if (!this.#isCode(code) || !this.#isCode(target)) return false;
    const low = view.getInt32(at + KEY, true);
    const key = at + KEY + (low & ~3);
    if (key < 0 || key >= IMAGE[8]) return false;
    return this.#bytes === null ? view.getInt32(at + KEY + 4, true) === low >> 31 : this.#isJump(this.#bytes, code);
  }

  #isCode(at: number): boolean {
    return (at >= this.#text && at < 0) || (at >= this.#init && at < this.#init + this.#image);
  }

  #isJump(bytes: DataView, at: number): boolean {
    return at >= 0 || I386_JUMPS.has(bytes.getUint8(at - this.#text));
  }
}

/** Entries that follow one another, of which there are more nowhere else; `first` is where the first may be, `step` bytes apart. */
function longestRun(view: DataView, first: number, step: 4 | 8, shape: JumpShape): TableRun {
  const size = KEY + step;
  let longest: TableRun = { start: 0, end: 0, size };
  for (let start = first; start + size <= view.byteLength;) {
    let end = start;
    while (end + size <= view.byteLength && shape.fits(view, end)) end += size;
    if (end - start > longest.end - longest.start) longest = { start, end, size };
    start = Math.max(start + step, end);
  }
  return longest.end - longest.start < LEAST_JUMPS * size ? { start: 0, end: 0, size } : longest;
}
