/** The machine's only source of chance: xoshiro128** over a seed spread by splitmix. */
export class SeededRandom {
  readonly #s = new Int32Array(4);

  constructor(seed: bigint) {
    let state = BigInt.asUintN(64, seed);
    for (let i = 0; i < 4; i++) {
      state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
      let mixed = state;
      mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n);
      mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
      this.#s[i] = Number(BigInt.asIntN(32, mixed ^ (mixed >> 31n)));
    }
  }

  /** 32 bits, signed. */
  word(): number {
    const s = this.#s;
    const s1 = s[1];
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    s[2] = s[2] ^ s[0];
    s[3] = s[3] ^ s1;
    s[1] = s1 ^ s[2];
    s[0] = s[0] ^ s[3];
    s[2] = s[2] ^ (s1 << 9);
    const s3 = s[3];
    s[3] = (s3 << 11) | (s3 >>> 21);
    return result;
  }

  /** 0 .. limit-1. */
  below(limit: number): number {
    return (this.word() >>> 0) % limit;
  }
}
