import type { Op } from './op.js';

const PAGE = 4096;

/** The machine's RAM, and which of its pages hold instructions that CPUs have decoded. */
export class PhysicalMemory {
  readonly size: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly words: Int32Array<ArrayBuffer>;
  /** Non-zero for pages with decoded instructions: a write to one must call `invalidate`. */
  readonly code: Uint8Array;
  readonly #decoded: ((Op | null)[] | undefined)[];

  /** `size` is rounded up to whole pages; at most 2 GiB. */
  constructor(size: number) {
    if (!(size > 0 && size <= 0x8000_0000)) throw new RangeError(`physical memory of ${size} bytes: 1 to 2^31`);
    const pages = Math.ceil(size / PAGE);
    this.size = pages * PAGE;
    const buffer = new ArrayBuffer(this.size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Int32Array(buffer);
    this.code = new Uint8Array(pages);
    this.#decoded = new Array<(Op | null)[] | undefined>(pages).fill(undefined);
  }

  /** Decoded instructions of a page by their offset in it. The array stays the page's own for good. */
  decodedPage(page: number): (Op | null)[] {
    this.code[page] = 1;
    return (this.#decoded[page] ??= new Array<Op | null>(PAGE).fill(null));
  }

  /** Forgets the decoded instructions of a page, in place, so that CPUs inside it notice. */
  invalidate(page: number): void {
    this.#decoded[page]?.fill(null);
    this.code[page] = 0;
  }

  /** Copies `source` to physical address `address`, decoded instructions included. The range must exist. */
  write(address: number, source: Uint8Array): void {
    this.bytes.set(source, address);
    this.invalidateRange(address, source.length);
  }

  invalidateRange(address: number, length: number): void {
    if (length <= 0) return;
    for (let page = address >>> 12; page <= (address + length - 1) >>> 12; page++) {
      if (this.code[page] !== 0) this.invalidate(page);
    }
  }

  u64(address: number): bigint {
    return this.view.getBigUint64(address, true);
  }

  setU64(address: number, value: bigint): void {
    this.view.setBigUint64(address, value, true);
  }
}
