import { BpfError, BpfRingbuf } from '../../base/index.js';
import type { BpfMemory } from '../memory/bpf-memory.js';
import { Doorbell } from './doorbell.js';
import type { RecordFlow, RecordVisitor } from './drain-ring.js';
import type { RingBufferArea } from './ring-buffer-area.js';
import { RingLayout } from './ring-buffer-layout.js';

/** Where a ring buffer lies in shared memory. It can be posted to the thread that is to read it. */
export interface SharedRing {
  readonly buffer: SharedArrayBuffer;
  readonly address: number;
  /** Bytes of data. */
  readonly size: number;
  /** How the producer's thread wakes the reader's; see `Doorbell`. */
  readonly bell: SharedArrayBuffer;
}

/** A ring that another thread reads, as the producer's thread sees it. */
export interface SharedRingLink {
  readonly ring: SharedRing;
  /** Ends the reading: a waiting reader gets what is in the ring, then nothing more. */
  close(): void;
}

/**
 * Opens a ring buffer for a reader on another thread. The ring must be kept until that reader is done. EINVAL where
 * the memory is not shared.
 */
export function shareRing(memory: BpfMemory, area: RingBufferArea): SharedRingLink {
  const { buffer } = memory.wasm;
  if (buffer instanceof ArrayBuffer) {
    throw new BpfError('EINVAL', 'giving a ring buffer to another thread: its memory is not shared', {
      remedy: 'make the runtime with a new BpfMemory({ shared: true })',
    });
  }
  const bell = new Doorbell();
  const unsubscribe = area.onWakeup(() => bell.ring());
  return {
    ring: { buffer, address: area.address, size: area.size, bell: bell.buffer },
    close() {
      unsubscribe();
      bell.close();
    },
  };
}

/** Records after which room is given back: each time costs the producer a cache miss. */
export const RELEASE_BATCH = 256;

/** The reading end of a shared ring: the position is kept here, and stored for the producer once in a while. */
export class SharedRingCursor {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  /** Word index of the producer position. */
  readonly producer: number;
  readonly data: number;
  readonly mask: number;
  /** Low words of where the next record begins, and of the producer position when it was last read. */
  next: number;
  end: number;
  readonly #positions: BigUint64Array;
  readonly #consumer: number;
  #stored: bigint;

  constructor({ buffer, address, size }: SharedRing) {
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.#positions = new BigUint64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
    this.producer = (address + RingLayout.producerPage) >>> 2;
    this.data = address + RingLayout.data;
    this.mask = size - 1;
    this.#consumer = (address + RingLayout.consumerPage) / 8;
    this.#stored = Atomics.load(this.#positions, this.#consumer);
    this.next = Number(BigInt.asIntN(32, this.#stored));
    this.end = this.next;
  }

  /** Whether there is a record, complete or discarded, at the position. */
  get readable(): boolean {
    if (Atomics.load(this.words, this.producer) === this.next) return false;
    return Atomics.load(this.words, (this.data + (this.next & this.mask)) >>> 2) >= 0;
  }

  /** Gives back the room of all that was taken. In one store of 64 bits, or the producer could see half of it. */
  release(): void {
    const step = (this.next - Number(BigInt.asIntN(32, this.#stored))) >>> 0;
    if (step === 0) return;
    this.#stored = BigInt.asUintN(64, this.#stored + BigInt(step));
    Atomics.store(this.#positions, this.#consumer, this.#stored);
  }
}

/**
 * Hands out the complete records of a ring whose producer is of another thread, as `drainRing` does. Room is given
 * back once per `RELEASE_BATCH` records and at the end.
 */
export function drainSharedRing(ring: SharedRingCursor, flow: RecordFlow, visit: RecordVisitor, limit: number): number {
  const { words, bytes, data, mask, producer } = ring;
  let taken = 0;
  try {
    while (taken < limit && !flow.halted) {
      const position = ring.next;
      if (position === ring.end && position === (ring.end = Atomics.load(words, producer))) break;
      const at = (data + (position & mask)) >>> 2;
      // The load orders the reads of the bytes behind it.
      const header = Atomics.load(words, at);
      if (header < 0) break;
      const length = header & 0x3fff_ffff;
      ring.next = (position + ((length + 15) & ~7)) | 0;
      if ((header & BpfRingbuf.BPF_RINGBUF_DISCARD_BIT) !== 0) continue;
      taken++;
      flow.delivered++;
      visit(words, at + 2, length, bytes);
      if (taken % RELEASE_BATCH === 0) ring.release();
    }
  } finally {
    ring.release();
  }
  return taken;
}
