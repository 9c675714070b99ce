import { BpfError, PerfEventType, hi32, lo32, u64 } from '../../base/index.js';
import type { BpfMemory, BpfOffset } from '../memory/bpf-memory.js';

/** Field offsets in struct perf_event_mmap_page (include/uapi/linux/perf_event.h). */
export const PerfMmapPage = {
  size: 72,
  data_head: 1024,
  data_tail: 1032,
  data_offset: 1040,
  data_size: 1048,
} as const;

const PAGE = 4096;
/** Bytes of the metadata page that have a meaning: what the kernel reports in its `size` field. */
const USER_PAGE_SIZE = 96;

export interface PerfRingOptions {
  /** Data pages; a power of two. */
  readonly pages: number;
  /** Builds the record that tells of `lost` records; default: the bare 24-byte PERF_RECORD_LOST with id 0. */
  readonly lostRecord?: (lost: bigint) => Uint8Array;
}

/**
 * The producer side of a perf mmap ring: one metadata page with Linux's offsets and 2^n data pages, in
 * BpfMemory. Positions are free-running u64; a record that reaches the end of the data goes on at its
 * beginning. Records that do not fit are counted, and the count is written as a LOST record in front of
 * the next record that fits (kernel/events/ring_buffer.c, the forward, non-overwriting mode).
 */
export class PerfRingArea {
  /** Offset of the metadata page; data follow at `+ 4096`. */
  readonly address: BpfOffset;
  readonly dataSize: number;
  /** All records that did not fit, ever. */
  lostTotal = 0n;
  readonly #memory: BpfMemory;
  /** Indexes of the positions' low words. */
  readonly #headWord: number;
  readonly #tailWord: number;
  readonly #lostRecord: (lost: bigint) => Uint8Array;
  #pendingLost = 0n;

  /** Throws EINVAL unless `pages` is a power of two, ENOMEM when BpfMemory is full. */
  constructor(memory: BpfMemory, options: PerfRingOptions) {
    const { pages } = options;
    if (!Number.isInteger(pages) || pages <= 0 || (pages & (pages - 1)) !== 0) {
      throw new BpfError('EINVAL', 'creating a perf ring', {
        value: pages,
        remedy: 'data pages must be a power of two',
      });
    }
    this.#memory = memory;
    this.#lostRecord = options.lostRecord ?? bareLostRecord;
    this.dataSize = pages * PAGE;
    this.address = memory.pages.allocPages(1 + pages);
    this.#headWord = (this.address + PerfMmapPage.data_head) >>> 2;
    this.#tailWord = (this.address + PerfMmapPage.data_tail) >>> 2;
    const { view } = memory;
    view.setUint32(this.address + PerfMmapPage.size, USER_PAGE_SIZE, true);
    view.setBigUint64(this.address + PerfMmapPage.data_offset, BigInt(PAGE), true);
    view.setBigUint64(this.address + PerfMmapPage.data_size, BigInt(this.dataSize), true);
  }

  /** Where the ring lies, for loops over its records. */
  get place(): PerfRingPlace {
    return {
      memory: this.#memory,
      head: this.#headWord,
      tail: this.#tailWord,
      data: this.address + PAGE,
      mask: this.dataSize - 1,
    };
  }

  /** Where the producer will write next. */
  get head(): bigint {
    return this.#position(this.#headWord);
  }

  /** What the consumer has finished with. */
  get tail(): bigint {
    return this.#position(this.#tailWord);
  }

  /** Set by the consumer when it has finished with everything before `position`. */
  set tail(position: bigint) {
    const { i32 } = this.#memory;
    i32[this.#tailWord] = lo32(position);
    i32[this.#tailWord + 1] = hi32(position);
  }

  /**
   * Appends the record of `size` bytes (header included, a multiple of 8) at `source[offset]`, preceded
   * by a LOST record where some are owed. False, and one more lost, when it does not fit: as in the
   * kernel one byte of the ring always stays free.
   */
  write(source: Uint8Array, offset: number, size: number): boolean {
    const lost = this.#pendingLost > 0n ? this.#lostRecord(this.#pendingLost) : undefined;
    const needed = size + (lost?.length ?? 0);
    if (!this.#fits(needed)) {
      this.lose();
      return false;
    }
    const mask = this.dataSize - 1;
    const at = this.#memory.i32[this.#headWord] & mask;
    if (lost !== undefined) {
      this.#put(at, lost, 0, lost.length);
      this.#pendingLost = 0n;
    }
    this.#put((at + needed - size) & mask, source, offset, size);
    this.#advanceHead(needed);
    return true;
  }

  /** A record that was not even tried counts as lost. */
  lose(): void {
    this.#pendingLost++;
    this.lostTotal++;
  }

  /** Gives the pages back; the ring must not be used afterwards. */
  dispose(): void {
    this.#memory.pages.freePages(this.address, 1 + this.dataSize / PAGE);
  }

  #put(at: number, source: Uint8Array, offset: number, size: number): void {
    const { u8 } = this.#memory;
    const data = this.address + PAGE;
    const first = Math.min(size, this.dataSize - at);
    u8.set(source.subarray(offset, offset + first), data + at);
    if (first < size) u8.set(source.subarray(offset + first, offset + size), data);
  }

  /** Whether so many bytes can be had with one left over. */
  #fits(needed: number): boolean {
    const { i32 } = this.#memory;
    const { low, high } = this.#stableTail();
    const headLow = i32[this.#headWord];
    const borrow = headLow >>> 0 < low >>> 0 ? 1 : 0;
    if (((i32[this.#headWord + 1] - high - borrow) | 0) !== 0) return false;
    return needed + ((headLow - low) >>> 0) < this.dataSize;
  }

  /** The tail, which another thread may be moving: both words of one moment. */
  #stableTail(): { low: number; high: number } {
    const { i32 } = this.#memory;
    for (;;) {
      const high = Atomics.load(i32, this.#tailWord + 1);
      const low = Atomics.load(i32, this.#tailWord);
      if (Atomics.load(i32, this.#tailWord + 1) === high) return { low, high };
    }
  }

  /** Makes what was written visible: a consumer that sees the position sees the bytes before it. */
  #advanceHead(bytes: number): void {
    const { i32 } = this.#memory;
    const before = i32[this.#headWord];
    const next = (before + bytes) | 0;
    if (next >>> 0 < before >>> 0) i32[this.#headWord + 1]++;
    Atomics.store(i32, this.#headWord, next);
  }

  #position(word: number): bigint {
    return u64(this.#memory.i32[word], this.#memory.i32[word + 1]);
  }
}

/** Where a perf ring lies in a memory: the positions as indexes of 32-bit words, the data as an offset of bytes. */
export interface PerfRingPlace {
  readonly memory: { readonly i32: Int32Array; readonly u8: Uint8Array };
  readonly head: number;
  readonly tail: number;
  readonly data: number;
  /** Bytes of data less one. */
  readonly mask: number;
}

function bareLostRecord(lost: bigint): Uint8Array {
  const record = new Uint8Array(24);
  const view = new DataView(record.buffer);
  view.setUint32(0, PerfEventType.PERF_RECORD_LOST, true);
  view.setUint16(6, record.length, true);
  view.setBigUint64(16, lost, true);
  return record;
}
