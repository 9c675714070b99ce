import { BpfRingbuf } from '../../base/index.js';
import type { BpfMemory, BpfOffset } from '../memory/bpf-memory.js';
import type { RingPlace } from './drain-ring.js';
import type { PendingWakeups, WakeSource } from './pending-wakeups.js';
import { RING_MAX_RECORD, RING_PAGE, RingLayout, ringRecordSize } from './ring-buffer-layout.js';

const BUSY = BpfRingbuf.BPF_RINGBUF_BUSY_BIT;
const DISCARD = BpfRingbuf.BPF_RINGBUF_DISCARD_BIT;
const HEADER = BpfRingbuf.BPF_RINGBUF_HDR_SZ;

/** What became of the records, for the loss ledger: reserved = submitted + discarded + open. */
export interface RingBufferCounts {
  readonly reserved: number;
  readonly submitted: number;
  readonly discarded: number;
  /** Reservations refused because the consumer is behind or the record is too large. */
  readonly dropped: number;
}

/**
 * The producer side of a BPF ring buffer, in BpfMemory.
 *
 * In Linux the data pages are mapped twice in a row, so that no record is ever split. Linear memory has
 * no second mapping: here the second half is memory of its own, and a record that runs past the end of
 * the first half is written on into the second. `reserve` first brings the second half up to date (a
 * program may read what it reserved) and `commit` copies the part past the end back to the beginning,
 * before the BUSY bit goes. So the first half holds Linux's bytes at `position & mask` whenever a
 * consumer may look, and a committed record can also be read in one piece where it starts.
 *
 * In shared memory consumers learn of a record when it, or a later one, is committed: then a record that is committed
 * in turn costs one atomic store, not two. To programs the position is Linux's at all times.
 */
export class RingBufferArea implements WakeSource {
  /** Offset of the first page. */
  readonly address: BpfOffset;
  /** Bytes of data; a power of two. */
  readonly size: number;
  readonly #memory: BpfMemory;
  readonly #data: number;
  /** Field of the position at which the next record goes. */
  readonly #head: number;
  readonly #pending: PendingWakeups | undefined;
  readonly #wakers = new Set<() => void>();

  /**
   * `address` is page-aligned and has `RingBufferArea.bytes(size)` zeroed bytes. Without `pending` a commit wakes
   * consumers at once.
   */
  constructor(memory: BpfMemory, address: BpfOffset, size: number, pending?: PendingWakeups) {
    this.#memory = memory;
    this.address = address;
    this.size = size;
    this.#data = address + RingLayout.data;
    this.#head = memory.shared ? RingLayout.head : RingLayout.producerPage;
    this.#pending = pending;
    pending?.add(this);
  }

