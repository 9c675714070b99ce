/** A small seeded generator for tests: the same seed gives the same cases everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** A 32-bit integer, signed. */
  word(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x | 0;
    return Math.imul(x, 0x2545f491) ^ (x >>> 15);
  }

  /** 0 .. limit-1. */
  below(limit: number): number {
    return (this.word() >>> 0) % limit;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }

  /** 64 bits that are often small, often near a boundary, else anything. */
  u64(): bigint {
    const any = (BigInt(this.word() >>> 0) << 32n) | BigInt(this.word() >>> 0);
    switch (this.below(6)) {
      case 0:
        return any & 0xffn;
      case 1:
        return BigInt.asUintN(64, this.pick(BOUNDARIES) + BigInt(this.below(3)) - 1n);
      case 2:
        return any & 0xffff_ffffn;
      case 3:
        return BigInt.asUintN(64, -(any & 0xffffn));
      default:
        return any;
    }
  }
}

const BOUNDARIES = [0n, 0x80n, 0x100n, 0x8000n, 0x1_0000n, 0x8000_0000n, 0x1_0000_0000n, 1n << 63n];
