import type { HostMemory } from '../../index.js';

/**
 * Reads words of kernel memory into a pair of its own, so that the path of a hit allocates nothing. A fault leaves the
 * pair 0.
 */
export class KernelReader {
  readonly memory: HostMemory;
  /** Low and high word of what was read last. */
  lo = 0;
  hi = 0;
  readonly #bytes = new Uint8Array(8);
  readonly #words = new DataView(this.#bytes.buffer);
  readonly #pointerSize: 4 | 8;

  constructor(memory: HostMemory, pointerSize: 4 | 8) {
    this.memory = memory;
    this.#pointerSize = pointerSize;
  }

  /** The 32-bit word at the address plus `offset`. */
  u32(lo: number, hi: number, offset: number): boolean {
    return this.#read(lo, hi, offset, 4, false);
  }

  /** The pointer at the address plus `offset`. */
  pointer(lo: number, hi: number, offset: number): boolean {
    return this.#read(lo, hi, offset, this.#pointerSize, false);
  }

  /** The same in the current program's memory. */
  userPointer(lo: number, hi: number, offset: number): boolean {
    return this.#read(lo, hi, offset, this.#pointerSize, true);
  }

  #read(lo: number, hi: number, offset: number, length: number, user: boolean): boolean {
    const low = (lo >>> 0) + offset;
    const high = (hi + Math.floor(low / 2 ** 32)) | 0;
    const read = user
      ? this.memory.readUser(low | 0, high, this.#bytes, 0, length)
      : this.memory.readKernel(low | 0, high, this.#bytes, 0, length);
    this.lo = read ? this.#words.getInt32(0, true) : 0;
    this.hi = read && length === 8 ? this.#words.getInt32(4, true) : 0;
    return read;
  }
}
