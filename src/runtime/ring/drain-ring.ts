import { BpfRingbuf } from '../../base/index.js';

/** Whoever takes records off rings: told how many left them, and asked after each whether to go on. */
export interface RecordFlow {
  /** Set by a handler that wants no more records now. */
  halted: boolean;
  /** Records handed over, ever. */
  delivered: number;
}

/** Where a ring lies in a memory: the positions as indexes of 32-bit words, the data as an offset of bytes. */
export interface RingPlace {
  /** Its views may be others after every call of a handler. */
  readonly memory: { readonly i32: Int32Array; readonly u8: Uint8Array };
  readonly consumer: number;
  readonly producer: number;
  readonly data: number;
  /** Bytes of data less one. */
  readonly mask: number;
}

/**
 * Sees one record of `length` bytes where it lies: from `words[at]` on, which is `bytes[4 * at]`. Only valid during
 * the call.
 */
export type RecordVisitor = (words: Int32Array, at: number, length: number, bytes: Uint8Array) => void;

/**
 * Hands out the complete records of a ring whose producer is of the same thread, at most `limit` of them, up to
 * the first that is still being written; returns how many. The consumer position stands behind a record before it is
 * handed out: what the visitor throws goes to the caller, and whoever drains from within it goes on behind. Its room
 * may be written to as soon as a program runs: visitors copy what they need before they call others.
 */
export function drainRing(ring: RingPlace, flow: RecordFlow, visit: RecordVisitor, limit: number): number {
  const { memory, consumer, producer, data, mask } = ring;
  let taken = 0;
  let words = memory.i32;
  let position = words[consumer];
  while (taken < limit && position !== words[producer]) {
    const at = (data + (position & mask)) >>> 2;
    const header = words[at];
    // The BUSY bit is the sign.
    if (header < 0) break;
    const length = header & 0x3fff_ffff;
    const next = advance(words, consumer, position, length);
    position = next;
    if ((header & BpfRingbuf.BPF_RINGBUF_DISCARD_BIT) !== 0) continue;
    taken++;
    flow.delivered++;
    visit(words, at + 2, length, memory.u8);
    if (flow.halted) break;
    words = memory.i32;
    // Read again only if somebody has drained on: otherwise each record would wait for the store of the one before.
    if (words[consumer] !== next) position = words[consumer];
  }
  return taken;
}

/** Stores the 64-bit consumer position, whose low word is `position`, behind a record; returns its new low word. */
export function advance(words: Int32Array, consumer: number, position: number, length: number): number {
  const next = (position + ((length + 15) & ~7)) | 0;
  words[consumer] = next;
  if (next >>> 0 < position >>> 0) words[consumer + 1]++;
  return next;
}
