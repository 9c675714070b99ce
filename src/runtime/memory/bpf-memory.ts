import { BpfError, roundUp } from '../../base/index.js';
import { createLinearMemory, type LinearMemory } from './linear-memory.js';
import { PAGE_SIZE, type PageProvider } from './page-provider.js';

declare const offsetBrand: unique symbol;

/** A byte offset in a `BpfMemory`. Never a host address: those are `bigint` or word pairs. */
export type BpfOffset = number & { readonly [offsetBrand]: true };

/** Says that a number is an offset in BpfMemory: the one place where a number becomes one. */
export function bpfOffset(value: number): BpfOffset {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a brand exists at compile time only
  return value as BpfOffset;
}

/**
 * High word (0xfffffe80, signed) of every pointer a BPF program sees into `BpfMemory`; the low word is the offset. The range
 * fffffe80_00000000 - fffffe80_ffffffff is in a hole of the kernel address space of x86-64, arm64 and
 * riscv64 alike, so such a pointer looks like a kernel pointer and is never a host's.
 */
export const BPF_MEMORY_HI = -0x180;

const WASM_PAGE = 65536;
const GRANULE = 16;

export interface BpfMemoryOptions {
  /** Bytes that may be handed out at most; rounded up to 64 KiB. */
  readonly maxBytes?: number;
  /** A `WebAssembly.Memory` handed over by the host; its first `reserved` bytes are left alone. */
  readonly memory?: LinearMemory;
  readonly reserved?: number;
  /** Memory that other threads can be given; for a memory handed over, its own kind decides. Default false. */
  readonly shared?: boolean;
  /** Gives the pages of rings and mappable arrays; default: this memory itself. */
  readonly pages?: PageProvider;
}

/**
 * The one linear memory in which stacks, contexts, map values and ring pages live. `u8`, `u16`, `i32`, `u32` and
 * `view` are replaced when the memory grows (never while a program runs): read them from here each time. Older ones of
 * shared memory, here or in other threads, stay valid but end where the memory ended; others become empty.
 */
export class BpfMemory {
  u8!: Uint8Array;
  u16!: Uint16Array;
  i32!: Int32Array;
  u32!: Uint32Array;
  view!: DataView;
  /** The `WebAssembly.Memory` that compiled programs import; where there is no WebAssembly, something like it. */
  readonly wasm: LinearMemory;
  /** Whether other threads may see and change it: atomic operations are atomic then, and some browser APIs refuse its views. */
  readonly shared: boolean;
  /** Pages that may be mapped from outside. */
  readonly pages: PageProvider;
  readonly #maxBytes: number;
  /** Programs under way: a view that one of them holds must not be detached. */
  #runs = 0;
  /** Free ranges by start, coalesced. */
  readonly #free: { start: number; end: number }[] = [];
  #top: number;
  /** Whether bytes never handed out are known to be zero. */
  readonly #zeroed: boolean;

  constructor(options: BpfMemoryOptions = {}) {
    this.#maxBytes = Math.min(roundUp(options.maxBytes ?? 1 << 30, WASM_PAGE), 0xffff_0000);
    const limits = { initial: 16, maximum: this.#maxBytes / WASM_PAGE, shared: options.shared === true };
    this.wasm = options.memory ?? createLinearMemory(limits);
    this.shared = !(this.wasm.buffer instanceof ArrayBuffer);
    this.#zeroed = options.memory === undefined;
    this.#top = Math.max(4096, roundUp(options.reserved ?? 0, GRANULE));
    this.pages = options.pages ?? {
      allocPages: (count) => this.alloc(count * PAGE_SIZE, PAGE_SIZE),
      freePages: (offset, count) => this.free(offset, count * PAGE_SIZE),
    };
    this.#refresh();
  }

  /** From here to `endRun` the memory does not grow: what does not fit is ENOMEM. Runs nest. */
  beginRun(): void {
    this.#runs++;
  }

  endRun(): void {
    this.#runs--;
  }

  /** Bytes handed out and not freed, padding included. */
  get used(): number {
    return this.#top - 4096 - this.#free.reduce((sum, range) => sum + range.end - range.start, 0);
  }

  /**
   * `size` zeroed bytes at a multiple of `align` (a power of two, at least 16). ENOMEM when the memory is
   * full, or while a program runs and it would have to grow.
   */
  alloc(size: number, align: number = GRANULE): BpfOffset {
    const length = roundUp(Math.max(size, 1), GRANULE);
    const reused = this.#takeFree(length, align);
    const start = reused ?? this.#extend(length, align);
    // Fresh memory is zero already; touching it would make large sparse maps cost real pages.
    if (reused !== undefined || !this.#zeroed) this.u8.fill(0, start, start + length);
    return bpfOffset(start);
  }

  /** Gives back what `alloc(size)` returned. */
  free(offset: BpfOffset, size: number): void {
    this.#give(offset, offset + roundUp(Math.max(size, 1), GRANULE));
  }

  #takeFree(length: number, align: number): number | undefined {
    for (let i = 0; i < this.#free.length; i++) {
      const range = this.#free[i];
      const start = roundUp(range.start, align);
      if (start + length > range.end) continue;
      this.#free.splice(i, 1);
      if (start > range.start) this.#give(range.start, start);
      if (start + length < range.end) this.#give(start + length, range.end);
      return start;
    }
    return undefined;
  }

  #extend(length: number, align: number): number {
    const start = roundUp(this.#top, align);
    const end = start + length;
    if (end > this.#maxBytes) {
      throw new BpfError('ENOMEM', `allocating ${length} bytes of BPF memory`, {
        remedy: `the limit is ${this.#maxBytes} bytes: raise BpfMemoryOptions.maxBytes or use smaller maps`,
      });
    }
    const missing = end - this.wasm.buffer.byteLength;
    if (missing > 0) this.#grow(missing);
    if (start > this.#top) this.#give(this.#top, start);
    this.#top = end;
    return start;
  }

  #grow(missing: number): void {
    if (this.#runs > 0) {
      throw new BpfError('ENOMEM', `growing BPF memory by ${missing} bytes while a program runs`, {
        remedy: 'allocate before the run, or start with a larger memory (BpfMemoryOptions.memory)',
      });
    }
    const have = this.wasm.buffer.byteLength / WASM_PAGE;
    const wanted = Math.ceil(missing / WASM_PAGE);
    // Doubling keeps the number of detached views small.
    const step = Math.min(Math.max(wanted, have), this.#maxBytes / WASM_PAGE - have);
    try {
      this.wasm.grow(step);
    } catch (cause) {
      throw new BpfError('ENOMEM', `growing BPF memory by ${step} pages of 64 KiB`, { cause });
    }
    this.#refresh();
  }

  #give(start: number, end: number): void {
    let i = this.#free.findIndex((range) => range.start > start);
    if (i < 0) i = this.#free.length;
    this.#free.splice(i, 0, { start, end });
    this.#mergeAt(i);
    if (i > 0) this.#mergeAt(i - 1);
  }

  #mergeAt(i: number): void {
    const here = this.#free[i];
    const next = this.#free[i + 1];
    if (here !== undefined && next !== undefined && here.end === next.start) {
      this.#free.splice(i, 2, { start: here.start, end: next.end });
    }
  }

  #refresh(): void {
    const { buffer } = this.wasm;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.view = new DataView(buffer);
  }
}
