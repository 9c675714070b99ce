import { RELEASE_BATCH } from '../ring/index.js';

const HEADER = `
      if (header < 0) return taken;
      const length = header & 0x3fffffff;
      const next = (position + ((length + 15) & ~7)) | 0;`;

/**
 * The text of `drainRing` and `drainSharedRing` for events of one type, made in place of a visitor. Written out per
 * type, the calls in them see only that type's class and handlers, and the compiler inlines both. The views of memory
 * do not change in the inner loop of `drain`: so what a load has to know of them is looked up once.
 */
export function drainCode(size: number): string {
  const deliver = `
      taken++;
      flow.delivered++;
      if (length < ${size}) tools.tooShort(length);
      deliver(new Event(words, at + 2, length, bytes));`;
  return `
function drain(ring, flow, deliver, limit) {
  const { memory, consumer, producer, data, mask } = ring;
  let taken = 0;
  for (;;) {
    const words = memory.i32;
    const bytes = memory.u8;
    let position = words[consumer];
    for (;;) {
      if (taken >= limit || position === words[producer]) return taken;
      const at = (data + (position & mask)) >>> 2;
      const header = words[at];${HEADER}
      words[consumer] = next;
      if (next >>> 0 < position >>> 0) words[consumer + 1]++;
      position = next;
      if ((header & 0x40000000) !== 0) continue;${deliver}
      if (flow.halted) return taken;
      if (memory.i32 !== words || words[consumer] !== next) break;
    }
  }
}
function drainShared(ring, flow, deliver, limit) {
  const { words, bytes, data, mask, producer } = ring;
  let taken = 0;
  try {
    while (taken < limit && !flow.halted) {
      const position = ring.next;
      if (position === ring.end && position === (ring.end = Atomics.load(words, producer))) break;
      const at = (data + (position & mask)) >>> 2;
      const header = Atomics.load(words, at);${HEADER}
      ring.next = next;
      if ((header & 0x40000000) !== 0) continue;${deliver}
      if (taken % ${RELEASE_BATCH} === 0) ring.release();
    }
  } finally {
    ring.release();
  }
  return taken;
}`;
}
