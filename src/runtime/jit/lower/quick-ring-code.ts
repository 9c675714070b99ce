import { RING_MAX_RECORD, RingLayout, ringRecordSize } from '../../ring/ring-buffer-layout.js';
import { Wasm } from '../wasm/opcodes.js';
import { type Amount, BUSY, DISCARD, HEADER, RingPhrases } from './ring-phrases.js';

/**
 * What `RingCode` does in the case that nearly every record is: it does not run past the end of the data, and all
 * records but the last before it are known to be committed. Everything else leaves the block before anything is
 * written. There are no loops and calls, so that no value needs a place on the machine's stack, and a record waits for
 * little that was written with the one before.
 */
export class QuickRingCode extends RingPhrases {
  /** Whether records of that size have a quick case. */
  takes(size: number): boolean {
    return size <= RING_MAX_RECORD && ringRecordSize(size) < this.size;
  }

  /** Leaves where the data of a new record of `size` bytes are. */
  reserve(size: number): void {
    const { w } = this;
    const length = ringRecordSize(size);
    this.loadHead();
    w.set(this.producer);
    this.#lastIsCommitted();
    w.i32(length);
    w.set(this.length);
    this.fitsBehind(() => this.loadPosition(RingLayout.consumerPage), 0);
    this.offsetOf(this.producer);
    w.tee(this.at);
    w.i32(this.size - length);
    w.op(Wasm.i32GtU);
    w.brIf(0);
    this.storePending(this.producer);
    this.beginRecord({ constant: size });
    w.get(this.at);
    w.i32(this.data + HEADER);
    w.op(Wasm.i32Add);
  }

  /** Leaves the block if the data in the local `record` are not in this ring or run past its end. */
  find(record: number): void {
    const { w } = this;
    w.get(record);
    w.i32(this.data + HEADER);
    w.op(Wasm.i32Sub);
    w.tee(this.at);
    w.i32(this.size);
    w.op(Wasm.i32GeU);
    w.brIf(0);
    w.get(this.at);
    w.get(this.at);
    w.memory(Wasm.i32Load, this.data);
    w.i32(~BUSY);
    w.op(Wasm.i32And);
    w.tee(this.payload);
    this.roundUp();
    w.op(Wasm.i32Add);
    w.i32(this.size);
    w.op(Wasm.i32GtU);
    w.brIf(0);
  }

  /** The same for a record of this ring that has `size` bytes, its header untouched since it was reserved. */
  findKnown(record: number, size: number): void {
    const { w } = this;
    w.get(record);
    w.i32(this.data + HEADER);
    w.op(Wasm.i32Sub);
    w.tee(this.at);
    w.i32(this.size - ringRecordSize(size));
    w.op(Wasm.i32GtU);
    w.brIf(0);
    w.i32(size);
    w.set(this.payload);
  }

  /** Commits the record that was found. */
  commit(flags: Amount, discard: boolean): void {
    this.endRecord(flags, discard);
  }

  /** Leaves the block unless one record begins at the pending position, which is committed. */
  #lastIsCommitted(): void {
    const { w } = this;
    this.loadPlain(RingLayout.pendingPos);
    w.set(this.pending);
    this.offsetOf(this.pending);
    w.memory(Wasm.i32Load, this.data);
    w.tee(this.at);
    w.i32(0);
    w.op(Wasm.i32LtS);
    w.brIf(0);
    w.get(this.pending);
    w.op(Wasm.i32WrapI64);
    w.get(this.at);
    w.i32(~DISCARD);
    w.op(Wasm.i32And);
    this.roundUp();
    w.op(Wasm.i32Add);
    w.get(this.producer);
    w.op(Wasm.i32WrapI64, Wasm.i32Ne);
    w.brIf(0);
  }
}
