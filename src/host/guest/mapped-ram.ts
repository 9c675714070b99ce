import type { GuestRam, RamRange } from './guest-ram.js';

/** Bytes of this process that are a guest's RAM from physical address `start` on. */
export interface RamView {
  readonly start: number;
  readonly bytes: Uint8Array;
}

interface Bank extends RamRange {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** RAM that this process sees as bytes: a mapped file, an emulator's own array. Views must not overlap. */
export class MappedRam implements GuestRam {
  readonly ranges: readonly RamRange[];
  readonly #banks: readonly Bank[];
  /** Where the last access was: most follow each other in one bank. */
  #last: Bank | undefined;

  constructor(views: readonly RamView[]) {
    this.#banks = views.map(({ start, bytes }) => bank(start, bytes)).toSorted((a, b) => a.start - b.start);
    for (const [i, { start }] of this.#banks.entries()) {
      const before = this.#banks[i - 1];
      if (before !== undefined && before.start + before.size > start) {
        throw new RangeError(`RAM at 0x${start.toString(16)} overlaps RAM at 0x${before.start.toString(16)}`);
      }
    }
    this.ranges = this.#banks.map(({ start, size }) => ({ start, size }));
  }

  read(address: number, dst: Uint8Array, offset: number, length: number): boolean {
    const found = this.#find(address, length);
    if (found === undefined) return false;
    const at = address - found.start;
    if (length <= 8) for (let i = 0; i < length; i++) dst[offset + i] = found.bytes[at + i];
    else dst.set(found.bytes.subarray(at, at + length), offset);
    return true;
  }

  write(address: number, src: Uint8Array, offset: number, length: number): boolean {
    const found = this.#find(address, length);
    if (found === undefined) return false;
    const at = address - found.start;
    if (length <= 8) for (let i = 0; i < length; i++) found.bytes[at + i] = src[offset + i];
    else found.bytes.set(src.subarray(offset, offset + length), at);
    return true;
  }

  word(address: number): number {
    const found = this.#find(address, 4);
    return found === undefined ? -1 : found.view.getUint32(address - found.start, true);
  }

  #find(address: number, length: number): Bank | undefined {
    const last = this.#last;
    if (last !== undefined && holds(last, address, length)) return last;
    const found = this.#banks.find((each) => holds(each, address, length));
    if (found !== undefined) this.#last = found;
    return found;
  }
}

function bank(start: number, bytes: Uint8Array): Bank {
  if (!Number.isSafeInteger(start) || start < 0) throw new RangeError(`${start} is no physical address`);
  return {
    start,
    size: bytes.byteLength,
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  };
}

function holds({ start, size }: Bank, address: number, length: number): boolean {
  return address >= start && address + length <= start + size;
}
