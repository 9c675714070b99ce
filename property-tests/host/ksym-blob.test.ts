import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { type KsymEntry, parseKsymBlob, writeKsymBlob } from '../../src/host/index.js';

const numRuns = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 300);

/** Names that share beginnings, in any script. */
const symbolName = fc
  .tuple(
    fc.constantFrom('', 'x', '__x64_sys_', 'core::ptr::drop_in_place<alloc::vec::Vec<', 'ähnlich_', '函数_名称_很长'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
  )
  .map(([start, end]) => (start + end).replaceAll(/[\ud800-\udfff]/gu, '?'));
const symbol: fc.Arbitrary<KsymEntry> = fc.record({
  name: symbolName,
  address: fc.bigInt(0n, (1n << 64n) - 1n),
  type: fc.constantFrom('T', 't'),
});
const blob = fc.array(symbol, { maxLength: 60 }).map((symbols) => ({ symbols, bytes: writeKsymBlob(symbols) }));

it('symbols of any names survive a ksym blob, in the order of their addresses', () => {
  fc.assert(
    fc.property(blob, ({ symbols, bytes }) => {
      const sorted = symbols.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
      expect([...parseKsymBlob(bytes)].map(({ name, address, type }) => ({ name, address, type }))).toEqual(sorted);
    }),
    { numRuns },
  );
});

it('a ksym blob with bytes changed, or any bytes, is read or refused with a BpfError', () => {
  const damaged = fc
    .tuple(blob, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat())
    .map(([{ bytes }, changes, cut]) => {
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes.subarray(0, bytes.length - (cut % 16));
    });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      try {
        parseKsymBlob(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(BpfError);
      }
    }),
    { numRuns },
  );
});
