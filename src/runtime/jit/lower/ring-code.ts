import { BpfRingbuf } from '../../../base/index.js';
import { RING_MAX_RECORD, RingLayout, ringRecordSize } from '../../ring/ring-buffer-layout.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import { type Amount, BUSY, DISCARD, HEADER, RingPhrases } from './ring-phrases.js';

/** Writes what `RingBufferArea` does, step by step. */
export class RingCode extends RingPhrases {
  /** Leaves where the data of a new record are, or 0. */
  reserve(size: Amount): void {
    const { w } = this;
    w.block(ValType.i32);
    w.block();
    this.#fitsRing(size);
    this.loadHead();
    w.set(this.producer);
    this.#advancePending(size);
    this.fitsBehind(() => this.loadPosition(RingLayout.consumerPage), 0);
    this.offsetOf(this.producer);
    w.set(this.at);
    this.#mirror(this.data, this.data + this.size);
    this.beginRecord(size);
    w.get(this.at);
    w.i32(this.data + HEADER);
    w.op(Wasm.i32Add);
    w.br(1);
    w.end();
    this.count(RingLayout.dropped);
    w.i32(0);
    w.end();
  }

  /** Commits the record whose data are at the offset in the local `record`. */
  commit(record: number, flags: Amount, discard: boolean): void {
    const { w } = this;
    w.get(record);
    w.i32(this.data + HEADER);
    w.op(Wasm.i32Sub);
    w.tee(this.at);
    w.memory(Wasm.i32Load, this.data);
    w.i32(~BUSY);
    w.op(Wasm.i32And);
    w.tee(this.payload);
    this.roundUp();
    w.set(this.length);
    this.#mirror(this.data + this.size, this.data);
    this.endRecord(flags, discard);
  }

  /** Leaves 1 if the data of some record of this ring may be at the offset in the local `record`. */
  holds(record: number): void {
    const { w } = this;
    w.get(record);
    w.i32(this.data + HEADER);
    w.op(Wasm.i32Sub);
    w.i32(this.size);
    w.op(Wasm.i32LtU);
  }

  /** Leaves what bpf_ringbuf_query answers. */
  query(selector: number): void {
    const { w } = this;
    switch (selector) {
      case BpfRingbuf.BPF_RB_AVAIL_DATA:
        this.loadHead();
        this.loadPosition(RingLayout.consumerPage);
        w.op(Wasm.i64Sub);
        return;
      case BpfRingbuf.BPF_RB_RING_SIZE:
        w.i64(this.size | 0, 0);
        return;
      case BpfRingbuf.BPF_RB_CONS_POS:
        this.loadPosition(RingLayout.consumerPage);
        return;
      case BpfRingbuf.BPF_RB_PROD_POS:
        this.loadHead();
        return;
      default:
        w.i64(0);
    }
  }

  /** Sets the length of the record, header included; leaves the block if no record may be so long. */
  #fitsRing(size: Amount): void {
    const { w } = this;
    if ('local' in size) {
      w.get(size.local);
      w.i32(RING_MAX_RECORD);
      w.op(Wasm.i32GtU);
      w.brIf(0);
      w.get(size.local);
      this.roundUp();
      w.tee(this.length);
      w.i32(this.size);
      w.op(Wasm.i32GtU);
      w.brIf(0);
      return;
    }
    const length = ringRecordSize(size.constant);
    w.i32(length);
    w.set(this.length);
    if (size.constant <= RING_MAX_RECORD && length <= this.size) return;
    w.i32(1);
    w.brIf(0);
  }

  /**
   * Moves the pending position over records that have been committed since; leaves the block if the record would end too
   * far past it. Where it comes to the producer position that one is taken, which is the same number: so no record waits
   * for what was read of the one before.
   */
  #advancePending(size: Amount): void {
    const { w } = this;
    this.loadPlain(RingLayout.pendingPos);
    w.set(this.pending);
    w.loop();
    w.get(this.pending);
    w.op(Wasm.i32WrapI64);
    w.get(this.producer);
    w.op(Wasm.i32WrapI64, Wasm.i32Ne);
    w.if();
    this.offsetOf(this.pending);
    w.memory(Wasm.i32Load, this.data);
    w.tee(this.at);
    w.i32(0);
    w.op(Wasm.i32GeS);
    w.if();
    w.get(this.pending);
    w.get(this.at);
    w.i32(~DISCARD);
    w.op(Wasm.i32And);
    this.roundUp();
    w.op(Wasm.i64ExtendI32U, Wasm.i64Add);
    w.set(this.pending);
    w.br(2);
    w.end();
    this.storePending(this.pending);
    this.fitsBehind(() => w.get(this.pending), 2);
    w.else();
    this.storePending(this.producer);
    if ('local' in size || ringRecordSize(size.constant) >= this.size) {
      this.fitsBehind(() => w.get(this.producer), 2);
    }
    w.end();
    w.end();
  }

  /**
   * Copies what of the `#length` bytes at `#at` runs past the end of the data: from the beginning to behind the end, or
   * back.
   */
  #mirror(from: number, to: number): void {
    const { w } = this;
    w.get(this.at);
    w.get(this.length);
    w.op(Wasm.i32Add);
    w.i32(this.size);
    w.op(Wasm.i32GtU);
    w.if();
    w.i32(to);
    w.i32(from);
    w.get(this.at);
    w.get(this.length);
    w.op(Wasm.i32Add);
    w.i32(this.size);
    w.op(Wasm.i32Sub);
    w.memoryCopy();
    w.end();
  }
}
