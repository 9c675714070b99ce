import type { FunctionWriter } from '../wasm/function-writer.js';
import { Wasm } from '../wasm/opcodes.js';

/** Beyond, V8's call of memmove pays. */
const UNROLLED = 96;
const loadOf: Readonly<Record<number, number>> = {
  1: Wasm.i32Load8U,
  2: Wasm.i32Load16U,
  4: Wasm.i32Load,
  8: Wasm.i64Load,
};
const storeOf: Readonly<Record<number, number>> = {
  1: Wasm.i32Store8,
  2: Wasm.i32Store16,
  4: Wasm.i32Store,
  8: Wasm.i64Store,
};

/** Some of a row of bytes: 1, 2, 4 or 8 of them. */
export interface Chunk {
  readonly at: number;
  readonly bytes: number;
}

/** Few chunks that cover `size` bytes. */
export function chunksOf(size: number): Chunk[] {
  const chunks: Chunk[] = [];
  let at = 0;
  for (const bytes of [8, 4, 2, 1]) for (; size - at >= bytes; at += bytes) chunks.push({ at, bytes });
  return chunks;
}

/** Leaves the chunk at `local + offset` on the stack, up to 4 bytes as i32. */
export function loadChunk(w: FunctionWriter, local: number, offset: number, { at, bytes }: Chunk): void {
  w.get(local);
  w.memory(loadOf[bytes], offset + at);
}

/** Copies `size` bytes to the local `to` + `toOffset` from `from` + `fromOffset`: the same bytes, or apart from them. */
export function copyBytes(
  w: FunctionWriter,
  to: number,
  toOffset: number,
  from: number,
  fromOffset: number,
  size: number,
): void {
  if (size > UNROLLED) {
    addressOf(w, to, toOffset);
    addressOf(w, from, fromOffset);
    w.i32(size);
    w.memoryCopy();
    return;
  }
  for (const chunk of chunksOf(size)) {
    w.get(to);
    loadChunk(w, from, fromOffset, chunk);
    w.memory(storeOf[chunk.bytes], toOffset + chunk.at);
  }
}

function addressOf(w: FunctionWriter, local: number, offset: number): void {
  w.get(local);
  if (offset === 0) return;
  w.i32(offset);
  w.op(Wasm.i32Add);
}
