import { ByteWriter, unsignedLength } from './byte-writer.js';
import { ATOMIC_PREFIX, BULK_PREFIX, NO_RESULT, type ValType, Wasm, WasmBulk } from './opcodes.js';

/** What the code of a small program takes. */
const CODE_BYTES = 1024;

/** The body of one WebAssembly function while it is written: locals and code. */
export class FunctionWriter {
  readonly code = new ByteWriter(CODE_BYTES);
  readonly #params: number;
  readonly #locals: ValType[] = [];
  /** The local that the code so far ends with setting, and where that code ends. */
  #lastSet = -1;
  #lastSetEnd = -1;

  constructor(params: number) {
    this.#params = params;
  }

  /** A new local variable, 0 at first. */
  local(type: ValType): number {
    return this.#params + this.#locals.push(type) - 1;
  }

  /** Writes the function's entry in the code section. */
  writeTo(out: ByteWriter): void {
    const start = out.openLength();
    const runs: [ValType, number][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last !== undefined && last[0] === type) last[1]++;
      else runs.push([type, 1]);
    }
    out.unsigned(runs.length);
    for (const [type, count] of runs) {
      out.unsigned(count);
      out.byte(type);
    }
    out.append(this.code);
    out.byte(Wasm.end);
    out.closeLength(start);
  }

  /** Instructions without immediates. */
  op(...codes: readonly number[]): void {
    for (const code of codes) this.code.byte(code);
  }

  /** What has just been set is not read again: the set keeps it on the stack. */
  get(local: number): void {
    const { code } = this;
    if (local === this.#lastSet && code.length === this.#lastSetEnd) {
      code.replace(code.length - unsignedLength(local) - 1, Wasm.localTee);
      this.#lastSetEnd = -1;
      return;
    }
    code.byte(Wasm.localGet);
    code.unsigned(local);
  }

  set(local: number): void {
    this.code.byte(Wasm.localSet);
    this.code.unsigned(local);
    this.#lastSet = local;
    this.#lastSetEnd = this.code.length;
  }

  tee(local: number): void {
    this.code.byte(Wasm.localTee);
    this.code.unsigned(local);
  }

  i32(value: number): void {
    this.code.byte(Wasm.i32Const);
    this.code.signed(value);
  }

  /** A 64-bit constant by words; without `hi` the sign extension of `lo`. */
  i64(lo: number, hi: number = lo >> 31): void {
    this.code.byte(Wasm.i64Const);
    this.code.signed64(lo, hi);
  }

  /** A load or store, the address (and value) on the stack. Alignment is only a hint: none is promised. */
  memory(code: number, offset: number): void {
    this.code.byte(code);
    this.code.byte(0);
    this.code.unsigned(offset);
  }

  /** memory.copy: destination, source and length on the stack. */
  memoryCopy(): void {
    this.op(BULK_PREFIX, WasmBulk.memoryCopy, 0, 0);
  }

  /** memory.fill: destination, byte and length on the stack. */
  memoryFill(): void {
    this.op(BULK_PREFIX, WasmBulk.memoryFill, 0);
  }

  /** An atomic access of `size` bytes, the address (and operands) on the stack. Its alignment is no hint: it is checked. */
  atomic(code: number, size: number, offset: number): void {
    this.code.byte(ATOMIC_PREFIX);
    this.code.byte(code);
    this.code.byte(Math.log2(size));
    this.code.unsigned(offset);
  }

  block(result: number = NO_RESULT): void {
    this.op(Wasm.block, result);
  }

  loop(): void {
    this.op(Wasm.loop, NO_RESULT);
  }

  if(result: number = NO_RESULT): void {
    this.op(Wasm.if, result);
  }

  else(): void {
    this.op(Wasm.else);
  }

  end(): void {
    this.op(Wasm.end);
  }

  br(depth: number): void {
    this.code.byte(Wasm.br);
    this.code.unsigned(depth);
  }

  brIf(depth: number): void {
    this.code.byte(Wasm.brIf);
    this.code.unsigned(depth);
  }

  brTable(depths: readonly number[], otherwise: number): void {
    this.code.byte(Wasm.brTable);
    this.code.unsigned(depths.length);
    for (const depth of depths) this.code.unsigned(depth);
    this.code.unsigned(otherwise);
  }

  call(index: number): void {
    this.code.byte(Wasm.call);
    this.code.unsigned(index);
  }

  /** Calls what is in the table at the place on the stack. */
  callIndirect(type: number): void {
    this.code.byte(Wasm.callIndirect);
    this.code.unsigned(type);
    this.code.byte(0);
  }
}
