import { describe, expect, it } from 'vitest';
import { PatchSites } from '../../../src/host/guest/index.js';
import { type HostMemory, type KernelSymbol, SymbolTable } from '../../../src/host/index.js';

const TEXT = 0xffff_8000_0801_0000n;
const DATA = TEXT + 0x1_0000n;
const INIT = DATA + 0x1_0000n;
const CALL = 8;

interface Jump {
  /** Offsets in the text, and in the data behind it. */
  readonly code: number;
  readonly target: number;
  readonly key: number;
}

const jumpSize = (pointerSize: 4 | 8): number => 8 + pointerSize;

/** As many jumps as a kernel has, each in a function of its own. */
function jumps(count: number): Jump[] {
  return Array.from({ length: count }, (_, i) => ({
    code: 48 * i + 4,
    target: 48 * i + 32,
    key: 0x9000 + 16 * (i >> 2),
  }));
}

/** Text, and the memory between it and the init text. */
class Data implements HostMemory {
  readonly #text = new Uint8Array(Number(DATA - TEXT));
  readonly #bytes = new Uint8Array(Number(INIT - DATA));
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #pointerSize: 4 | 8;

  constructor(pointerSize: 4 | 8 = 8) {
    this.#pointerSize = pointerSize;
  }

  /** Instructions begin with that byte. */
  text(codes: readonly number[], byte: number): this {
    for (const code of codes) this.#text[code] = byte;
    return this;
  }

  jumps(start: number, entries: readonly Jump[]): this {
    for (const [i, { code, target, key }] of entries.entries()) {
      const at = start + jumpSize(this.#pointerSize) * i;
      this.#distance(at, Number(TEXT - DATA) + code);
      this.#distance(at + 4, Number(TEXT - DATA) + target);
      // The lowest bit says which way the jump is likely.
      const distance = (key - (at + 8)) | (i & 1);
      if (this.#pointerSize === 4) this.#view.setInt32(at + 8, distance, true);
      else this.#view.setBigInt64(at + 8, BigInt(distance), true);
    }
    return this;
  }

  calls(start: number, codes: readonly number[]): this {
    for (const [i, code] of codes.entries()) {
      this.#distance(start + CALL * i, Number(TEXT - DATA) + code);
      this.#distance(start + CALL * i + 4, 0x9000);
    }
    return this;
  }

  readKernel(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean {
    const at = Number(((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)) - DATA);
    const [bytes, start] = at < 0 ? [this.#text, at + this.#text.length] : [this.#bytes, at];
    if (start < 0 || start + length > bytes.length) return false;
    dst.set(bytes.subarray(start, start + length), offset);
    return true;
  }

  writeKernel = (): boolean => false;
  readUser = (): boolean => false;
  writeUser = (): boolean => false;
  isUser = (): boolean => false;

  #distance(at: number, to: number): void {
    this.#view.setInt32(at, to - at, true);
  }
}

function symbols(ends: Readonly<Record<string, number>> = {}): SymbolTable {
  const places = { _stext: TEXT, _etext: DATA, _sinittext: INIT };
  const named = Object.entries(ends).map(([name, offset]): [string, bigint] => [name, DATA + BigInt(offset)]);
  return new SymbolTable(
    [...Object.entries(places), ...named].map(([name, address]): KernelSymbol => ({
      name,
      address,
      size: 0n,
      type: 'D',
    })),
  );
}

const addresses = (codes: readonly number[]): bigint[] => codes.map((code) => TEXT + BigInt(code));
const codesOf = (entries: readonly Jump[]): number[] => entries.map(({ code }) => code);

describe('what a kernel patches itself', () => {
  it('is read where the kernel names the ends of its tables, jumps of static keys before static calls', () => {
    const memory = new Data().jumps(0x400, jumps(3)).calls(0x800, [20, 40]);
    const { sites } = new PatchSites(
      memory,
      symbols({
        __start___jump_table: 0x400,
        __stop___jump_table: 0x400 + 3 * jumpSize(8),
        __start_static_call_sites: 0x800,
        __stop_static_call_sites: 0x800 + 2 * CALL,
      }),
      8,
    );
    expect([...sites.keys()]).toEqual(addresses([...codesOf(jumps(3)), 20, 40]));
    expect(sites.get(TEXT + 4n)).toMatch(/jump of a static key/);
    expect(sites.get(TEXT + 40n)).toMatch(/static call/);
  });

  it('is found by its shape where it does not', () => {
    const { sites } = new PatchSites(new Data().jumps(0x1238, jumps(200)), symbols(), 8);
    expect([...sites.keys()]).toEqual(addresses(codesOf(jumps(200))));
  });

  it('is told on i386 from what has entries of that size by the instructions that are there', () => {
    const moves = jumps(800).map(({ code, ...rest }) => ({ ...rest, code: code + 8 }));
    const memory = new Data(4)
      .text(codesOf(jumps(200)), 0xe9)
      .text(codesOf(jumps(100)), 0x3e)
      .text(codesOf(moves), 0x8b)
      .jumps(0x100, moves)
      .jumps(0x8004, jumps(200));
    const { sites } = new PatchSites(memory, symbols(), 4);
    expect([...sites.keys()]).toEqual(addresses(codesOf(jumps(200))));
  });

  it.each<[what: string, changed: (entry: Jump, i: number) => Jump]>([
    ['what leads out of the text', (entry) => ({ ...entry, target: 0x1_4000 })],
    ['what has no key in the data', (entry) => ({ ...entry, key: -0x8000 })],
    ['what is interrupted', (entry, i) => (i % 60 === 0 ? { ...entry, code: 0x1_2000 } : entry)],
  ])('is not %s', (_, changed) => {
    const memory = new Data().jumps(0x100, jumps(800).map(changed)).jumps(0x8000, jumps(200));
    const { sites } = new PatchSites(memory, symbols(), 8);
    expect([...sites.keys()]).toEqual(addresses(codesOf(jumps(200))));
  });

  it('is nothing where there is no table, or no symbol tells where to look', () => {
    expect(new PatchSites(new Data().jumps(0x100, jumps(20)), symbols(), 8).sites.size).toBe(0);
    expect(new PatchSites(new Data().jumps(0x100, jumps(200)), new SymbolTable([]), 8).sites.size).toBe(0);
  });
});
