import type { FunctionWriter } from '../wasm/function-writer.js';
import { ValType, Wasm } from '../wasm/opcodes.js';

const INITVAL = 0xdeadbeef;
const BLOCK = 12;
/** Longer keys are hashed in a loop. */
const UNROLLED_BLOCKS = 4;

/** Writes `jhash` of the `length` bytes that the local `key` points to; the result goes to the local `hash`. */
export function writeJhash(w: FunctionWriter, key: number, length: number, seed: number, hash: number): void {
  const jhash = new JhashCode(w, hash);
  jhash.begin(length, seed);
  const blocks = Math.ceil(length / BLOCK) - 1;
  const tail = blocks * BLOCK;
  if (blocks <= UNROLLED_BLOCKS) {
    for (let i = 0; i < blocks; i++) jhash.block(key, i * BLOCK);
    jhash.tail(key, tail, length - tail);
    return;
  }
  const at = jhash.blocks(key, tail);
  jhash.tail(at, 0, length - tail);
}

/** The three words of the state in locals, the last of which becomes the hash. */
class JhashCode {
  readonly #w: FunctionWriter;
  readonly #a: number;
  readonly #b: number;
  readonly #c: number;

  constructor(w: FunctionWriter, hash: number) {
    this.#w = w;
    this.#a = w.local(ValType.i32);
    this.#b = w.local(ValType.i32);
    this.#c = hash;
  }

  begin(length: number, seed: number): void {
    const start = (INITVAL + length + seed) | 0;
    for (const word of [this.#a, this.#b, this.#c]) {
      this.#w.i32(start);
      this.#w.set(word);
    }
  }

  /** Mixes in the 12 bytes at `key` + `at`. */
  block(key: number, at: number): void {
    this.#add(key, at, BLOCK);
    const steps: readonly [number, number, number, number][] = [
      [this.#a, this.#c, this.#b, 4],
      [this.#b, this.#a, this.#c, 6],
      [this.#c, this.#b, this.#a, 8],
      [this.#a, this.#c, this.#b, 16],
      [this.#b, this.#a, this.#c, 19],
      [this.#c, this.#b, this.#a, 4],
    ];
    for (const [x, y, z, bits] of steps) {
      this.#combine(x, y, bits, Wasm.i32Sub, Wasm.i32Xor);
      this.#w.get(y);
      this.#w.get(z);
      this.#w.op(Wasm.i32Add);
      this.#w.set(y);
    }
  }

  /** Mixes in `length` bytes, a multiple of 12; the local it answers is behind them. */
  blocks(key: number, length: number): number {
    const w = this.#w;
    const at = w.local(ValType.i32);
    w.get(key);
    w.set(at);
    w.loop();
    this.block(at, 0);
    w.get(at);
    w.i32(BLOCK);
    w.op(Wasm.i32Add);
    w.tee(at);
    w.get(key);
    w.op(Wasm.i32Sub);
    w.i32(length);
    w.op(Wasm.i32LtU);
    w.brIf(0);
    w.end();
    return at;
  }

  /** Mixes in the last bytes, 1 to 12 of them. */
  tail(key: number, at: number, length: number): void {
    this.#add(key, at, length);
    const steps: readonly [number, number, number][] = [
      [this.#c, this.#b, 14],
      [this.#a, this.#c, 11],
      [this.#b, this.#a, 25],
      [this.#c, this.#b, 16],
      [this.#a, this.#c, 4],
      [this.#b, this.#a, 14],
      [this.#c, this.#b, 24],
    ];
    for (const [x, y, bits] of steps) this.#combine(x, y, bits, Wasm.i32Xor, Wasm.i32Sub);
  }

  /** x = (x `first` y) `second` rotl(y, bits) */
  #combine(x: number, y: number, bits: number, first: number, second: number): void {
    const w = this.#w;
    w.get(x);
    w.get(y);
    w.op(first);
    w.get(y);
    w.i32(bits);
    w.op(Wasm.i32Rotl, second);
    w.set(x);
  }

  #add(key: number, at: number, length: number): void {
    const w = this.#w;
    [this.#a, this.#b, this.#c].forEach((word, i) => {
      const left = length - 4 * i;
      if (left <= 0) return;
      loadWord(w, key, at + 4 * i, left);
      w.get(word);
      w.op(Wasm.i32Add);
      w.set(word);
    });
  }
}

/** Up to four bytes as a little-endian word. */
function loadWord(w: FunctionWriter, key: number, at: number, left: number): void {
  w.get(key);
  if (left >= 4) w.memory(Wasm.i32Load, at);
  else w.memory(left === 1 ? Wasm.i32Load8U : Wasm.i32Load16U, at);
  if (left !== 3) return;
  w.get(key);
  w.memory(Wasm.i32Load8U, at + 2);
  w.i32(16);
  w.op(Wasm.i32Shl, Wasm.i32Or);
}
