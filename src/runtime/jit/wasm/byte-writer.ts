const LENGTH_BYTES = 5;
/** Buffers of writers that are done with, for the next: V8 spends longer on a new one than on what is written to it. */
const spare: Uint8Array[] = [];
const SPARE_BUFFERS = 4;
const SPARE_BYTES = 1 << 16;
const NOTHING = new Uint8Array(0);

/** A byte array that grows, with the integers of the WebAssembly binary format. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** `expected`: how many bytes there will be, about; room for more costs no more. */
  constructor(expected = 64) {
    this.#bytes = (spare.length > 0 ? spare.pop() : undefined) ?? new Uint8Array(expected);
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes written so far; valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  /** Changes a byte that has been written. */
  replace(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  raw(bytes: ArrayLike<number>): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** All that another writer has. */
  append(other: ByteWriter): void {
    this.raw(other.bytes);
  }

  /** Nobody reads or writes here any more. */
  release(): void {
    if (spare.length < SPARE_BUFFERS && this.#bytes.length <= SPARE_BYTES) spare.push(this.#bytes);
    this.#bytes = NOTHING;
    this.#length = 0;
  }

  /** Leaves room for the length of what follows, which `closeLength` writes there. */
  openLength(): number {
    for (let i = 0; i < LENGTH_BYTES; i++) this.byte(0);
    return this.#length;
  }

  /** `start`: what `openLength` has answered. The length is as many bytes whatever it is, which LEB128 allows. */
  closeLength(start: number): void {
    let rest = this.#length - start;
    for (let at = start - LENGTH_BYTES; at < start - 1; at++) {
      this.#bytes[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[start - 1] = rest;
  }

  /** Unsigned LEB128 of a 32-bit number. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed LEB128 of a 32-bit number; the same bytes denote its 64-bit sign extension. */
  signed(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  /** Signed LEB128 of a 64-bit number given as two words. */
  signed64(lo: number, hi: number): void {
    let low = lo | 0;
    let high = hi | 0;
    while (high !== low >> 31 || low < -64 || low > 63) {
      this.byte((low & 0x7f) | 0x80);
      low = (low >>> 7) | (high << 25);
      high >>= 7;
    }
    this.byte(low & 0x7f);
  }

  /** An ASCII name with its length in front. */
  name(text: string): void {
    this.unsigned(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }

  #grow(missing: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + missing));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}

/** Bytes that `ByteWriter.unsigned` writes of a number that is not negative. */
export function unsignedLength(value: number): number {
  let length = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++;
  return length;
}
