import fc from 'fast-check';
import { describe, it } from 'vitest';
import { BpfError } from '../../../src/base/index.js';
import { decodeSavedState, encodeSavedState } from '../../../src/host/v86/index.js';

const numRuns = Number(process.env['KSCOPE_CASES'] ?? 500);

describe('saved states of v86', () => {
  it('any state with any symbols is read back', () => {
    const states = fc.record({
      memoryBytes: fc.integer({ min: 0, max: 1 << 30 }),
      kallsyms: fc.string({ unit: 'grapheme' }),
      state: fc.uint8Array({ maxLength: 200 }),
    });
    fc.assert(
      fc.property(states, (state) => {
        const read = decodeSavedState(encodeSavedState(state));
        return (
          read.kallsyms === state.kallsyms && read.memoryBytes === state.memoryBytes && equal(read.state, state.state)
        );
      }),
      { numRuns },
    );
  });

  it('any bytes are read or refused with EINVAL', () => {
    const valid = encodeSavedState({ memoryBytes: 1 << 27, kallsyms: 'c0 T a\n', state: new Uint8Array(9) });
    const mutations = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(mutations, fc.nat(valid.length + 3), (changes, length) => {
        const bytes = new Uint8Array(length);
        bytes.set(valid.subarray(0, length));
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        try {
          decodeSavedState(bytes);
          return true;
        } catch (error) {
          return error instanceof BpfError && error.code === 'EINVAL' && error.detail.offset !== undefined;
        }
      }),
      { numRuns },
    );
  });
});

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
