/** Xorshift: the mutations of a run depend on the seed alone. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed | 0 || 1;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit) {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }
}

/** Values that size, offset and count fields are wrong with. */
const suspiciousWords = [
  0, 1, 7, 8, 0x7f, 0xff, 0x7fff, 0xffff, 0x10000, 0xff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff,
];

/** One corruption of `bytes`, which stay as they are; `other` gives what is spliced in. */
export function mutate(bytes, other, random) {
  let mutated = Uint8Array.prototype.slice.call(bytes);
  for (let i = random.below(4); i >= 0; i--) mutated = corrupt(mutated, other, random);
  return mutated;
}

function corrupt(bytes, other, random) {
  if (bytes.length < 8) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = random.below(bytes.length - 7);
  switch (random.below(9)) {
    case 0:
      return bytes.slice(0, random.below(bytes.length));
    case 1:
      bytes[at] ^= 1 << random.below(8);
      return bytes;
    case 2:
      bytes[at] = random.below(256);
      return bytes;
    case 3:
      view.setUint32(at & ~3, suspiciousWords[random.below(suspiciousWords.length)], true);
      return bytes;
    case 4:
      view.setUint32(at & ~3, random.below(bytes.length * 2), true);
      return bytes;
    case 5:
      view.setBigUint64(
        at & ~7,
        BigInt(suspiciousWords[random.below(suspiciousWords.length)]) << BigInt(random.below(33)),
        true,
      );
      return bytes;
    case 6:
      bytes.copyWithin(at, random.below(bytes.length), random.below(bytes.length));
      return bytes;
    case 7: {
      const from = random.below(other.length);
      bytes.set(other.subarray(from, from + random.below(Math.min(256, other.length - from, bytes.length - at))), at);
      return bytes;
    }
    default:
      view.setUint16(at & ~1, random.below(0x10000), true);
      return bytes;
  }
}
