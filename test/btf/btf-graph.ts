import fc from 'fast-check';
import { type Btf, BtfBuilder, type BtfKind, type NewBtfType } from '../../src/btf/index.js';

const NAMES = ['', 'a', 'b', 'list_head', 'task', 'next', 'naïve', 'x___old'];
const name = fc.constantFrom(...NAMES);
const flag = fc.boolean();
const few = { maxLength: 4 };

/** A type whose references are ids below `typeCount`, not always of kinds that a compiler would refer to. */
function typeOf(kind: BtfKind, id: fc.Arbitrary<number>): fc.Arbitrary<NewBtfType> {
  switch (kind) {
    case 'int':
      return fc
        .record({ name, size: fc.constantFrom(1, 2, 4, 8, 16), signed: flag, char: flag, bool: flag })
        .map((each) => ({ kind, bits: each.size * 8, bitOffset: 0, ...each }));
    case 'float':
      return fc.record({ kind: fc.constant(kind), name, size: fc.constantFrom(4, 8, 16) });
    case 'ptr':
    case 'volatile':
    case 'const':
    case 'restrict':
      return id.map((type) => ({ kind, type }));
    case 'typedef':
      return fc.record({ kind: fc.constant(kind), name, type: id });
    case 'type_tag':
      return fc
        .record({ name, type: id, attribute: flag })
        .map(({ attribute, ...rest }) => ({ kind, ...rest, ...(attribute ? { attribute: true } : {}) }));
    case 'array':
      return fc.record({ kind: fc.constant(kind), elementType: id, indexType: id, count: fc.nat(5) });
    case 'struct':
    case 'union': {
      const member = fc.record({ name, type: id, bitOffset: fc.nat(128), bitSize: fc.constantFrom(0, 0, 3, 31) });
      return fc.record({ kind: fc.constant(kind), name, size: fc.nat(64), members: fc.array(member, few) });
    }
    case 'enum':
    case 'enum64': {
      const bits = kind === 'enum' ? 32n : 64n;
      return flag.chain((signed) => {
        const [min, max] = signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
        const values = fc.array(fc.record({ name, value: fc.bigInt(min, max) }), few);
        return fc.record({
          kind: fc.constant(kind),
          name,
          size: fc.constantFrom(1, 4, 8),
          signed: fc.constant(signed),
          values,
        });
      });
    }
    case 'fwd':
      return fc.record({ kind: fc.constant(kind), name, union: flag });
    case 'func':
    case 'var':
      return fc.record({
        kind: fc.constant(kind),
        name,
        type: id,
        linkage: fc.constantFrom('static', 'global', 'extern'),
      });
    case 'func_proto':
      return fc.record({
        kind: fc.constant(kind),
        returnType: id,
        params: fc.array(fc.record({ name, type: id }), few),
      });
    case 'datasec': {
      const vars = fc.array(fc.record({ type: id, offset: fc.nat(64), size: fc.nat(64) }), few);
      return fc.record({ kind: fc.constant(kind), name, size: fc.nat(64), vars });
    }
    case 'decl_tag':
      return fc.record({ kind: fc.constant(kind), name, type: id, componentIndex: fc.integer({ min: -1, max: 3 }) });
    default:
      throw new Error('void has no record');
  }
}

const KINDS = [
  'int',
  'float',
  'ptr',
  'array',
  'struct',
  'union',
  'enum',
  'enum64',
  'fwd',
  'typedef',
  'volatile',
  'const',
  'restrict',
  'type_tag',
  'func',
  'func_proto',
  'var',
  'datasec',
  'decl_tag',
] as const;

/** Lists of types that refer to each other in any direction, cycles and nonsense included. `firstId` is that of the first one. */
export function typeGraphs(firstId = 1, kinds: readonly BtfKind[] = KINDS, maxTypes = 24): fc.Arbitrary<NewBtfType[]> {
  return fc.integer({ min: 1, max: maxTypes }).chain((count) =>
    fc.array(
      fc.constantFrom(...kinds).chain((kind) => typeOf(kind, fc.nat(firstId + count - 1))),
      { minLength: count, maxLength: count },
    ),
  );
}

/** The types as BTF. */
export function buildBtf(types: readonly NewBtfType[], options?: ConstructorParameters<typeof BtfBuilder>[0]): Btf {
  const builder = new BtfBuilder(options);
  for (const type of types) builder.add(type);
  return builder.build();
}

const LEAVES: readonly BtfKind[] = ['int', 'float', 'enum', 'enum64', 'fwd', 'struct', 'union'];
const REFERENCES: readonly BtfKind[] = ['ptr', 'typedef', 'volatile', 'const', 'restrict', 'type_tag', 'array'];

/**
 * Lists of types as compilers make them: references in cycles only by way of structs and unions, functions that refer to
 * prototypes, values of types that have values.
 */
export function plausibleGraphs(maxTypes = 24): fc.Arbitrary<NewBtfType[]> {
  const kinds = fc.array(
    fc.constantFrom<BtfKind>(...LEAVES, ...LEAVES, ...REFERENCES, 'ptr', 'func_proto', 'func', 'decl_tag'),
    { maxLength: maxTypes - 1 },
  );
  return kinds.chain((rest) => fc.tuple(...['int' as const, ...rest].map(plausibleType)));
}

/** `kinds` begins with an integer, so that there always is something to refer to. */
function plausibleType(kind: BtfKind, index: number, kinds: readonly BtfKind[]): fc.Arbitrary<NewBtfType> {
  const ids = (isGood: (kind: BtfKind, at: number) => boolean): number[] =>
    kinds.flatMap((each, at) => (isGood(each, at) ? [at + 1] : []));
  const isLeaf = (each: BtfKind): boolean => LEAVES.includes(each);
  const isValue = (each: BtfKind, at: number): boolean =>
    isLeaf(each) || (REFERENCES.includes(each) && (at < index || isLeaf(kind)));
  switch (kind) {
    case 'func': {
      const prototypes = ids((each) => each === 'func_proto');
      return prototypes.length === 0 ? typeOf('int', fc.constant(0)) : typeOf(kind, fc.constantFrom(...prototypes));
    }
    case 'decl_tag':
      return typeOf(kind, fc.constantFrom(...ids(isLeaf)));
    case 'ptr':
      return typeOf(
        kind,
        fc.constantFrom(0, ...ids((each, at) => isValue(each, at) || (each === 'func_proto' && at < index))),
      );
    default:
      return typeOf(kind, fc.constantFrom(...ids(isValue)));
  }
}
