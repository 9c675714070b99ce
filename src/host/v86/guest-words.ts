import type { GuestMemory } from '../guest/index.js';

/** A 32-bit kernel's memory by words. */
export class GuestWords {
  readonly memory: GuestMemory;
  readonly #bytes = new Uint8Array(4);

  constructor(memory: GuestMemory) {
    this.memory = memory;
  }

  /** The word at a kernel address, as an unsigned number; -1 is a fault. */
  at(address: number): number {
    const b = this.#bytes;
    if (!this.memory.readKernel(address | 0, 0, b, 0, 4)) return -1;
    return (b[0] | (b[1] << 8) | (b[2] << 16) | (b[3] << 24)) >>> 0;
  }
}
