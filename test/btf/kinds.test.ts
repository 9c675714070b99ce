import { describe, expect, it } from 'vitest';
import { type BtfKind, parseBtf } from '../../src/btf/index.js';
import { btfKindNames, BtfKindNumber } from '../../src/btf/kinds.js';
import { blob, info } from './btf-fixture.js';

const strings = ['x', 'y'];
const X = 1;
const Y = 3;
const INT = 1;
const PTR = 2;
const FUNC_PROTO = 12;
const VAR = 14;
const header = (kind: BtfKind, count = 0, flag = 0): number => info(BtfKindNumber[kind], count, flag);

/** One record of every kind; its id is its position. */
const rows: readonly (readonly [kind: BtfKind, record: readonly number[], expected: object])[] = [
  ['int', [X, header('int'), 4, 0x0100_0020], { name: 'x', size: 4, bits: 32, signed: true }],
  ['ptr', [0, header('ptr'), INT], { type: INT }],
  ['array', [0, header('array'), 0, INT, INT, 5], { elementType: INT, indexType: INT, count: 5 }],
  ['struct', [X, header('struct', 1), 4, Y, INT, 0], { size: 4, members: [{ name: 'y', type: INT, bitOffset: 0 }] }],
  ['union', [X, header('union', 1), 4, Y, INT, 0], { size: 4, members: [{ name: 'y', type: INT, bitOffset: 0 }] }],
  ['enum', [X, header('enum', 1, 1), 4, Y, 0xffff_ffff], { signed: true, values: [{ name: 'y', value: -1n }] }],
  ['fwd', [X, header('fwd'), 0], { name: 'x', union: false }],
  ['typedef', [X, header('typedef'), INT], { name: 'x', type: INT }],
  ['volatile', [0, header('volatile'), INT], { type: INT }],
  ['const', [0, header('const'), INT], { type: INT }],
  ['restrict', [0, header('restrict'), PTR], { type: PTR }],
  ['func_proto', [0, header('func_proto', 1), INT, Y, PTR], { returnType: INT, params: [{ name: 'y', type: PTR }] }],
  ['func', [X, header('func', 1), FUNC_PROTO], { name: 'x', type: FUNC_PROTO, linkage: 'global' }],
  ['var', [X, header('var'), INT, 1], { name: 'x', type: INT, linkage: 'global' }],
  [
    'datasec',
    [Y, header('datasec', 1), 4, VAR, 0, 4],
    { name: 'y', size: 4, vars: [{ type: VAR, offset: 0, size: 4 }] },
  ],
  ['float', [X, header('float'), 8], { name: 'x', size: 8 }],
  ['decl_tag', [Y, header('decl_tag'), VAR, 0xffff_ffff], { name: 'y', type: VAR, componentIndex: -1 }],
  ['type_tag', [Y, header('type_tag'), INT], { name: 'y', type: INT }],
  ['enum64', [X, header('enum64', 1), 8, Y, 1, 2], { size: 8, signed: false, values: [{ value: 0x2_0000_0001n }] }],
];

describe.each([
  ['little-endian', (bytes: Uint8Array): Uint8Array => bytes],
  ['big-endian', bigEndian],
])('%s BTF', (order, convert) => {
  const btf = parseBtf(
    convert(
      blob(
        rows.map(([, record]) => record),
        strings,
      ),
    ),
  );

  it.each(rows.map(([kind, , expected], i) => ({ kind, id: i + 1, expected })))(
    'has $kind',
    ({ kind, id, expected }) => {
      expect(btf.littleEndian).toBe(order === 'little-endian');
      expect(btf.byId(id)).toMatchObject({ kind, ...expected });
    },
  );
});

it('the table has every kind', () => {
  expect(new Set(['void', ...rows.map(([kind]) => kind)])).toEqual(new Set(btfKindNames));
});

/** The same words in the other byte order; of the header's first word only the magic number is wider than a byte. */
function bigEndian(bytes: Uint8Array): Uint8Array {
  const swapped = bytes.slice();
  const [from, to] = [bytes, swapped].map(({ buffer }) => new DataView(buffer)) as [DataView, DataView];
  to.setUint16(0, from.getUint16(0, true));
  const typesEnd = 24 + from.getUint32(12, true);
  for (let at = 4; at < typesEnd; at += 4) to.setUint32(at, from.getUint32(at, true));
  return swapped;
}
