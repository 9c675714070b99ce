import { describe, expect, it } from 'vitest';
import { ExceptionTable } from '../../../src/host/guest/index.js';
import { type HostMemory, type KernelSymbol, SymbolTable } from '../../../src/host/index.js';

const TEXT = 0xffff_8000_0801_0000n;
const DATA = TEXT + 0x1_0000n;
const INIT = DATA + 0x1_0000n;
const ENTRY = 12;
/** Before Linux 5.16, without type and data. */
const OLD_ENTRY = 8;

interface Entry {
  /** Offsets in the text, or of anything else. */
  readonly instruction: number;
  readonly fixup: number;
  readonly type?: number;
  readonly data?: number;
}

/** A table of `count` entries like a kernel's own, 40 bytes of text for each. */
function table(count: number, changed: Partial<Entry> = {}): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    instruction: 40 * i,
    fixup: 40 * i + 24,
    type: 2 + (i % 3),
    data: i & 0x3ff,
    ...changed,
  }));
}

/** Memory between the text and the init text that holds tables at offsets. */
function memoryWith(
  ...tables: readonly (readonly [at: number, entries: readonly Entry[], size?: number])[]
): HostMemory {
  const bytes = new Uint8Array(Number(INIT - DATA));
  const view = new DataView(bytes.buffer);
  for (const [start, entries, size = ENTRY] of tables) {
    entries.forEach(({ instruction, fixup, type = 0, data = 0 }, i) => {
      const at = start + size * i;
      view.setInt32(at, Number(TEXT - DATA) + instruction - at, true);
      view.setInt32(at + 4, Number(TEXT - DATA) + fixup - (at + 4), true);
      if (size === OLD_ENTRY) return;
      view.setUint16(at + 8, type, true);
      view.setUint16(at + 10, data, true);
    });
  }
  const readKernel = (lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean => {
    const at = Number(((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)) - DATA);
    if (at < 0 || at + length > bytes.length) return false;
    dst.set(bytes.subarray(at, at + length), offset);
    return true;
  };
  const none = (): boolean => false;
  return { readKernel, writeKernel: none, readUser: none, writeUser: none, isUser: none };
}

function symbols(more: Readonly<Record<string, bigint>> = {}): SymbolTable {
  const places = { _stext: TEXT, _etext: DATA, _sinittext: INIT, ...more };
  return new SymbolTable(
    Object.entries(places).map(([name, address]): KernelSymbol => ({
      name,
      address,
      size: 0n,
      type: 'T',
    })),
  );
}

function addresses(entries: readonly Entry[]): bigint[] {
  return entries.map(({ instruction }) => TEXT + BigInt(instruction));
}

describe('the exception table of a kernel', () => {
  it('is read where the kernel names its ends', () => {
    const entries = table(3);
    const memory = memoryWith([0x400, entries]);
    const ends = { __start___ex_table: DATA + 0x400n, __stop___ex_table: DATA + 0x400n + BigInt(3 * ENTRY) };
    const found = new ExceptionTable(memory, symbols(ends));
    expect([...found.addresses]).toEqual(addresses(entries));
    expect([found.has(TEXT + 40n), found.has(TEXT + 44n)]).toEqual([true, false]);
  });

  it('is found by its shape where it does not', () => {
    const entries = table(200);
    const found = new ExceptionTable(memoryWith([0x1234, entries]), symbols());
    expect([...found.addresses]).toEqual(addresses(entries));
  });

  it.each([
    ['alternatives, whose lengths stand where data would', { data: 0x404 }],
    ['alternatives, whose features stand where types would', { type: 37, data: 4 }],
    ['bugs, whose files are no text', { fixup: 0x1_8000 }],
    ['static calls and others out of order', { instruction: 400 }],
  ])('is not taken for %s', (what, changed) => {
    const decoy = table(800, changed);
    if (what.endsWith('order')) decoy.forEach((_, i) => (decoy[i] = { instruction: 4000 - i, fixup: 8 }));
    const entries = table(200);
    const found = new ExceptionTable(memoryWith([0x100, decoy], [0x8000, entries]), symbols());
    expect([...found.addresses]).toEqual(addresses(entries));
  });

  it.each([
    ['by name', { __start___ex_table: DATA + 0x400n, __stop___ex_table: DATA + 0x400n + BigInt(200 * OLD_ENTRY) }],
    ['by its shape', {}],
  ])('is found in the format of kernels before 5.16, %s', (_, ends) => {
    const entries = table(200);
    const found = new ExceptionTable(memoryWith([0x400, entries, OLD_ENTRY]), symbols(ends));
    expect([...found.addresses]).toEqual(addresses(entries));
  });

  it('is empty where there is none, or no symbol tells where to look', () => {
    expect(new ExceptionTable(memoryWith([0x100, table(20)]), symbols()).addresses.size).toBe(0);
    expect(new ExceptionTable(memoryWith([0x100, table(200)]), new SymbolTable([])).addresses.size).toBe(0);
  });
});
