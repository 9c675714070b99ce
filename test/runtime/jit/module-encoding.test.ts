import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../src/runtime/jit/wasm/byte-writer.js';
import { FunctionWriter } from '../../../src/runtime/jit/wasm/function-writer.js';
import { ModuleWriter } from '../../../src/runtime/jit/wasm/module-writer.js';
import { ValType, Wasm } from '../../../src/runtime/jit/wasm/opcodes.js';

function written(write: (to: ByteWriter) => void): string {
  const to = new ByteWriter();
  write(to);
  return Buffer.from(to.bytes).toString('hex');
}

describe('LEB128', () => {
  test.each([
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [624485, 'e58e26'],
    [0xffffffff, 'ffffffff0f'],
  ])('unsigned %i', (value, bytes) => {
    expect(written((to) => to.unsigned(value))).toBe(bytes);
  });

  test.each([
    [0, '00'],
    [63, '3f'],
    [64, 'c000'],
    [-1, '7f'],
    [-64, '40'],
    [-65, 'bf7f'],
    [-123456, 'c0bb78'],
    [-0x80000000, '8080808078'],
  ])('signed %i', (value, bytes) => {
    expect(written((to) => to.signed(value))).toBe(bytes);
    expect(written((to) => to.signed64(value, value >> 31))).toBe(bytes);
  });

  test.each([
    [0x7fffffffffffffffn, 'ffffffffffffffffff00'],
    [-0x8000000000000000n, '8080808080808080807f'],
    [0x80000000n, '8080808008'],
    [0xffffffffn, 'ffffffff0f'],
  ])('64-bit %i', (value, bytes) => {
    const lo = Number(BigInt.asIntN(32, value));
    const hi = Number(BigInt.asIntN(32, value >> 32n));
    expect(written((to) => to.signed64(lo, hi))).toBe(bytes);
  });
});

describe('a module', () => {
  test('calls its import and its own functions', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const writer = new ModuleWriter(memory.buffer instanceof ArrayBuffer ? 'unshared' : 'shared');
    const type = { params: [ValType.i32], results: [ValType.i32] };
    const twice = writer.importFunction('twice', type);
    const inner = writer.declare(type);
    const outer = writer.declare(type, 'outer');
    const body = new FunctionWriter(1);
    const sum = body.local(ValType.i64);
    body.get(0);
    body.call(twice);
    body.op(Wasm.i64ExtendI32U);
    body.set(sum);
    body.get(sum);
    body.op(Wasm.i32WrapI64);
    body.i32(1);
    body.op(Wasm.i32Add);
    writer.define(inner, body);
    const caller = new FunctionWriter(1);
    caller.get(0);
    caller.call(inner);
    writer.define(outer, caller);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(writer.finish() as Uint8Array<ArrayBuffer>), {
      m: { m: memory, twice: (value: number) => 2 * value },
    });
    expect((exports['outer'] as (value: number) => number)(20)).toBe(41);
  });
});
