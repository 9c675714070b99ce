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

/** Sees one record where it lies: `words[at]` holds its first bytes. Only valid during the call. */
export type RecordVisitor = (words: Int32Array, at: number, length: number) => void;

/**
 * Hands out the complete records of a ring whose producer is of the same thread, at most `limit` of them, up to
 * the first that is still being written; returns how many. The consumer position stands behind a record before it is
 * handed out: what the visitor throws goes to the caller, and whoever drains from within it goes on behind. Its room
 * may be written to as soon as a program runs: visitors copy what they need before they call others.
 */
export function drainRing(ring: RingPlace, flow: RecordFlow, visit: RecordVisitor, limit: number): number {
  const { memory, consumer, producer, data, mask } = ring;
  let taken = 0;
  while (taken < limit) {
    const words = memory.i32;
    const position = words[consumer];
    if (position === words[producer]) break;
    const at = (data + (position & mask)) >>> 2;
    const header = words[at];
    // The BUSY bit is the sign.
    if (header < 0) break;
    const length = header & 0x3fff_ffff;
    advance(words, consumer, length);
    if ((header & BpfRingbuf.BPF_RINGBUF_DISCARD_BIT) !== 0) continue;
    taken++;
    flow.delivered++;
    visit(words, at + 2, length);
    if (flow.halted) break;
  }
  return taken;
}

/** Moves the 64-bit position at `words[position]` over a record with `length` bytes of data. */
export function advance(words: Int32Array, position: number, length: number): void {
  const low = words[position];
  const next = (low + ((length + 15) & ~7)) | 0;
  words[position] = next;
  if (next >>> 0 < low >>> 0) words[position + 1]++;
}
