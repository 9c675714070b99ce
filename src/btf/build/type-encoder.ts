import { type BtfKind, BtfKindNumber } from '../kinds.js';
import type { BtfEnum, BtfInt, BtfLinkage, BtfMember, BtfType } from '../types.js';

const MAX_ELEMENTS = 0xffff;
const MAX_BITFIELD_OFFSET = 0xff_ffff;

type OmitId<T> = T extends { readonly name: string } ? Omit<T, 'id' | 'name'> & { readonly name?: string } : never;

/** A type to be added: what `Btf.byId` gives, without its id. The name may be left out where it is empty. */
export type NewBtfType = Exclude<OmitId<BtfType>, { readonly kind: 'void' }>;

const linkageNumber: Readonly<Record<BtfLinkage, number>> = { static: 0, global: 1, extern: 2 };

/**
 * The record of a type (struct btf_type and what follows it); `nameAt` gives the place of a string. What the record
 * cannot hold is a `RangeError`.
 */
export function encodeType(type: NewBtfType, nameAt: (text: string) => number): number[] {
  const name = nameAt(type.name ?? '');
  const record = (sizeOrType: number, count = 0, flag = false): number[] => [
    name,
    infoWord(type.kind, count, flag),
    sizeOrType >>> 0,
  ];
  switch (type.kind) {
    case 'int':
      return [...record(type.size), intWord(type)];
    case 'float':
      return record(type.size);
    case 'ptr':
    case 'typedef':
    case 'volatile':
    case 'const':
    case 'restrict':
      return record(type.type);
    case 'type_tag':
      return record(type.type, 0, type.attribute === true);
    case 'array':
      return [...record(0), type.elementType, type.indexType, type.count];
    case 'struct':
    case 'union': {
      const bitfields = type.members.some(({ bitSize }) => bitSize > 0);
      const members = type.members.flatMap((member) => [
        nameAt(member.name),
        member.type,
        offsetWord(member, bitfields),
      ]);
      return [...record(type.size, type.members.length, bitfields), ...members];
    }
    case 'enum':
    case 'enum64':
      return [...record(type.size, type.values.length, type.signed), ...enumerators(type, nameAt)];
    case 'fwd':
      return record(0, 0, type.union);
    case 'func':
      return record(type.type, linkageNumber[type.linkage]);
    case 'func_proto':
      return [
        ...record(type.returnType, type.params.length),
        ...type.params.flatMap((param) => [nameAt(param.name), param.type]),
      ];
    case 'var':
      return [...record(type.type), linkageNumber[type.linkage]];
    case 'datasec':
      return [
        ...record(type.size, type.vars.length),
        ...type.vars.flatMap(({ type: id, offset, size }) => [id, offset, size]),
      ];
    default:
      return [...record(type.type, 0, type.attribute === true), type.componentIndex >>> 0];
  }
}

function infoWord(kind: BtfKind, count: number, flag: boolean): number {
  if (count > MAX_ELEMENTS) throw new RangeError(`a BTF ${kind} has at most ${MAX_ELEMENTS} elements, not ${count}`);
  return ((flag ? 0x8000_0000 : 0) | (BtfKindNumber[kind] << 24) | count) >>> 0;
}

function intWord({
  bits,
  bitOffset,
  signed,
  char,
  bool,
}: Pick<BtfInt, 'bits' | 'bitOffset' | 'signed' | 'char' | 'bool'>): number {
  if (bits > 0xff || bitOffset > 0xff) throw new RangeError(`a BTF integer has at most 255 bits, not ${bits}`);
  return ((signed ? 1 : 0) << 24) | ((char ? 1 : 0) << 25) | ((bool ? 1 : 0) << 26) | (bitOffset << 16) | bits;
}

/** Where any member is a bit-field, the upper byte of every offset is a width. */
function offsetWord({ name, bitOffset, bitSize }: BtfMember, bitfields: boolean): number {
  if (!bitfields) return bitOffset;
  if (bitOffset > MAX_BITFIELD_OFFSET || bitSize > 0xff) {
    throw new RangeError(`member ${name} at bit ${bitOffset} lies too far in for a struct with bit-fields`);
  }
  return ((bitSize << 24) | bitOffset) >>> 0;
}

function enumerators({ kind, values }: Pick<BtfEnum, 'kind' | 'values'>, nameAt: (text: string) => number): number[] {
  return values.flatMap(({ name, value }) => {
    const low = Number(BigInt.asUintN(32, value));
    return kind === 'enum' ? [nameAt(name), low] : [nameAt(name), low, Number(BigInt.asUintN(32, value >> 32n))];
  });
}
