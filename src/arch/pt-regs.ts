import { hi32, lo32, u64 } from '../base/index.js';

/** How one architecture lays out its `struct pt_regs`: slots of one size in memory order, and what each is used for. */
export interface PtRegsLayout {
  /** Field names in memory order; slot `i` is at byte offset `slotSize * i`. */
  readonly names: readonly string[];
  /** Bytes of a slot, the kernel's `sizeof(long)`. */
  readonly slotSize: 4 | 8;
  /** Bytes, the kernel's `sizeof(struct pt_regs)`. */
  readonly size: number;
  /** Slot of the program counter. */
  readonly ip: number;
  /** Slot of the stack pointer. */
  readonly sp: number;
  /** Slot of the frame pointer. */
  readonly fp: number;
  /** Slot that holds a function's return value. */
  readonly ret: number;
  /** Slots of the register arguments of a C function, first argument first. */
  readonly args: readonly number[];
  /**
   * Which word of the stack (0: where the stack pointer points) holds the first argument that has no register, at a
   * function's entry; null where regs_get_kernel_argument() does not look at the stack.
   */
  readonly stackArgs: number | null;
  /** Slots of registers that the kernel knows by a second name. */
  readonly aliases?: Readonly<Record<string, number>>;
}

/**
 * The registers of one trap, as the bytes of a `struct pt_regs` somewhere in an `Int32Array`: slot `i`
 * is the two words at `base + 2 * i`, low word first. It is a view: whoever owns the words (a stack
 * in simulated memory, a mailbox slot, a test) sees what is written here, and reads it back on resume.
 * One view object is reused for many traps by assigning `words` and `base`. Where slots have 32 bits the view is
 * a `PtRegs32`: whoever does not know the architecture makes views by `ptRegsView`.
 */
export class PtRegs {
  readonly layout: PtRegsLayout;
  words: Int32Array;
  base: number;

  constructor(layout: PtRegsLayout, words: Int32Array = new Int32Array(layout.size >> 2), base = 0) {
    this.layout = layout;
    this.words = words;
    this.base = base;
  }

  lo(slot: number): number {
    return this.words[this.base + 2 * slot];
  }

  hi(slot: number): number {
    return this.words[this.base + 2 * slot + 1];
  }

  set(slot: number, lo: number, hi: number): void {
    this.words[this.base + 2 * slot] = lo;
    this.words[this.base + 2 * slot + 1] = hi;
  }

  /** The slot as an unsigned 64-bit value. For tests and cold paths; hot paths use the words. */
  get(slot: number): bigint {
    return u64(this.lo(slot), this.hi(slot));
  }

  put(slot: number, value: bigint): void {
    this.set(slot, lo32(value), hi32(value));
  }

  get ip(): bigint {
    return this.get(this.layout.ip);
  }

  set ip(value: bigint) {
    this.put(this.layout.ip, value);
  }

  get sp(): bigint {
    return this.get(this.layout.sp);
  }

  set sp(value: bigint) {
    this.put(this.layout.sp, value);
  }

  /** Slot by its kernel name (`di`, `ip`, `orig_ax` ...) or an alias of that, or -1. */
  slot(name: string): number {
    const { names, aliases } = this.layout;
    const slot = names.indexOf(name);
    return slot < 0 && aliases !== undefined && Object.hasOwn(aliases, name) ? aliases[name] : slot;
  }

  /** Copies all slots to `target` starting at 32-bit word `index`. */
  copyTo(target: Int32Array, index: number): void {
    const { words } = this;
    let from = this.base | 0;
    let to = index | 0;
    const end = (from + (this.layout.size >> 2)) | 0;
    // Sums that cannot overflow spare V8 a check each, and six words in a row most of the loop.
    for (; from <= ((end - 6) | 0); from = (from + 6) | 0, to = (to + 6) | 0) {
      target[to] = words[from];
      target[(to + 1) | 0] = words[(from + 1) | 0];
      target[(to + 2) | 0] = words[(from + 2) | 0];
      target[(to + 3) | 0] = words[(from + 3) | 0];
      target[(to + 4) | 0] = words[(from + 4) | 0];
      target[(to + 5) | 0] = words[(from + 5) | 0];
    }
    for (; from < end; from++, to++) target[to] = words[from];
  }
}

/** The same view of 32-bit slots: slot `i` is the word at `base + i`. High words read as 0, and nothing keeps them. */
export class PtRegs32 extends PtRegs {
  override lo(slot: number): number {
    return this.words[this.base + slot];
  }

  override hi(_slot: number): number {
    return 0;
  }

  override set(slot: number, lo: number, _hi: number): void {
    this.words[this.base + slot] = lo;
  }
}

/** A view of registers laid out like `layout`; with words of its own unless some are given. */
export function ptRegsView(layout: PtRegsLayout, words?: Int32Array, base = 0): PtRegs {
  return layout.slotSize === 4 ? new PtRegs32(layout, words, base) : new PtRegs(layout, words, base);
}