  /** The account so far: it stands in memory, where compiled code counts too. */
  get counts(): RingBufferCounts {
    const reserved = this.#long(RingLayout.reserved);
    const discarded = this.#long(RingLayout.discarded);
    const submitted = reserved - discarded - this.#openRecords();
    return { reserved, submitted, discarded, dropped: this.#long(RingLayout.dropped) };
  }

  /** Bytes of BpfMemory that a ring of `size` data bytes takes. */
  static bytes(size: number): number {
    return RingLayout.data + 2 * size;
  }

  /**
   * Offset of `size` bytes to write, or 0: too large, or not enough room. The record stays invisible to
   * consumers until it is committed. The 64-bit size comes as words.
   */
  reserve(sizeLo: number, sizeHi = 0): number {
    const size = sizeLo >>> 0;
    const offset = sizeHi === 0 && size <= RING_MAX_RECORD ? this.#reserve(size) : 0;
    this.#addWord(offset === 0 ? RingLayout.dropped : RingLayout.reserved, 1);
    return offset;
  }

  /** Makes the record at `offset` (what `reserve` returned) visible. Flags: BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP. */
  submit(offset: number, flags: number): void {
    this.#commit(offset, flags, 0);
  }

  /** Gives the record up: consumers skip it. */
  discard(offset: number, flags: number): void {
    this.#addWord(RingLayout.discarded, 1);
    this.#commit(offset, flags, DISCARD);
  }

  /** Copies `size` bytes from `source` of BpfMemory into a record of its own; false where none could be had. */
  output(source: number, sizeLo: number, sizeHi: number, flags: number): boolean {
    const offset = this.reserve(sizeLo, sizeHi);
    if (offset === 0) return false;
    this.#memory.u8.copyWithin(offset, source, source + (sizeLo >>> 0));
    this.submit(offset, flags);
    return true;
  }

  /** What bpf_ringbuf_query answers; 0 for selectors it does not know. */
  query(selector: number): bigint {
    switch (selector) {
      case BpfRingbuf.BPF_RB_AVAIL_DATA:
        return BigInt.asUintN(64, this.#headPosition - this.consumer);
      case BpfRingbuf.BPF_RB_RING_SIZE:
        return BigInt(this.size);
      case BpfRingbuf.BPF_RB_CONS_POS:
        return this.consumer;
      case BpfRingbuf.BPF_RB_PROD_POS:
        return this.#headPosition;
      default:
        return 0n;
    }
  }

  /** Where the ring lies, for loops over its records. */
  get place(): RingPlace {
    return {
      memory: this.#memory,
      consumer: (this.address + RingLayout.consumerPage) >>> 2,
      producer: (this.address + RingLayout.producerPage) >>> 2,
      data: this.#data,
      mask: this.size - 1,
    };
  }

  get producer(): bigint {
    return this.#memory.view.getBigUint64(this.address + RingLayout.producerPage, true);
  }

  get consumer(): bigint {
    return this.#memory.view.getBigUint64(this.address + RingLayout.consumerPage, true);
  }

  /** Where the next record goes, also where consumers are not told yet. */
  get #headPosition(): bigint {
    return this.#memory.view.getBigUint64(this.address + this.#head, true);
  }

  /** What a consumer stores when it is done with everything before `position`. Unchecked, as in Linux. */
  set consumer(position: bigint) {
    this.#memory.view.setBigUint64(this.address + RingLayout.consumerPage, position, true);
  }

  /**
   * Calls `waker` when commits have woken consumers up: once the outermost run on that CPU has ended, however many
   * records it committed. Returns the function that ends the subscription.
   */
  onWakeup(waker: () => void): () => void {
    this.#wakers.add(waker);
    return () => this.#wakers.delete(waker);
  }

  deliverWakeups(): void {
    const word = (this.address + RingLayout.wakePending) >>> 2;
    if (this.#memory.u32[word] === 0) return;
    this.#memory.u32[word] = 0;
    for (const waker of this.#wakers) waker();
  }

  /** No wake-up is delivered any more. */
  dispose(): void {
    this.#pending?.delete(this);
  }

  /** Whether `offset` is the data of a record that is reserved and not committed. */
  isOpen(offset: number): boolean {
    const position = offset - HEADER - this.#data;
    if (position < 0 || position >= this.size || position % 8 !== 0) return false;
    return (this.#memory.u32[(offset - HEADER) >>> 2] & BUSY) !== 0;
  }

  #reserve(size: number): number {
    const length = ringRecordSize(size);
    if (length > this.size) return 0;
    const head = this.#word(this.#head);
    this.#advancePending(head);
    if (this.#exceeds(RingLayout.consumerPage, length)) return 0;
    if (this.#exceeds(RingLayout.pendingPos, length)) return 0;
    const at = head & (this.size - 1);
    this.#mirrorIn(at, length);
    const header = this.#data + at;
    const { u32 } = this.#memory;
    u32[header >>> 2] = (size | BUSY) >>> 0;
    u32[(header >>> 2) + 1] = (RingLayout.data + at) / RING_PAGE;
    this.#addWord(this.#head, length);
    return header + HEADER;
  }

  /** Records that are reserved and not committed: none of them is before the pending position. */
  #openRecords(): number {
    const head = this.#word(this.#head);
    let open = 0;
    let position = this.#word(RingLayout.pendingPos);
    while (position !== head && (head - position) >>> 0 <= this.size) {
      const length = this.#memory.u32[(this.#data + (position & (this.size - 1))) >>> 2];
      if ((length & BUSY) !== 0) open++;
      position = (position + ringRecordSize((length & ~(BUSY | DISCARD)) >>> 0)) >>> 0;
    }
    return open;
  }

  /** Whether consumers do not know yet that there is a record at `at`. */
  #isUnpublished(at: number): boolean {
    const published = this.#word(RingLayout.producerPage);
    return ((at - published) & (this.size - 1)) >>> 0 < (this.#word(this.#head) - published) >>> 0;
  }

  /** The producer position is where the next record goes: consumers that see it see all records before it. */
  #publish(): void {
    const { u32 } = this.#memory;
    const word = (this.address + RingLayout.producerPage) >>> 2;
    u32[word + 1] = this.#word(this.#head + 4);
    Atomics.store(u32, word, this.#word(this.#head));
  }

  /** Moves the pending position over records that have been committed since. */
  #advancePending(head: number): void {
    let pending = this.#word(RingLayout.pendingPos);
    while (pending !== head) {
      const length = this.#memory.u32[(this.#data + (pending & (this.size - 1))) >>> 2];
      if ((length & BUSY) !== 0) break;
      const step = ringRecordSize((length & ~DISCARD) >>> 0);
      this.#addWord(RingLayout.pendingPos, step);
      pending = (pending + step) >>> 0;
    }
  }

  /** Whether a record of `length` bytes would end `size` or more bytes past the position at `page`, modulo 2^64. */
  #exceeds(page: number, length: number): boolean {
    const { low: from, high: fromHigh } = this.#position(page);
    const low = this.#word(this.#head) - from + length;
    const carry = Math.floor(low / 2 ** 32);
    const high = this.#word(this.#head + 4) - fromHigh + carry;
    return (high | 0) !== 0 || low >>> 0 >= this.size;
  }

  /** A position that another thread may be moving: both words of one moment. */
  #position(page: number): { low: number; high: number } {
    const { u32 } = this.#memory;
    const word = (this.address + page) >>> 2;
    for (;;) {
      const high = Atomics.load(u32, word + 1);
      const low = Atomics.load(u32, word);
      if (Atomics.load(u32, word + 1) === high) return { low, high };
    }
  }

  #commit(offset: number, flags: number, bit: number): void {
    const { u32 } = this.#memory;
    const header = offset - HEADER;
    const length = u32[header >>> 2] & ~BUSY;
    const at = header - this.#data;
    this.#mirrorOut(at, ringRecordSize(length >>> 0));
    // A consumer on another thread must see the bytes if it sees the record; and either it sees the record before it
    // sleeps, or we see below that it stands here: hence one store that is not plain.
    if (this.#isUnpublished(at)) {
      u32[header >>> 2] = (length | bit) >>> 0;
      this.#publish();
    } else Atomics.store(u32, header >>> 2, (length | bit) >>> 0);
    if ((flags & BpfRingbuf.BPF_RB_FORCE_WAKEUP) !== 0) this.#wake();
    else if ((flags & BpfRingbuf.BPF_RB_NO_WAKEUP) === 0 && this.#consumerIsAt(at)) this.#wake();
  }

  /** Consumers sleep only at the position they have reached: a commit elsewhere need not wake them. */
  #consumerIsAt(at: number): boolean {
    const consumer = Atomics.load(this.#memory.u32, (this.address + RingLayout.consumerPage) >>> 2);
    return (consumer & (this.size - 1)) === at;
  }

  #wake(): void {
    this.#memory.u32[(this.address + RingLayout.wakePending) >>> 2] = 1;
    if (this.#pending === undefined) this.deliverWakeups();
    else this.#pending.note();
  }

  #mirrorIn(at: number, length: number): void {
    const past = at + length - this.size;
    if (past > 0) this.#memory.u8.copyWithin(this.#data + this.size, this.#data, this.#data + past);
  }

  #mirrorOut(at: number, length: number): void {
    const past = at + length - this.size;
    if (past > 0) this.#memory.u8.copyWithin(this.#data, this.#data + this.size, this.#data + this.size + past);
  }

  #word(field: number): number {
    return this.#memory.u32[(this.address + field) >>> 2];
  }

  #long(field: number): number {
    return this.#word(field) + this.#word(field + 4) * 2 ** 32;
  }

  #addWord(field: number, amount: number): void {
    const { u32 } = this.#memory;
    const word = (this.address + field) >>> 2;
    const low = u32[word] + amount;
    u32[word] = low;
    if (low > 0xffff_ffff) u32[word + 1] = u32[word + 1] + 1;
  }
}
