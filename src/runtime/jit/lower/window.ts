import type { FunctionWriter } from '../wasm/function-writer.js';
import { ValType, Wasm } from '../wasm/opcodes.js';

/** The region in which the last access was found, in locals: its base, and for each size the last good offset. */
export class Window {
  readonly #w: FunctionWriter;
  readonly #state: number;
  readonly #base: number;
  readonly #limits: ReadonlyMap<number, number>;

  constructor(w: FunctionWriter, state: number, sizes: readonly number[]) {
    this.#w = w;
    this.#state = state;
    this.#base = sizes.length === 0 ? -1 : w.local(ValType.i64);
    this.#limits = new Map(sizes.map((size) => [size, w.local(ValType.i64)]));
  }

  /** Fetches base and length from the state area. */
  reload(): void {
    const w = this.#w;
    if (this.#base < 0) return;
    w.i32(0);
    w.memory(Wasm.i64Load, this.#state);
    w.set(this.#base);
    for (const [size, local] of this.#limits) {
      w.i32(0);
      w.memory(Wasm.i64Load, this.#state + 8);
      w.i64(size);
      w.op(Wasm.i64Sub);
      w.set(local);
    }
  }

  /** Turns the pointer on the stack into 1 where `size` bytes there are not inside. */
  isOutside(size: number): void {
    const limit = this.#limits.get(size);
    if (limit === undefined) throw new TypeError(`no window for accesses of ${size} bytes`);
    this.#w.get(this.#base);
    this.#w.op(Wasm.i64Sub);
    this.#w.get(limit);
    this.#w.op(Wasm.i64GtU);
  }
}
