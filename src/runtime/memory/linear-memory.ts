const PAGE = 65536;

/** What BpfMemory needs of a `WebAssembly.Memory`. */
export interface LinearMemory {
  /** Another one after each growth, unless it is shared. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Grows by so many pages of 64 KiB; throws where the maximum is reached. */
  grow(pages: number): number;
}

/** Sizes in pages of 64 KiB. */
export interface MemoryLimits {
  readonly initial: number;
  readonly maximum: number;
  /** Whether other threads can be given it. */
  readonly shared: boolean;
}

/** Zeroed memory: WebAssembly's, so that compiled programs can import it, or a plain one where there is none. */
export function createLinearMemory(limits: MemoryLimits): LinearMemory {
  return typeof WebAssembly === 'object' ? new WebAssembly.Memory({ ...limits }) : new PlainMemory(limits);
}

/** For JavaScript engines without WebAssembly, such as V8 with --jitless. */
class PlainMemory implements LinearMemory {
  readonly #maximum: number;
  #buffer: ArrayBuffer;

  constructor({ initial, maximum }: MemoryLimits) {
    this.#maximum = maximum;
    this.#buffer = new ArrayBuffer(initial * PAGE);
  }

  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  grow(pages: number): number {
    const before = this.#buffer.byteLength / PAGE;
    if (before + pages > this.#maximum) throw new RangeError(`memory of at most ${this.#maximum} pages of 64 KiB`);
    const larger = new ArrayBuffer((before + pages) * PAGE);
    new Uint8Array(larger).set(new Uint8Array(this.#buffer));
    this.#buffer = larger;
    return before;
  }
}
