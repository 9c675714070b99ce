import type { FormatOutput } from './helper/format-output.js';

/** Bytes of the buffer behind an iterator's file: PAGE_SIZE << 3. */
export const SEQ_BUFFER_SIZE = 32_768;

/**
 * What an iterator's program writes to: a buffer that takes a write as a whole or not at all, and is full from the first
 * one on that did not fit (fs/seq_file.c).
 */
export class SeqFile {
  /** Low word of the pointer by which programs know it. */
  readonly address: number;
  readonly bytes = new Uint8Array(SEQ_BUFFER_SIZE);
  /** Bytes in use. */
  count = 0;

  constructor(address: number) {
    this.address = address;
  }

  get overflowed(): boolean {
    return this.count === SEQ_BUFFER_SIZE;
  }

  /** Bytes that a write may have. */
  get room(): number {
    return SEQ_BUFFER_SIZE - this.count - 1;
  }

  /** seq_write(): false where they do not fit. */
  write(bytes: Uint8Array): boolean {
    if (bytes.length > this.room) {
      this.count = SEQ_BUFFER_SIZE;
      return false;
    }
    this.bytes.set(bytes, this.count);
    this.count += bytes.length;
    return true;
  }

  /** seq_bprintf(): text that was cut to `room` is none. */
  print({ length, text }: FormatOutput): boolean {
    if (length > this.room) this.count = SEQ_BUFFER_SIZE;
    return !this.overflowed && this.write(text);
  }
}
