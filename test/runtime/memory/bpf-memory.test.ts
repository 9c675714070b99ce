import { describe, expect, it } from 'vitest';
import { BPF_MEMORY_HI, BpfMemory, type BpfOffset } from '../../../src/runtime/memory/bpf-memory.js';

describe('BpfMemory', () => {
  it('does not grow while a program runs: what does not fit is ENOMEM', () => {
    const memory = new BpfMemory();
    const before = memory.u8;
    memory.beginRun();
    memory.beginRun();
    memory.endRun();
    expect(() => memory.alloc(1 << 21)).toThrow(expect.objectContaining({ code: 'ENOMEM' }));
    expect(memory.alloc(64)).toBeGreaterThan(0);
    expect(memory.u8).toBe(before);
    memory.endRun();
    expect(memory.alloc(1 << 21)).toBeGreaterThan(0);
  });

  it('looks like a kernel pointer from the outside', () => {
    expect((BPF_MEMORY_HI >>> 0).toString(16)).toBe('fffffe80');
  });

  it('never hands out the first page', () => {
    expect(new BpfMemory().alloc(1)).toBeGreaterThanOrEqual(4096);
  });

  it.each([16, 64, 4096, 65536])('aligns to %d', (align) => {
    const memory = new BpfMemory();
    memory.alloc(24);
    expect(memory.alloc(100, align) % align).toBe(0);
  });

  it('gives zeroed bytes, also where others have written before', () => {
    const memory = new BpfMemory();
    const first = memory.alloc(64);
    memory.alloc(64);
    memory.u8.fill(0xff, first, first + 64);
    memory.free(first, 64);
    const again = memory.alloc(64);
    expect(again).toBe(first);
    expect(memory.u8.subarray(again, again + 64).every((byte) => byte === 0)).toBe(true);
  });

  it('joins neighbours that are free again, in whatever order', () => {
    const memory = new BpfMemory();
    const blocks = [memory.alloc(32), memory.alloc(32), memory.alloc(32)] as const;
    memory.alloc(16);
    for (const i of [0, 2, 1] as const) memory.free(blocks[i], 32);
    expect(memory.alloc(96)).toBe(blocks[0]);
  });

  it('counts what is handed out', () => {
    const memory = new BpfMemory();
    const blocks: [BpfOffset, number][] = [100, 4096, 1].map((size) => [memory.alloc(size), size]);
    expect(memory.used).toBe(112 + 4096 + 16);
    for (const [offset, size] of blocks) memory.free(offset, size);
    expect(memory.used).toBe(0);
  });

  it('grows, and its views follow', () => {
    const memory = new BpfMemory();
    const before = memory.u8;
    const offset = memory.alloc(5 << 20);
    expect(memory.u8 === before).toBe(false);
    memory.u32[offset >>> 2] = 0x01020304;
    expect([memory.u8[offset], memory.view.getUint32(offset, true)]).toEqual([4, 0x01020304]);
  });

  it('is ENOMEM at its limit, and says which', () => {
    const memory = new BpfMemory({ maxBytes: 1 << 20 });
    expect(() => memory.alloc(2 << 20)).toThrow(/ENOMEM; the limit is 1048576 bytes/);
    expect(memory.alloc(16)).toBeGreaterThan(0);
  });

  it('leaves the reserved part of a memory of others alone, and zeroes the rest on demand', () => {
    const wasm = new WebAssembly.Memory({ initial: 2, maximum: 2 });
    new Uint8Array(wasm.buffer).fill(0xff);
    const memory = new BpfMemory({ memory: wasm, reserved: 70_000, maxBytes: 2 << 16 });
    const offset = memory.alloc(64);
    expect(offset).toBeGreaterThanOrEqual(70_000);
    expect(memory.u8[offset]).toBe(0);
    expect(memory.u8[69_999]).toBe(0xff);
  });
});
