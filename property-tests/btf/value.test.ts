import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Btf, type BtfType, type BtfValue, decodeValue, encodeValue } from '../../src/btf/index.js';
import { readBtf } from '../../test/btf/btf-fixture.js';

/** Values that a type can have, in the shapes `decodeValue` gives. */
function valuesOf(btf: Btf, typeId: number): fc.Arbitrary<BtfValue> {
  const type: BtfType = btf.resolve(typeId);
  switch (type.kind) {
    case 'int':
      return integers(type.size * 8, type.signed).map((value) =>
        type.bool ? value % 2n !== 0n : type.size <= 4 ? Number(value) : value,
      );
    case 'enum':
    case 'enum64':
      return fc.constantFrom(...type.values.map(({ name }) => name));
    case 'ptr':
      return integers(64, false);
    case 'float':
      return type.size === 4 ? fc.float({ noNaN: true }) : fc.double({ noNaN: true });
    case 'array':
      return fc.array(valuesOf(btf, type.elementType), { minLength: type.count, maxLength: type.count });
    case 'struct': {
      const named = type.members.filter(
        ({ name, bitSize }) => name !== '' && bitSize === 0 && btf.sizeOf(btf.resolve(type.id).id) > 0,
      );
      const sized = named.filter((member) => btf.sizeOf(member.type) > 0);
      return fc.record(Object.fromEntries(sized.map(({ name, type: id }) => [name, valuesOf(btf, id)])));
    }
    default:
      return fc.constant(null);
  }
}

function integers(bits: number, signed: boolean): fc.Arbitrary<bigint> {
  const size = BigInt(bits);
  return signed ? fc.bigInt(-(1n << (size - 1n)), (1n << (size - 1n)) - 1n) : fc.bigInt(0n, (1n << size) - 1n);
}

it.each(['target', 'target-big-endian'])('what is encoded with the types of %s is decoded to the same', (name) => {
  const btf = readBtf(name);
  const types = [
    'point',
    'handle',
    'handle_t',
    'vector_t',
    'shape',
    'colour',
    'huge',
    'huge_signed',
    'signed_enum',
    'double',
  ];
  const cases = fc.constantFrom(...types).chain((type) => {
    const id = btf.findByName(type)?.id ?? 0;
    return fc.tuple(
      fc.constant(id),
      valuesOf(btf, id),
      fc.uint8Array({ minLength: btf.sizeOf(id), maxLength: btf.sizeOf(id) }),
    );
  });
  fc.assert(
    fc.property(cases, ([id, value, bytes]) => {
      encodeValue(btf, id, value, bytes);
      const decoded = decodeValue(btf, id, bytes);
      if (value !== null && typeof value === 'object' && !Array.isArray(value)) expect(decoded).toMatchObject(value);
      else expect(decoded).toEqual(value);
    }),
  );
});
