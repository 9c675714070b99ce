import { BpfRingbuf } from '../../../base/index.js';
import type { BpfMap } from '../../map/bpf-map.js';
import { MapHeader } from '../../map/map-layout.js';
import { RING_PAGE, RingLayout } from '../../ring/ring-buffer-layout.js';
import type { Runtime } from '../../runtime.js';
import type { FunctionWriter } from '../wasm/function-writer.js';
import { ValType, Wasm, WasmAtomic } from '../wasm/opcodes.js';

export const HEADER = BpfRingbuf.BPF_RINGBUF_HDR_SZ;
export const BUSY = BpfRingbuf.BPF_RINGBUF_BUSY_BIT | 0;
export const DISCARD = BpfRingbuf.BPF_RINGBUF_DISCARD_BIT;
export const NO_WAKEUP = BpfRingbuf.BPF_RB_NO_WAKEUP;
export const FORCE_WAKEUP = BpfRingbuf.BPF_RB_FORCE_WAKEUP;
/** What bpf_ringbuf_output looks at of its flags. */
export const OUTPUT_FLAGS = NO_WAKEUP | FORCE_WAKEUP;

/** A number known when code is written, or the i32 local that has it. */
export type Amount = { readonly constant: number } | { readonly local: number };

/**
 * What code of one ring's records is made of, with the ring's addresses as constants. Positions are 64-bit locals;
 * whatever depends on the size of the ring is decided here.
 */
export class RingPhrases {
  protected readonly w: FunctionWriter;
  /** Offsets of the ring's first page and of its data, and how many bytes of data there are. */
  protected readonly area: number;
  protected readonly data: number;
  protected readonly size: number;
  readonly #wakeWord: number;
  /** Consumers may be in other threads: what they look at is written and read atomically. */
  readonly #isShared: boolean;
  /** Field of the position at which the next record goes. */
  readonly #head: number;
  /** Scratch: offset of a record's header in the data. */
  protected readonly at: number;
  /** Scratch: bytes of a record, with its header. */
  protected readonly length: number;
  /** Scratch: a record's length word. */
  protected readonly payload: number;
  /** Scratch: where the next record goes, and the oldest that may not be committed. */
  protected readonly producer: number;
  protected readonly pending: number;

  constructor(w: FunctionWriter, runtime: Runtime, ring: BpfMap) {
    const consumerPage = runtime.memory.u32[(ring.address + MapHeader.elements) >>> 2];
    this.w = w;
    this.area = consumerPage - RingLayout.consumerPage;
    this.data = this.area + RingLayout.data;
    this.size = ring.maxEntries;
    this.#wakeWord = runtime.wakeups.word;
    this.#isShared = runtime.memory.shared;
    this.#head = this.#isShared ? RingLayout.head : RingLayout.producerPage;
    this.at = w.local(ValType.i32);
    this.length = w.local(ValType.i32);
    this.payload = w.local(ValType.i32);
    this.producer = w.local(ValType.i64);
    this.pending = w.local(ValType.i64);
  }

  /** Writes the header of a record of `length` bytes at `at`, which is where the producer position is. */
  protected beginRecord(size: Amount): void {
    this.#writeHeader(size);
    this.#moveHead();
    this.count(RingLayout.reserved);
  }

