import { BpfRingbuf } from '../../../base/index.js';
import { MapHeader } from '../../map/map-layout.js';
import type { BpfMap } from '../../map/bpf-map.js';
import { RING_MAX_RECORD, RING_PAGE, RingLayout, ringRecordSize } from '../../ring/ring-buffer-layout.js';
import type { Runtime } from '../../runtime.js';
import type { FunctionWriter } from '../wasm/function-writer.js';
import { ValType, Wasm, WasmAtomic } from '../wasm/opcodes.js';

const HEADER = BpfRingbuf.BPF_RINGBUF_HDR_SZ;
const BUSY = BpfRingbuf.BPF_RINGBUF_BUSY_BIT | 0;
const DISCARD = BpfRingbuf.BPF_RINGBUF_DISCARD_BIT;
export const NO_WAKEUP = BpfRingbuf.BPF_RB_NO_WAKEUP;
export const FORCE_WAKEUP = BpfRingbuf.BPF_RB_FORCE_WAKEUP;

/** A number known when code is written, or the i32 local that has it. */
export type Amount = { readonly constant: number } | { readonly local: number };

/**
 * Writes what `RingBufferArea` does, step by step, with one ring's addresses as constants. Positions are 64-bit
 * locals; whatever depends on the size of the ring is decided here.
 */
export class RingCode {
  readonly #w: FunctionWriter;
  readonly #area: number;
  readonly #data: number;
  readonly #size: number;
  readonly #wakeWord: number;
  /** Consumers may be in other threads: what they look at is written and read atomically. */
  readonly #isShared: boolean;
  /** Field of the position at which the next record goes. */
  readonly #head: number;
  /** Scratch: offset of a record's header in the data. */
  readonly #at: number;
  /** Scratch: bytes of a record, with its header. */
  readonly #length: number;
  readonly #payload: number;
  readonly #producer: number;
  readonly #pending: number;

  constructor(w: FunctionWriter, runtime: Runtime, ring: BpfMap) {
    const consumerPage = runtime.memory.u32[(ring.address + MapHeader.elements) >>> 2];
    this.#w = w;
    this.#area = consumerPage - RingLayout.consumerPage;
    this.#data = this.#area + RingLayout.data;
    this.#size = ring.maxEntries;
    this.#wakeWord = runtime.wakeups.word;
    this.#isShared = runtime.memory.shared;
    this.#head = this.#isShared ? RingLayout.head : RingLayout.producerPage;
    this.#at = w.local(ValType.i32);
    this.#length = w.local(ValType.i32);
    this.#payload = w.local(ValType.i32);
    this.#producer = w.local(ValType.i64);
    this.#pending = w.local(ValType.i64);
  }

