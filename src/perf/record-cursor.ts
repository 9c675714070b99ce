import { ByteReader } from '../base/index.js';
import { PERF_RECORD_HEADER_SIZE } from './perf-record.js';

const utf8 = new TextEncoder();

/** Reads the fields of one perf record in order; running past its end is an EINVAL `BpfError`. */
export class RecordReader {
  readonly #bytes: ByteReader;
  #at = PERF_RECORD_HEADER_SIZE;

  constructor(record: Uint8Array) {
    this.#bytes = new ByteReader(record, true, 'perf record');
  }

  get recordType(): number {
    return this.#bytes.u32(0);
  }

  get misc(): number {
    return this.#bytes.u16(4);
  }

  u32(): number {
    const value = this.#bytes.u32(this.#at);
    this.#at += 4;
    return value;
  }

  u64(): bigint {
    const value = this.#bytes.u64(this.#at);
    this.#at += 8;
    return value;
  }

  /** A copy: it outlives the buffer the record was read into. */
  take(length: number): Uint8Array {
    const value = this.#bytes.slice(this.#at, length).slice();
    this.#at += length;
    return value;
  }

  /** A NUL-terminated string, padded with NULs to a multiple of 8. */
  paddedString(): string {
    const value = this.#bytes.cstring(this.#at);
    this.#at += paddedLength(utf8.encode(value).length);
    return value;
  }
}

/** Writes the fields of one record in order into a buffer of its own, which is reused for the next record. */
export class RecordWriter {
  readonly bytes = new Uint8Array(65536);
  readonly #view = new DataView(this.bytes.buffer);
  #at = 0;

  begin(recordType: number, misc: number): void {
    this.#view.setUint32(0, recordType, true);
    this.#view.setUint16(4, misc, true);
    this.#at = PERF_RECORD_HEADER_SIZE;
  }

  /** Puts the size into the header and returns it. */
  end(): number {
    this.#view.setUint16(6, this.#at, true);
    return this.#at;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  u64(value: bigint): void {
    this.#view.setBigUint64(this.#at, value, true);
    this.#at += 8;
  }

  words32(...values: number[]): void {
    for (const value of values) this.u32(value);
  }

  words64(...values: bigint[]): void {
    for (const value of values) this.u64(value);
  }

  raw(data: Uint8Array): void {
    this.bytes.set(data, this.#at);
    this.#at += data.length;
  }

  zeros(count: number): void {
    this.bytes.fill(0, this.#at, this.#at + count);
    this.#at += count;
  }

  paddedString(value: string): void {
    const text = utf8.encode(value);
    this.raw(text);
    this.zeros(paddedLength(text.length) - text.length);
  }
}

/** Bytes that a string of `length` takes with its terminator. */
function paddedLength(length: number): number {
  return (length + 8) & ~7;
}
