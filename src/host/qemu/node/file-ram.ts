import { readSync, writeSync } from 'node:fs';
import type { GuestRam, RamRange } from '../../guest/index.js';
import type { RamBank } from './qemu-arguments.js';

/** A guest's RAM in a file that its emulator maps: each access is a system call. The file stays the caller's. */
export class FileRam implements GuestRam {
  readonly ranges: readonly RamRange[];
  readonly #fd: number;
  readonly #banks: readonly RamBank[];
  readonly #word = new Uint8Array(4);
  readonly #wordView = new DataView(this.#word.buffer);

  constructor(fd: number, banks: readonly RamBank[]) {
    this.#fd = fd;
    this.#banks = banks;
    this.ranges = banks.map(({ start, size }) => ({ start, size }));
  }

  read(address: number, dst: Uint8Array, offset: number, length: number): boolean {
    if (length === 0) return true;
    const at = this.#position(address, length);
    if (at < 0) return false;
    // A file's end within RAM cannot be: the emulator made it as long as its RAM.
    return readSync(this.#fd, dst, offset, length, at) === length;
  }

  write(address: number, src: Uint8Array, offset: number, length: number): boolean {
    if (length === 0) return true;
    const at = this.#position(address, length);
    return at >= 0 && writeSync(this.#fd, src, offset, length, at) === length;
  }

  word(address: number): number {
    return this.read(address, this.#word, 0, 4) ? this.#wordView.getUint32(0, true) : -1;
  }

  #position(address: number, length: number): number {
    for (const { start, offset, size } of this.#banks) {
      if (address >= start && address + length <= start + size) return address - start + offset;
    }
    return -1;
  }
}
