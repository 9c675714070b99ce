import { u64 } from '../../src/base/index.js';
import type { HostMemory } from '../../src/host/index.js';

interface Piece {
  readonly start: bigint;
  readonly bytes: Uint8Array;
}

/** Sparse memory: pieces that exist, and faults everywhere else. */
export class TestMemory implements HostMemory {
  readonly #pieces: Piece[] = [];

  /** Makes `size` zero bytes exist at `start` and returns them. */
  map(start: bigint, size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    this.#pieces.push({ start, bytes });
    return bytes;
  }

  /** The bytes at `address`, as a view, or undefined where any of them is absent. */
  view(address: bigint, length: number): Uint8Array | undefined {
    for (const { start, bytes } of this.#pieces) {
      if (address < start || address + BigInt(length) > start + BigInt(bytes.length)) continue;
      const offset = Number(address - start);
      return bytes.subarray(offset, offset + length);
    }
    return undefined;
  }

  write(address: bigint, bytes: ArrayLike<number>): void {
    const view = this.view(address, bytes.length);
    if (view === undefined) throw new RangeError(`nothing is mapped at 0x${address.toString(16)}`);
    view.set(bytes);
  }

  readU64(address: bigint): bigint {
    const view = this.view(address, 8);
    if (view === undefined) throw new RangeError(`nothing is mapped at 0x${address.toString(16)}`);
    return new DataView(view.buffer, view.byteOffset).getBigUint64(0, true);
  }

  writeU64(address: bigint, value: bigint): void {
    this.write(address, new Uint8Array(BigUint64Array.of(value).buffer));
  }

  readKernel(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean {
    return !this.isUser(lo, hi) && this.#read(u64(lo, hi), dst, offset, length);
  }

  writeKernel(lo: number, hi: number, src: Uint8Array, offset: number, length: number): boolean {
    return !this.isUser(lo, hi) && this.#write(u64(lo, hi), src, offset, length);
  }

  readUser(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean {
    return this.isUser(lo, hi) && this.#read(u64(lo, hi), dst, offset, length);
  }

  writeUser(lo: number, hi: number, src: Uint8Array, offset: number, length: number): boolean {
    return this.isUser(lo, hi) && this.#write(u64(lo, hi), src, offset, length);
  }

  isUser(_lo: number, hi: number): boolean {
    return hi >= 0 && hi < 0x8000;
  }

  #read(address: bigint, dst: Uint8Array, offset: number, length: number): boolean {
    const view = this.view(address, length);
    if (view === undefined) return false;
    dst.set(view, offset);
    return true;
  }

  #write(address: bigint, src: Uint8Array, offset: number, length: number): boolean {
    const view = this.view(address, length);
    if (view === undefined) return false;
    view.set(src.subarray(offset, offset + length));
    return true;
  }
}
