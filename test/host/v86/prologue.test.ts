import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/base/index.js';
import { movablePrologue } from '../../../src/host/v86/prologue.js';

const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

describe('the instructions under the jump', () => {
  it.each([
    ["Debian's exc_int3", '5589e5565389c383ec10', '5589e55653'],
    ['a last one that is longer', '5589e583ec1089c3', '5589e583ec10'],
    ['one alone', 'b878563412c3', 'b878563412'],
  ])('are whole ones: %s', (_which, text, prologue) => {
    expect(toHex(movablePrologue(bytes(text), 5, 'exc_int3'))).toBe(prologue);
  });

  it.each([
    ['a call', '55e80000000089c3', 1, '0xe8'],
    ['a jump', '5589e5eb10909090', 3, '0xeb'],
    ['a branch', '85c0750155535690', 2, '0x75'],
    ['a return', '55c3909090909090', 1, '0xc3'],
    ['a breakpoint', 'cc90909090909090', 0, '0xcc'],
    ['a cut off one', '5589e5b8', 3, '0xb8'],
  ])('are none that cannot be moved: %s', (_which, text, offset, value) => {
    const make = (): Uint8Array => movablePrologue(bytes(text), 5, 'exc_int3');
    expect(make).toThrow(`offset ${offset} (0x${offset.toString(16)}), value ${value}]: EOPNOTSUPP`);
  });
});