  /** Shows consumers the record at `at`, of `payload` bytes. */
  protected endRecord(flags: Amount, discard: boolean): void {
    const { w } = this;
    if (discard) {
      this.count(RingLayout.discarded);
      w.get(this.payload);
      w.i32(DISCARD);
      w.op(Wasm.i32Or);
      w.set(this.payload);
    }
    if (this.#isShared) this.#publish();
    else this.#storeHeader();
    this.#wake(flags);
  }

  protected loadPosition(field: number): void {
    const { w } = this;
    w.i32(0);
    if (this.#isShared) w.atomic(WasmAtomic.i64Load, 8, this.area + field);
    else w.memory(Wasm.i64Load, this.area + field);
  }

  /** A position that only producers write. */
  protected loadPlain(field: number): void {
    this.w.i32(0);
    this.w.memory(Wasm.i64Load, this.area + field);
  }

  protected loadHead(): void {
    this.loadPlain(this.#head);
  }

  /** Where in the data a position is. */
  protected offsetOf(position: number): void {
    const { w } = this;
    w.get(position);
    w.op(Wasm.i32WrapI64);
    w.i32(this.size - 1);
    w.op(Wasm.i32And);
  }

  /** From the size of a record on the stack to its length with the header, a multiple of 8. */
  protected roundUp(): void {
    const { w } = this;
    w.i32(HEADER + 7);
    w.op(Wasm.i32Add);
    w.i32(-8);
    w.op(Wasm.i32And);
  }

  /** Leaves the block at `label` if the record would end `size` or more bytes past the position that `position` loads. */
  protected fitsBehind(position: () => void, label: number): void {
    const { w } = this;
    w.get(this.producer);
    w.get(this.length);
    w.op(Wasm.i64ExtendI32U, Wasm.i64Add);
    position();
    w.op(Wasm.i64Sub);
    w.i64(this.size | 0, 0);
    w.op(Wasm.i64GeU);
    w.brIf(label);
  }

  protected storePending(position: number): void {
    this.w.i32(0);
    this.w.get(position);
    this.w.memory(Wasm.i64Store, this.area + RingLayout.pendingPos);
  }

  /** One more in a field of the private page. */
  protected count(field: number): void {
    const { w } = this;
    w.i32(0);
    w.i32(0);
    w.memory(Wasm.i64Load, this.area + field);
    w.i64(1);
    w.op(Wasm.i64Add);
    w.memory(Wasm.i64Store, this.area + field);
  }

  /** Length and BUSY, and the number of pages back to the first. */
  #writeHeader(size: Amount): void {
    const { w } = this;
    w.get(this.at);
    w.get(this.at);
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
    w.memory(Wasm.i64Store, this.data);
  }

  #moveHead(): void {
    const { w } = this;
    w.i32(0);
    w.get(this.producer);
    w.get(this.length);
    w.op(Wasm.i64ExtendI32U, Wasm.i64Add);
    w.memory(Wasm.i64Store, this.area + this.#head);
  }

  /** The header becomes what is in `payload`. */
  #storeHeader(): void {
    this.w.get(this.at);
    this.w.get(this.payload);
    this.w.memory(Wasm.i32Store, this.data);
  }

  /** As `RingBufferArea.#commit` where consumers may be in other threads: one of two stores is atomic. */
  #publish(): void {
    const { w } = this;
    this.loadPlain(RingLayout.producerPage);
    w.set(this.producer);
    w.get(this.at);
    this.offsetOf(this.producer);
    w.op(Wasm.i32Sub);
    w.i32(this.size - 1);
    w.op(Wasm.i32And, Wasm.i64ExtendI32U);
    this.loadHead();
    w.tee(this.pending);
    w.get(this.producer);
    w.op(Wasm.i64Sub, Wasm.i64LtU);
    w.if();
    this.#storeHeader();
    w.i32(0);
    w.get(this.pending);
    w.atomic(WasmAtomic.i64Store, 8, this.area + RingLayout.producerPage);
    w.else();
    w.get(this.at);
    w.get(this.payload);
    w.op(Wasm.i64ExtendI32U);
    w.atomic(WasmAtomic.i64Store32, 4, this.data);
    w.end();
  }

  /** Notes that consumers are to be woken: where forced, or where they may sleep because they are at this record. */
  #wake(flags: Amount): void {
    const { w } = this;
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
    for (const word of [this.area + RingLayout.wakePending, this.#wakeWord]) {
      w.i32(0);
      w.i32(1);
      w.memory(Wasm.i32Store, word);
    }
    w.end();
  }

  #consumerIsHere(): void {
    const { w } = this;
    this.loadPosition(RingLayout.consumerPage);
    w.op(Wasm.i32WrapI64);
    w.i32(this.size - 1);
    w.op(Wasm.i32And);
    w.get(this.at);
    w.op(Wasm.i32Eq);
  }
}
