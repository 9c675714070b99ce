import { BpfError } from './bpf-error.js';
import { utf8Text } from './utf8-text.js';

/**
 * Reads integers and strings at explicit offsets of a byte range, with explicit endianness. A read
 * outside the range is an EINVAL `BpfError` that names the section, the offset and the length.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  readonly section: string;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, littleEndian: boolean, section: string) {
    this.bytes = bytes;
    this.littleEndian = littleEndian;
    this.section = section;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.byteLength;
  }

  u8(offset: number): number {
    this.#need(offset, 1);
    return this.#view.getUint8(offset);
  }

  u16(offset: number): number {
    this.#need(offset, 2);
    return this.#view.getUint16(offset, this.littleEndian);
  }

  u32(offset: number): number {
    this.#need(offset, 4);
    return this.#view.getUint32(offset, this.littleEndian);
  }

  s32(offset: number): number {
    this.#need(offset, 4);
    return this.#view.getInt32(offset, this.littleEndian);
  }

  u64(offset: number): bigint {
    this.#need(offset, 8);
    return this.#view.getBigUint64(offset, this.littleEndian);
  }

  /** A u64 that counts or addresses bytes of this very file: refused when it cannot be a length here. */
  size64(offset: number, what: string): number {
    const value = this.u64(offset);
    if (value > 0xffff_ffffn) {
      throw new BpfError('EINVAL', `${what} does not fit any file`, {
        section: this.section,
        offset,
        value,
        remedy: 'the field is corrupt',
      });
    }
    return Number(value);
  }

  /** A view (no copy) of `length` bytes at `offset`. */
  slice(offset: number, length: number): Uint8Array {
    this.#need(offset, length);
    return this.bytes.subarray(offset, offset + length);
  }

  /** The NUL-terminated string at `offset`; the terminator must lie inside the range. */
  cstring(offset: number): string {
    this.#need(offset, 1);
    const end = this.bytes.indexOf(0, offset);
    if (end < 0) {
      throw new BpfError('EINVAL', 'string is not NUL-terminated', {
        section: this.section,
        offset,
        remedy: 'the file is truncated or an offset field in it is wrong',
      });
    }
    return utf8Text(this.bytes.subarray(offset, end));
  }

  #need(offset: number, length: number): void {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.bytes.byteLength)) {
      throw new BpfError('EINVAL', `read of ${length} bytes runs past the end (${this.bytes.byteLength} bytes)`, {
        section: this.section,
        offset,
        remedy: 'the file is truncated or a size or offset field in it is wrong',
      });
    }
  }
}
