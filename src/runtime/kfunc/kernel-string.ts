import { Errno } from '../../base/index.js';
import { readHost } from '../helper/host-read.js';
import type { BpfRunCtx } from '../run-context.js';

const CHUNK = 64;
const TWO_32 = 0x1_0000_0000;

/** Bytes at an address of the kernel or of the program, read as they are asked for. */
export class KernelString {
  readonly #run: BpfRunCtx;
  readonly #lo: number;
  readonly #hi: number;
  readonly #bytes = new Uint8Array(CHUNK);
  /** Index of the first byte in `#bytes`, and the index after the last. */
  #start = 0;
  #end = 0;

  constructor(run: BpfRunCtx, lo: number, hi: number) {
    this.#run = run;
    this.#lo = lo >>> 0;
    this.#hi = hi;
  }

  /** False for addresses that are not the kernel's, whatever is there (copy_from_kernel_nofault_allowed()). */
  get isAllowed(): boolean {
    return readHost(this.#run, 'kernel', this.#bytes, 0, 0, this.#lo | 0, this.#hi) !== -Errno.ERANGE;
  }

  /** The byte at `index`, or -1 where it cannot be read. */
  at(index: number): number {
    if (index < this.#start || index >= this.#end) {
      this.#start = index;
      // Fewer at the end of what is there.
      this.#end = index + (this.#read(index, CHUNK) ? CHUNK : this.#read(index, 1) ? 1 : 0);
    }
    return this.#end === index ? -1 : this.#bytes[index - this.#start];
  }

  #read(index: number, size: number): boolean {
    const sum = this.#lo + index;
    const hi = (this.#hi + Math.floor(sum / TWO_32)) | 0;
    return readHost(this.#run, 'kernel', this.#bytes, 0, size, sum | 0, hi) === 0;
  }
}
