const UNIT = 16;

/** Hands out pieces of the kernel's executable pages in units of 16 bytes, first fit. */
export class SlotPool {
  readonly #start: bigint;
  readonly #used: Uint8Array;

  constructor(start: bigint, bytes: number) {
    this.#start = start;
    this.#used = new Uint8Array(Math.floor(bytes / UNIT));
  }

  allocate(bytes: number): bigint | null {
    const units = Math.ceil(bytes / UNIT);
    if (units < 1) return null;
    let run = 0;
    for (let i = 0; i < this.#used.length; i++) {
      run = this.#used[i] === 0 ? run + 1 : 0;
      if (run < units) continue;
      const first = i - units + 1;
      this.#used.fill(1, first, i + 1);
      return this.#start + BigInt(first * UNIT);
    }
    return null;
  }

  free(address: bigint, bytes: number): void {
    const first = Number(address - this.#start) / UNIT;
    this.#used.fill(0, first, first + Math.ceil(bytes / UNIT));
  }
}
