import { Errno } from '../../base/index.js';
import { readHost, readKernelBehind } from '../helper/host-read.js';
import type { BpfRunCtx } from '../run-context.js';

const CHUNK = 64;

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
    this.#lo = lo;
    this.#hi = hi;
  }

  /** False for addresses that are not the kernel's, whatever is there (copy_from_kernel_nofault_allowed()). */
  get isAllowed(): boolean {
    return readHost(this.#run, 'kernel', this.#bytes, 0, 0, this.#lo, this.#hi) !== -Errno.ERANGE;
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
    return readKernelBehind(this.#run, this.#lo, this.#hi, index, this.#bytes, size) === 0;
  }
}
