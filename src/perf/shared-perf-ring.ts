import { BpfError, PerfEventType } from '../base/index.js';
import { type BpfMemory, Doorbell, RELEASE_BATCH } from '../runtime/index.js';
import type { PerfEvent } from './perf-event.js';
import { PERF_RECORD_HEADER_SIZE, type PerfRecordFormat } from './perf-record.js';

/** Where the ring of a perf event lies in shared memory. It can be posted to the thread that is to read it. */
export interface SharedPerfRing {
  readonly buffer: SharedArrayBuffer;
  /** Word indexes of the positions, and offset and size of the data. */
  readonly head: number;
  readonly tail: number;
  readonly data: number;
  readonly size: number;
  readonly format: PerfRecordFormat;
  /** How the producer's thread wakes the reader's. */
  readonly bell: SharedArrayBuffer;
}

/** A perf ring that another thread reads, as the producer's thread sees it. */
export interface SharedPerfRingLink {
  readonly ring: SharedPerfRing;
  /** Ends the reading: a waiting reader gets what is in the ring, then nothing more. */
  close(): void;
}

/**
 * Opens the ring of `event` for a reader on another thread; the event must stay open until that reader is done. EINVAL
 * where it has no ring, or the memory is not shared.
 */
export function sharePerfRing(memory: BpfMemory, { ring, format }: PerfEvent): SharedPerfRingLink {
  const { buffer } = memory.wasm;
  if (ring === null) throw new BpfError('EINVAL', 'giving the ring of a perf event to another thread: it has none');
  if (buffer instanceof ArrayBuffer) {
    throw new BpfError('EINVAL', 'giving a perf ring to another thread: its memory is not shared', {
      remedy: 'make the runtime with a new BpfMemory({ shared: true })',
    });
  }
  const bell = new Doorbell();
  const unsubscribe = ring.onWakeup(() => bell.ring());
  const { head, tail, data, mask } = ring.area.place;
  return {
    ring: { buffer, head, tail, data, size: mask + 1, format, bell: bell.buffer },
    close() {
      unsubscribe();
      bell.close();
    },
  };
}

/** Sees one record, header included, from `words[at]` on, which is `bytes[4 * at]`. Only valid during the call. */
export type PerfRecordVisitor = (words: Int32Array, at: number, size: number, bytes: Uint8Array) => void;

/** Longest record: its size has 16 bits. */
const MAX_RECORD = 65536;

/** The reading end of a shared perf ring: the position is kept here, and stored for the producer once in a while. */
export class SharedPerfCursor {
  /** Samples shown so far. */
  delivered = 0;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #positions: BigUint64Array;
  readonly #ring: SharedPerfRing;
  /** Records that go on at the beginning of the ring are put together here. */
  readonly #whole = new Uint8Array(MAX_RECORD);
  readonly #wholeWords = new Int32Array(this.#whole.buffer);
  #stored: bigint;
  /** Low words of where the next record begins, and of the head when it was last read. */
  #next: number;
  #end: number;

  constructor(ring: SharedPerfRing) {
    this.#ring = ring;
    this.#words = new Int32Array(ring.buffer);
    this.#bytes = new Uint8Array(ring.buffer);
    this.#positions = new BigUint64Array(ring.buffer, 0, Math.floor(ring.buffer.byteLength / 8));
    this.#stored = Atomics.load(this.#positions, ring.tail / 2);
    this.#next = Number(BigInt.asIntN(32, this.#stored));
    this.#end = this.#next;
  }

  get readable(): boolean {
    return Atomics.load(this.#words, this.#ring.head) !== this.#next;
  }

  /** Shows records to `visit` until `samples` of them were samples; returns how many were. */
  drain(visit: PerfRecordVisitor, samples: number): number {
    const before = this.delivered;
    let records = 0;
    try {
      while (this.delivered - before < samples && this.#hasNext()) {
        const at = this.#ring.data + (this.#next & (this.#ring.size - 1));
        const size = Math.max(this.#words[(at >>> 2) + 1] >>> 16, PERF_RECORD_HEADER_SIZE);
        if (this.#words[at >>> 2] === PerfEventType.PERF_RECORD_SAMPLE) this.delivered++;
        this.#next = (this.#next + size) | 0;
        this.#show(visit, at, size);
        if (++records % RELEASE_BATCH === 0) this.#release();
      }
    } finally {
      this.#release();
    }
    return this.delivered - before;
  }

  #hasNext(): boolean {
    if (this.#next !== this.#end) return true;
    this.#end = Atomics.load(this.#words, this.#ring.head);
    return this.#next !== this.#end;
  }

  #show(visit: PerfRecordVisitor, at: number, size: number): void {
    const { data } = this.#ring;
    const first = data + this.#ring.size - at;
    if (size <= first) {
      visit(this.#words, at >>> 2, size, this.#bytes);
      return;
    }
    this.#whole.set(this.#bytes.subarray(at, at + first));
    this.#whole.set(this.#bytes.subarray(data, data + size - first), first);
    visit(this.#wholeWords, 0, size, this.#whole);
  }

  /** In one store of 64 bits, or the producer could see half of it. */
  #release(): void {
    const step = (this.#next - Number(BigInt.asIntN(32, this.#stored))) >>> 0;
    if (step === 0) return;
    this.#stored = BigInt.asUintN(64, this.#stored + BigInt(step));
    Atomics.store(this.#positions, this.#ring.tail / 2, this.#stored);
  }
}
