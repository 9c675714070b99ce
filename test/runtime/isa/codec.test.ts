import { describe, expect, test } from 'vitest';
import { BpfError } from '../../../src/base/index.js';
import { decodeInsns, encodeInsns } from '../../../src/runtime/isa/codec.js';

const addR3R7 = { code: 0x0f, dst: 3, src: 7, off: -2, imm: 0x12345678 };

const decodeTorn = () => decodeInsns(new Uint8Array(19));

describe('instruction codec', () => {
  test('little endian: destination in the low nibble', () => {
    expect([...encodeInsns([addR3R7])]).toEqual([0x0f, 0x73, 0xfe, 0xff, 0x78, 0x56, 0x34, 0x12]);
  });

  test('big endian: destination in the high nibble', () => {
    expect([...encodeInsns([addR3R7], false)]).toEqual([0x0f, 0x37, 0xff, 0xfe, 0x12, 0x34, 0x56, 0x78]);
  });

  test.each([true, false])('decoding inverts encoding (little endian: %s)', (littleEndian) => {
    expect(decodeInsns(encodeInsns([addR3R7, addR3R7], littleEndian), littleEndian)).toEqual([addR3R7, addR3R7]);
  });

  test('decoding reads a view at any byte offset of its buffer', () => {
    const padded = new Uint8Array([0xaa, ...encodeInsns([addR3R7])]);
    expect(decodeInsns(padded.subarray(1))).toEqual([addR3R7]);
  });

  test('a torn instruction is refused with the offset where it starts', () => {
    expect(decodeTorn).toThrow(BpfError);
    expect(decodeTorn).toThrow(/19 bytes are not a whole number of instructions.*offset 16.*value 3/);
  });
});