  /** Leaves where the data of a new record are, or 0. */
  reserve(size: Amount): void {
    const w = this.#w;
    w.block(ValType.i32);
    w.block();
    this.#fitsRing(size);
    this.#loadHead();
    w.set(this.#producer);
    this.#advancePending(size);
    this.#fitsBehind(() => this.#loadPosition(RingLayout.consumerPage), 0);
    this.#offsetOf(this.#producer);
    w.set(this.#at);
    this.#mirror(this.#data, this.#data + this.#size);
    this.#writeHeader(size);
    this.#moveHead();
    this.#count(RingLayout.reserved);
    w.get(this.#at);
    w.i32(this.#data + HEADER);
    w.op(Wasm.i32Add);
    w.br(1);
    w.end();
    this.#count(RingLayout.dropped);
    w.i32(0);
    w.end();
  }

  /** Commits the record whose data are at the offset in the local `record`. */
  commit(record: number, flags: Amount, discard: boolean): void {
    const w = this.#w;
    this.#count(discard ? RingLayout.discarded : RingLayout.submitted);
    w.get(record);
    w.i32(this.#data + HEADER);
    w.op(Wasm.i32Sub);
    w.tee(this.#at);
    w.memory(Wasm.i32Load, this.#data);
    w.i32(~BUSY);
    w.op(Wasm.i32And);
    w.tee(this.#payload);
    this.#roundUp();
    w.set(this.#length);
    this.#mirror(this.#data + this.#size, this.#data);
    if (discard) {
      w.get(this.#payload);
      w.i32(DISCARD);
      w.op(Wasm.i32Or);
      w.set(this.#payload);
    }
    if (this.#isShared) this.#publish();
    else this.#storeHeader();
    this.#wake(flags);
  }

  /** Leaves 1 if the data of some record of this ring may be at the offset in the local `record`. */
  holds(record: number): void {
    const w = this.#w;
    w.get(record);
    w.i32(this.#data + HEADER);
    w.op(Wasm.i32Sub);
    w.i32(this.#size);
    w.op(Wasm.i32LtU);
  }

  /** Leaves what bpf_ringbuf_query answers. */
  query(selector: number): void {
    const w = this.#w;
    switch (selector) {
      case BpfRingbuf.BPF_RB_AVAIL_DATA:
        this.#loadHead();
        this.#loadPosition(RingLayout.consumerPage);
        w.op(Wasm.i64Sub);
        return;
      case BpfRingbuf.BPF_RB_RING_SIZE:
        w.i64(this.#size | 0, 0);
        return;
      case BpfRingbuf.BPF_RB_CONS_POS:
        this.#loadPosition(RingLayout.consumerPage);
        return;
      case BpfRingbuf.BPF_RB_PROD_POS:
        this.#loadHead();
        return;
      default:
        w.i64(0);
    }
  }

  /** Sets the length of the record, header included; leaves the block if no record may be so long. */
  #fitsRing(size: Amount): void {
    const w = this.#w;
    if ('local' in size) {
      w.get(size.local);
      w.i32(RING_MAX_RECORD);
      w.op(Wasm.i32GtU);
      w.brIf(0);
      w.get(size.local);
      this.#roundUp();
      w.tee(this.#length);
      w.i32(this.#size);
      w.op(Wasm.i32GtU);
      w.brIf(0);
      return;
    }
    const length = ringRecordSize(size.constant);
    w.i32(length);
    w.set(this.#length);
    if (size.constant <= RING_MAX_RECORD && length <= this.#size) return;
    w.i32(1);
    w.brIf(0);
  }

  /** From the size of a record on the stack to its length with the header, a multiple of 8. */
  #roundUp(): void {
    const w = this.#w;
    w.i32(HEADER + 7);
    w.op(Wasm.i32Add);
    w.i32(-8);
    w.op(Wasm.i32And);
  }

  /**
   * Moves the pending position over records that have been committed since; leaves the block if the record would end too
   * far past it. Where it comes to the producer position that one is taken, which is the same number: so no record waits
   * for what was read of the one before.
   */
  #advancePending(size: Amount): void {
    const w = this.#w;
    this.#loadPlain(RingLayout.pendingPos);
    w.set(this.#pending);
    w.loop();
    w.get(this.#pending);
    w.op(Wasm.i32WrapI64);
    w.get(this.#producer);
    w.op(Wasm.i32WrapI64, Wasm.i32Ne);
    w.if();
    this.#offsetOf(this.#pending);
    w.memory(Wasm.i32Load, this.#data);
    w.tee(this.#at);
    w.i32(0);
    w.op(Wasm.i32GeS);
    w.if();
    w.get(this.#pending);
    w.get(this.#at);
    w.i32(~DISCARD);
    w.op(Wasm.i32And);
    this.#roundUp();
    w.op(Wasm.i64ExtendI32U, Wasm.i64Add);
    w.set(this.#pending);
    w.br(2);
    w.end();
    this.#storePending(this.#pending);
    this.#fitsBehind(() => w.get(this.#pending), 2);
    w.else();
    this.#storePending(this.#producer);
    if ('local' in size || ringRecordSize(size.constant) >= this.#size) {
      this.#fitsBehind(() => w.get(this.#producer), 2);
    }
    w.end();
    w.end();
  }

  #storePending(position: number): void {
    this.#w.i32(0);
    this.#w.get(position);
    this.#w.memory(Wasm.i64Store, this.#area + RingLayout.pendingPos);
  }

  /** Leaves the block at `label` if the record would end `size` or more bytes past the position that `position` loads. */
  #fitsBehind(position: () => void, label: number): void {
    const w = this.#w;
    w.get(this.#producer);
    w.get(this.#length);
    w.op(Wasm.i64ExtendI32U, Wasm.i64Add);
    position();
    w.op(Wasm.i64Sub);
    w.i64(this.#size | 0, 0);
    w.op(Wasm.i64GeU);
    w.brIf(label);
  }

  /**
   * Copies what of the `#length` bytes at `#at` runs past the end of the data: from the beginning to behind the end, or
   * back.
   */
  #mirror(from: number, to: number): void {
    const w = this.#w;
    w.get(this.#at);
    w.get(this.#length);
    w.op(Wasm.i32Add);
    w.i32(this.#size);
    w.op(Wasm.i32GtU);
    w.if();
    w.i32(to);
    w.i32(from);
    w.get(this.#at);
    w.get(this.#length);
    w.op(Wasm.i32Add);
    w.i32(this.#size);
    w.op(Wasm.i32Sub);
    w.memoryCopy();
    w.end();
  }

  /** Length and BUSY, and the number of pages back to the first. */
  #writeHeader(size: Amount): void {
    const w = this.#w;
    w.get(this.#at);
    w.get(this.#at);
    w.i32(RingLayout.data);
    w.op(Wasm.i32Add);
    w.i32(Math.log2(RING_PAGE));
    w.op(Wasm.i32ShrU, Wasm.i64ExtendI32U);
    w.i64(32);
    w.op(Wasm.i64Shl);
    if ('local' in size) {
      w.get(size.local);
      w.i32(BUSY);
      w.op(Wasm.i32Or, Wasm.i64ExtendI32U);
    } else w.i64(size.constant | BUSY, 0);
    w.op(Wasm.i64Or);
    w.memory(Wasm.i64Store, this.#data);
  }

  /** The header becomes what is in `#payload`. */
  #storeHeader(): void {
    this.#w.get(this.#at);
    this.#w.get(this.#payload);
    this.#w.memory(Wasm.i32Store, this.#data);
  }

  /** As `RingBufferArea.#commit` where consumers may be in other threads: one of two stores is atomic. */
  #publish(): void {
    const w = this.#w;
    this.#loadPlain(RingLayout.producerPage);
    w.set(this.#producer);
    w.get(this.#at);
    this.#offsetOf(this.#producer);
    w.op(Wasm.i32Sub);
    w.i32(this.#size - 1);
    w.op(Wasm.i32And, Wasm.i64ExtendI32U);
    this.#loadHead();
    w.tee(this.#pending);
    w.get(this.#producer);
    w.op(Wasm.i64Sub, Wasm.i64LtU);
    w.if();
    this.#storeHeader();
    w.i32(0);
    w.get(this.#pending);
    w.atomic(WasmAtomic.i64Store, 8, this.#area + RingLayout.producerPage);
    w.else();
    w.get(this.#at);
    w.get(this.#payload);
    w.op(Wasm.i64ExtendI32U);
    w.atomic(WasmAtomic.i64Store32, 4, this.#data);
    w.end();
  }

  #moveHead(): void {
    const w = this.#w;
    w.i32(0);
    w.get(this.#producer);
    w.get(this.#length);
    w.op(Wasm.i64ExtendI32U, Wasm.i64Add);
    w.memory(Wasm.i64Store, this.#area + this.#head);
  }

  /** Notes that consumers are to be woken: where forced, or where they may sleep because they are at this record. */
  #wake(flags: Amount): void {
    const w = this.#w;
    if ('constant' in flags) {
      const isForced = (flags.constant & FORCE_WAKEUP) !== 0;
      if (!isForced && (flags.constant & NO_WAKEUP) !== 0) return;
      if (!isForced) this.#consumerIsHere();
      else w.i32(1);
    } else {
      w.get(flags.local);
      w.i32(FORCE_WAKEUP);
      w.op(Wasm.i32And);
      w.get(flags.local);
      w.i32(NO_WAKEUP);
      w.op(Wasm.i32And, Wasm.i32Eqz);
      this.#consumerIsHere();
      w.op(Wasm.i32And, Wasm.i32Or);
    }
    w.if();
    for (const word of [this.#area + RingLayout.wakePending, this.#wakeWord]) {
      w.i32(0);
      w.i32(1);
      w.memory(Wasm.i32Store, word);
    }
    w.end();
  }

  #consumerIsHere(): void {
    const w = this.#w;
    this.#loadPosition(RingLayout.consumerPage);
    w.op(Wasm.i32WrapI64);
    w.i32(this.#size - 1);
    w.op(Wasm.i32And);
    w.get(this.#at);
    w.op(Wasm.i32Eq);
  }

  #loadPosition(field: number): void {
    const w = this.#w;
    w.i32(0);
    if (this.#isShared) w.atomic(WasmAtomic.i64Load, 8, this.#area + field);
    else w.memory(Wasm.i64Load, this.#area + field);
  }

  /** A position that only producers write. */
  #loadPlain(field: number): void {
    this.#w.i32(0);
    this.#w.memory(Wasm.i64Load, this.#area + field);
  }

  #loadHead(): void {
    this.#loadPlain(this.#head);
  }

  /** Where in the data a position is. */
  #offsetOf(position: number): void {
    const w = this.#w;
    w.get(position);
    w.op(Wasm.i32WrapI64);
    w.i32(this.#size - 1);
    w.op(Wasm.i32And);
  }

  /** One more in a field of the private page. */
  #count(field: number): void {
    const w = this.#w;
    w.i32(0);
    w.i32(0);
    w.memory(Wasm.i64Load, this.#area + field);
    w.i64(1);
    w.op(Wasm.i64Add);
    w.memory(Wasm.i64Store, this.#area + field);
  }
}
