import { describe, expect, it } from 'vitest';
import { V86Ram } from '../../../src/host/v86/v86-ram.js';
import { fakeCpu } from './fake-cpu.js';

const MIB = 1 << 20;

describe('physical memory of v86', () => {
  it('is what it is told to hold, but for the window of the VGA adapter', () => {
    expect(new V86Ram(fakeCpu(2 * MIB)).ranges).toEqual([
      { start: 0, size: 0xa_0000 },
      { start: 0xc_0000, size: 2 * MIB - 0xc_0000 },
    ]);
  });

  it.each([
    [0, 4, true],
    [0x9_fffc, 4, true],
    [0x9_fffd, 4, false],
    [0xa_0000, 1, false],
    [0xb_ffff, 2, false],
    [0xc_0000, 1, true],
    [2 * MIB - 4, 4, true],
    [2 * MIB - 3, 4, false],
    [-1, 1, false],
  ])('at %i, %i bytes: %s', (address, length, there) => {
    const ram = new V86Ram(fakeCpu(2 * MIB));
    const bytes = new Uint8Array(4).fill(7);
    expect(ram.write(address, bytes, 0, length)).toBe(there);
    const found = new Uint8Array(4).fill(1);
    expect(ram.read(address, found, 0, length)).toBe(there);
    expect([...found]).toEqual([...found].map((_, i) => (there && i < length ? 7 : 1)));
  });

  it('is the same memory after v86 has let its own grow', () => {
    const cpu = fakeCpu();
    const ram = new V86Ram(cpu);
    ram.write(0x1000, Uint8Array.of(1, 2, 3, 4), 0, 4);
    ram.registers[0] = 5;
    cpu.wasm_memory.grow(1);
    expect(ram.word(0x1000)).toBe(0x0403_0201);
    expect(ram.registers[0]).toBe(5);
    expect(ram.words[0x400]).toBe(0x0403_0201);
  });

  it('has the compiler forget what was compiled of the bytes that are written', () => {
    const cpu = fakeCpu();
    const dirty: number[][] = [];
    cpu.jit_dirty_cache = (start, end) => void dirty.push([start, end]);
    new V86Ram(cpu).write(0x2000, new Uint8Array(3), 0, 3);
    expect(dirty).toEqual([[0x2000, 0x2003]]);
  });
});
