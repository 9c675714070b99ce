import { describe, expect, it } from 'vitest';
import { decodeSavedState, encodeSavedState } from '../../../src/host/v86/index.js';

const saved = { memoryBytes: 128 << 20, kallsyms: 'c1000000 T _text\n', state: Uint8Array.of(1, 2, 3) };
const bytes = encodeSavedState(saved);

describe('a saved state', () => {
  it('is read back as it was', () => {
    expect(decodeSavedState(bytes)).toEqual(saved);
  });

  it.each([
    ['nothing', new Uint8Array(), /offset 0 .*begins with "kscope-v86-1\\n"/],
    ["v86's own file", Uint8Array.of(0x76, 0x86, 0x76, 0x86), /offset 0 /],
    ['half a header', bytes.slice(0, 20), /offset 20 .*cut off/],
    ['a file that is cut off', bytes.slice(0, -1), /offset 17 .*17 \+ 3.*19 bytes follow/],
    ['a file that goes on', Uint8Array.of(...bytes, 0), /offset 17 /],
    ['a memory of 4 GiB', bytes.with(16, 0xff), /offset 13 .*no machine has so much memory/],
  ])('%s is refused with the offset', (_what, input, message) => {
    expect(() => decodeSavedState(input)).toThrow(message);
    expect(() => decodeSavedState(input)).toThrow(/EINVAL/);
  });
});
