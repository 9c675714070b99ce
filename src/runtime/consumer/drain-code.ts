import { RELEASE_BATCH, type RingPlace } from '../ring/index.js';

/** `next`: where the record behind the one with this header begins. A record that is still written ends the loop. */
const HEADER = `
      if (header < 0) return taken;
      const length = header & 0x3fffffff;
      const next = (position + ((length + 15) & ~7)) | 0;`;

/** Hands out the record at `at` as an event. */
function deliverCode(size: number): string {
  return `
      taken++;
      flow.delivered++;
      if (length < ${size}) tooShort(length);
      deliver(new Event(words, at + 2, length, bytes));`;
}

/**
 * The body of a function of `parts` that makes `drainRing` for events of one type and for one ring, in place of a
 * visitor: calls see only that type's class and one handler, and the compiler inlines both. The ring's place is written
 * into it and the views of memory are constants, so that little is left to do for an access; once the views are others
 * it returns, and is of no use any more.
 */
export function ringDrainCode({ consumer, producer, data, mask }: RingPlace, size: number): string {
  return `const { Event, tooShort, memory, words, bytes } = parts;
return (flow, deliver, limit) => {
  let taken = 0;
  let position = words[${consumer}];
  for (;;) {
      if (taken >= limit || position === words[${producer}]) return taken;
      const at = (${data} + (position & ${mask})) >>> 2;
      const header = words[at];${HEADER}
      words[${consumer}] = next;
      if (next >>> 0 < position >>> 0) words[${consumer + 1}]++;
      position = next;
      if ((header & 0x40000000) !== 0) continue;${deliverCode(size)}
      if (flow.halted || memory.i32 !== words) return taken;
      if (words[${consumer}] !== next) position = words[${consumer}];
  }
};`;
}

/** The text of `drainSharedRing` for events of one type, made in the same way for all rings. */
export function sharedDrainCode(size: number): string {
  return `
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
      if ((header & 0x40000000) !== 0) continue;${deliverCode(size)}
      if (taken % ${RELEASE_BATCH} === 0) ring.release();
    }
  } finally {
    ring.release();
  }
  return taken;
}`;
}
