import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfError } from '../../../src/base/index.js';
import { findKallsyms, kallsymsTable } from '../../../src/host/guest/index.js';
import { buildKallsyms, type BuiltSymbol, type KallsymsShape } from '../../../test/support/kallsyms-builder.js';

const RUNS = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 40);

const name = fc
  .array(fc.constantFrom('_', 'a', 'sys_', 'vfs', 'ro', 'in', '.cold', '7', 'Z', '__x64_'), {
    minLength: 1,
    maxLength: 20,
  })
  .map((parts) => parts.join(''));

interface Kernel {
  readonly symbols: readonly BuiltSymbol[];
  readonly shape: KallsymsShape;
  readonly before: number;
  readonly bytes: Uint8Array;
}

const kernel: fc.Arbitrary<Kernel> = fc
  .record({
    names: fc.array(fc.tuple(name, fc.constantFrom('T', 't', 'D', 'b', 'A'), fc.nat({ max: 5000 })), {
      minLength: 1000,
      maxLength: 1600,
    }),
    long: fc.boolean(),
    order: fc.constantFrom('old' as const, 'middle' as const, 'new' as const),
    wide: fc.boolean(),
    absolutePercpu: fc.boolean(),
    before: fc.integer({ min: 2, max: 600 }),
    noise: fc.uint8Array({ minLength: 64, maxLength: 64 }),
  })
  .map(({ names, long, order, wide, absolutePercpu, before, noise }) => {
    const base = wide ? 0xffff_ffff_8100_0000n : 0xc100_0000n;
    const shape = { order, pointerSize: wide ? 8 : 4, absolutePercpu, base } as const;
    let address = absolutePercpu ? 0n : base;
    const symbols = names.map(([text, type, step], i) => {
      if (absolutePercpu && i === 20) address = base;
      const symbol = { name: long && i === 5 ? text.padEnd(300, 'q') : text, type, address };
      address += BigInt(step) + (i === 19 ? 0n : 1n);
      return symbol;
    });
    const tables = buildKallsyms(symbols, shape);
    const bytes = new Uint8Array(8 * before + tables.length + 4096);
    for (let at = 0; at < 8 * before; at++) bytes[at] = noise[at % noise.length];
    bytes.set(tables, 8 * before);
    return { symbols, shape, before, bytes };
  });

describe('kallsyms in memory', () => {
  it('are found in either order, with absolute symbols or without, in 32 and 64 bits', () => {
    fc.assert(
      fc.property(kernel, ({ symbols, shape, bytes }) => {
        const found = findKallsyms(bytes, shape.pointerSize);
        expect(found.base).toBe(shape.base);
        expect(found.symbols).toEqual(symbols);
      }),
      { numRuns: RUNS },
    );
  });

  it('move by the slide of a running kernel, absolute ones excepted', () => {
    fc.assert(
      fc.property(kernel, fc.bigInt({ min: 0n, max: 512n }), ({ symbols, shape, bytes }, steps) => {
        const slide = steps << 21n;
        const table = kallsymsTable(findKallsyms(bytes, shape.pointerSize), slide);
        const moved = [...table].map(({ name: text, address }) => `${text} ${address}`);
        const wanted = symbols.map(
          ({ name: text, address }) => `${text} ${address < shape.base ? address : address + slide}`,
        );
        expect(moved.toSorted()).toEqual(wanted.toSorted());
      }),
      { numRuns: Math.ceil(RUNS / 4) },
    );
  });

  it('that are damaged are found anyway, or told to be missing', () => {
    fc.assert(
      fc.property(
        kernel,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        ({ bytes, shape }, damage, cut) => {
          const damaged = bytes.slice(0, bytes.length - (cut % 3 === 0 ? cut % bytes.length : 0));
          for (const [at, value] of damage) damaged[at % damaged.length] = value;
          try {
            expect(findKallsyms(damaged, shape.pointerSize).symbols.length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(BpfError);
            expect((error as BpfError).code).toBe('ENOENT');
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});
