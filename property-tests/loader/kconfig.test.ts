import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { parseKconfig } from '../../src/loader/kconfig-text.js';

/** Number of runs of each property; KSCOPE_CASES raises it. */
const numRuns = Number(process.env['KSCOPE_CASES'] ?? 500);

const names = fc.constantFrom('CONFIG_A', 'CONFIG_B', 'CONFIG_LONG_NAME');
const values = fc.oneof(
  fc.constantFrom('y', 'n', 'm', '""', '"', '0x', '-', '=', ' 1', '08'),
  fc.bigInt({ min: -(1n << 64n), max: 1n << 65n }).map(String),
  fc.string().map((text) => `"${text}"`),
  fc.string({ unit: 'binary' }),
);
const lines = fc.oneof(
  fc.tuple(names, values).map(([name, value]) => `${name}=${value}`),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('# CONFIG_A is not set', 'CONFIG_', 'CONFIG_=', '\r', '\0'),
);

it('kernel configuration of any text is read, or refused with a place in it', () => {
  const texts = fc.array(lines).map((parts) => parts.join('\n'));
  fc.assert(
    fc.property(texts, (text) => {
      try {
        for (const { kind, value } of parseKconfig(text, () => true).values())
          expect(typeof value).toBe(kind === 'number' ? 'bigint' : 'string');
      } catch (error) {
        if (!(error instanceof BpfError)) throw error;
        const { offset = -1, section, value, remedy } = error.detail;
        expect(offset >= 0 && offset < text.length).toBe(true);
        expect([section, value === undefined, remedy === undefined]).toEqual(['kconfig', false, false]);
      }
    }),
    { numRuns },
  );
});
