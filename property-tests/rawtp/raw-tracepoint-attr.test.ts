import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { parseRawTracepointAttr, readTracepointName } from '../../src/rawtp/index.js';

const KERNEL_SIZE = 168;
const COMMAND_SIZE = 24;

/** What bpf(2) makes of these bytes: an errno name, or null. */
function verdict(attr: Uint8Array): string | null {
  if (attr.length > 4096 || attr.subarray(KERNEL_SIZE).some((byte) => byte !== 0)) return 'E2BIG';
  return attr.subarray(COMMAND_SIZE).some((byte) => byte !== 0) ? 'EINVAL' : null;
}

/** Mostly zeros, so that all verdicts occur. */
const attr = fc
  .tuple(
    fc.integer({ min: 0, max: 4200 }),
    fc.array(fc.tuple(fc.nat({ max: 220 }), fc.integer({ min: 1, max: 255 })), { maxLength: 6 }),
  )
  .map(([size, bytes]) => {
    const made = new Uint8Array(size);
    for (const [at, byte] of bytes) if (at < size) made[at] = byte;
    return made;
  });

it('attributes of any size and content are read or refused as bpf(2) does, never otherwise', () => {
  fc.assert(
    fc.property(attr, (bytes) => {
      let code: string | null = null;
      try {
        const { name, progFd, cookie } = parseRawTracepointAttr(bytes);
        const known = new Uint8Array(COMMAND_SIZE);
        known.set(bytes.subarray(0, COMMAND_SIZE));
        const view = new DataView(known.buffer);
        expect([name, progFd, cookie]).toEqual([
          view.getBigUint64(0, true),
          view.getInt32(8, true),
          view.getBigUint64(16, true),
        ]);
      } catch (error) {
        if (!(error instanceof BpfError)) throw error;
        ({ code } = error);
      }
      expect(code).toBe(verdict(bytes));
    }),
    { numRuns: 2000 },
  );
});

it('a name is what stands before the first NUL of its first 127 bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const cut = bytes.subarray(0, 127);
      const end = cut.indexOf(0);
      const expected = new TextDecoder().decode(end < 0 ? cut : cut.subarray(0, end));
      expect(readTracepointName(1n, () => bytes)).toBe(expected);
    }),
  );
});
