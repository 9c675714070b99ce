import { roundUp } from '../../../base/index.js';
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
  /** Physical addresses behind the memory that the machine knows: room for those outside. */
  readonly hidden: { readonly from: number; readonly to: number };
  readonly #decoded: ((Op | null)[] | undefined)[];

  /** `size` is rounded up to whole pages; at most 2 GiB with the `hidden` bytes behind it, whole pages too. */
  constructor(size: number, hidden = 0) {
    if (!(size > 0 && size + hidden <= 0x8000_0000))
      throw new RangeError(`physical memory of ${size} bytes: 1 to 2^31`);
    this.size = roundUp(size, PAGE);
    this.hidden = { from: this.size, to: this.size + hidden };
    const pages = this.hidden.to / PAGE;
    const buffer = new ArrayBuffer(this.hidden.to);
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
