import { BpfError, utf8Text } from '../base/index.js';
import type { Btf } from './btf.js';
import { readBits } from './bits.js';
import type { BtfArray, BtfComposite, BtfEnum, BtfInt, BtfMember, BtfType } from './types.js';

/**
 * A typed value as plain JavaScript: `number` for integers up to 32 bits, `bigint` for wider ones and for
 * pointers, `boolean`, the enumerator's name (or the number, where no enumerator has it), `string` for arrays of
 * `char`, arrays, and objects by member name. Members of anonymous structs and unions appear in their holder.
 */
export type BtfValue =
  | number
  | bigint
  | boolean
  | string
  | null
  | readonly BtfValue[]
  | { readonly [member: string]: BtfValue };

const MAX_DEPTH = 32;

/**
 * Decodes the value of type `typeId` at the start of `bytes`. Too few bytes, and types that have no values, are
 * EINVAL `BpfError`s. A flexible array at the end of a struct takes the bytes that are left.
 */
export function decodeValue(btf: Btf, typeId: number, bytes: Uint8Array): BtfValue {
  return decode(btf, typeId, bytes, 0);
}

function decode(btf: Btf, typeId: number, bytes: Uint8Array, depth: number): BtfValue {
  if (depth > MAX_DEPTH) throw notDecodable(btf.byId(typeId), 'it is nested too deeply');
  const type = btf.resolve(typeId);
  switch (type.kind) {
    case 'int':
      return decodeInt(btf, type, need(type, bytes, type.size));
    case 'enum':
    case 'enum64':
      return decodeEnum(btf, type, need(type, bytes, type.size));
    case 'ptr':
      return readBits(need(type, bytes, btf.pointerSize), 0, btf.pointerSize * 8, btf.littleEndian);
    case 'float':
      return decodeFloat(btf, type.size, need(type, bytes, type.size));
    case 'array':
      return decodeArray(btf, type, bytes, depth);
    case 'struct':
    case 'union':
    case 'datasec':
      return decodeRecord(btf, type, bytes, depth);
    case 'var':
      return decode(btf, type.type, bytes, depth + 1);
    case 'void':
    case 'fwd':
      return null;
    default:
      throw notDecodable(type, 'it has no values');
  }
}

function decodeInt(btf: Btf, type: BtfInt, bytes: Uint8Array): BtfValue {
  return toInteger(type, readBits(bytes, 0, type.size * 8, btf.littleEndian), type.size * 8);
}

function toInteger(type: BtfInt, raw: bigint, bits: number): BtfValue {
  if (type.bool) return raw !== 0n;
  const value = type.signed ? BigInt.asIntN(bits, raw) : raw;
  return type.size <= 4 ? Number(value) : value;
}

function decodeEnum(btf: Btf, type: BtfEnum, bytes: Uint8Array): BtfValue {
  return toEnumerator(type, readBits(bytes, 0, type.size * 8, btf.littleEndian), type.size * 8);
}

function toEnumerator(type: BtfEnum, raw: bigint, bits: number): BtfValue {
  const value = type.signed ? BigInt.asIntN(bits, raw) : raw;
  const enumerator = type.values.find((candidate) => candidate.value === value);
  return enumerator?.name ?? (type.size <= 4 ? Number(value) : value);
}

function decodeFloat(btf: Btf, size: number, bytes: Uint8Array): BtfValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 4) return view.getFloat32(0, btf.littleEndian);
  if (size === 8) return view.getFloat64(0, btf.littleEndian);
  throw new BpfError('EINVAL', 'cannot decode a float of such a size', {
    section: '.BTF',
    value: size,
    remedy: 'floats have 4 or 8 bytes; read its bytes instead',
  });
}

function decodeArray(btf: Btf, type: BtfArray, bytes: Uint8Array, depth: number): BtfValue {
  const size = btf.sizeOf(type.elementType);
  const count = type.count === 0 && size > 0 ? Math.floor(bytes.length / size) : type.count;
  need(type, bytes, count * size);
  const element = btf.resolve(type.elementType);
  if (isCharacter(element)) return decodeText(bytes.subarray(0, count));
  if (size === 0) return [];
  return Array.from({ length: count }, (_, i) =>
    decode(btf, type.elementType, bytes.subarray(i * size, (i + 1) * size), depth + 1),
  );
}

/** Whether arrays of this type are text: `char`, but neither `signed char` nor `unsigned char`. */
export function isCharacter(type: BtfType): boolean {
  return type.kind === 'int' && type.size === 1 && type.name === 'char';
}

function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return utf8Text(end < 0 ? bytes : bytes.subarray(0, end));
}

function decodeRecord(
  btf: Btf,
  type: BtfComposite | Extract<BtfType, { kind: 'datasec' }>,
  bytes: Uint8Array,
  depth: number,
): BtfValue {
  need(type, bytes, type.size);
  // Not an object from the start: a member may be called __proto__.
  const fields = new Map<string, BtfValue>();
  if (type.kind === 'datasec') {
    for (const variable of type.vars) {
      fields.set(btf.nameOf(variable.type), decode(btf, variable.type, bytes.subarray(variable.offset), depth + 1));
    }
    return Object.fromEntries(fields);
  }
  for (const member of type.members) {
    const value = decodeMember(btf, member, bytes, depth + 1);
    if (member.name !== '') fields.set(member.name, value);
    else if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      for (const [name, inner] of Object.entries(value)) fields.set(name, inner);
    }
  }
  return Object.fromEntries(fields);
}

/** Decodes one member of the struct or union that starts where `bytes` do. */
export function decodeMember(btf: Btf, member: BtfMember, bytes: Uint8Array, depth = 0): BtfValue {
  return member.bitSize > 0
    ? decodeBitfield(btf, member.type, bytes, member.bitOffset, member.bitSize)
    : decode(btf, member.type, bytes.subarray(member.bitOffset / 8), depth);
}

function decodeBitfield(btf: Btf, typeId: number, bytes: Uint8Array, bitOffset: number, bits: number): BtfValue {
  const type = btf.resolve(typeId);
  const raw = readBits(need(type, bytes, Math.ceil((bitOffset + bits) / 8)), bitOffset, bits, btf.littleEndian);
  if (type.kind === 'int') return toInteger(type, raw, bits);
  if (type.kind === 'enum' || type.kind === 'enum64') return toEnumerator(type, raw, bits);
  throw notDecodable(type, 'it cannot be a bit-field');
}

function need(type: BtfType, bytes: Uint8Array, size: number): Uint8Array {
  if (size <= bytes.length) return bytes.subarray(0, size);
  throw new BpfError('EINVAL', `value of ${type.kind} ${type.name} is cut short`, {
    section: '.BTF',
    value: bytes.length,
    remedy: `it takes ${size} bytes`,
  });
}

function notDecodable(type: BtfType, why: string): BpfError {
  return new BpfError('EINVAL', `cannot decode a value of ${type.kind} ${type.name}`, {
    section: '.BTF',
    value: type.id,
    remedy: why,
  });
}
