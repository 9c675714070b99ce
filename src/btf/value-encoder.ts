import { BpfError } from '../base/index.js';
import { writeBits } from './bits.js';
import type { Btf } from './btf.js';
import type { BtfArray, BtfComposite, BtfEnum, BtfInt, BtfMember, BtfType } from './types.js';
import { type BtfValue, isCharacter } from './value-decoder.js';

const MAX_DEPTH = 32;
const utf8 = new TextEncoder();

/**
 * Writes `value`, in the shapes `decodeValue` gives, over the start of `bytes`. Members and elements that `value` leaves out
 * keep their bytes; text is padded with NULs. A value that does not fit the type is a `TypeError` or `RangeError`
 * (the caller's mistake); a type that has no values is an EINVAL `BpfError`.
 */
export function encodeValue(btf: Btf, typeId: number, value: BtfValue, bytes: Uint8Array): void {
  encode(btf, typeId, value, bytes, 0);
}

function encode(btf: Btf, typeId: number, value: BtfValue, bytes: Uint8Array, depth: number): void {
  if (depth > MAX_DEPTH) throw notEncodable(btf.byId(typeId), 'it is nested too deeply');
  const type = btf.resolve(typeId);
  switch (type.kind) {
    case 'int':
      writeBits(
        room(type, bytes, type.size),
        0,
        type.size * 8,
        btf.littleEndian,
        integerOf(type, value, type.size * 8),
      );
      return;
    case 'enum':
    case 'enum64':
      writeBits(
        room(type, bytes, type.size),
        0,
        type.size * 8,
        btf.littleEndian,
        enumeratorOf(type, value, type.size * 8),
      );
      return;
    case 'ptr':
      writeBits(
        room(type, bytes, btf.pointerSize),
        0,
        btf.pointerSize * 8,
        btf.littleEndian,
        inRange(toBigInt(value, type), btf.pointerSize * 8, false, type),
      );
      return;
    case 'float':
      encodeFloat(btf, type, value, room(type, bytes, type.size));
      return;
    case 'array':
      encodeArray(btf, type, value, bytes, depth);
      return;
    case 'struct':
    case 'union':
      encodeRecord(btf, type, value, bytes, depth);
      return;
    case 'var':
      encode(btf, type.type, value, bytes, depth + 1);
      return;
    default:
      throw notEncodable(type, 'it has no values');
  }
}

function integerOf(type: BtfInt, value: BtfValue, bits: number): bigint {
  if (type.bool && typeof value === 'boolean') return value ? 1n : 0n;
  return inRange(toBigInt(value, type), bits, type.signed, type);
}

function enumeratorOf(type: BtfEnum, value: BtfValue, bits: number): bigint {
  if (typeof value !== 'string') return inRange(toBigInt(value, type), bits, type.signed, type);
  const enumerator = type.values.find((candidate) => candidate.name === value);
  if (enumerator === undefined) throw new RangeError(`enum ${type.name} has no enumerator ${value}`);
  return BigInt.asUintN(bits, enumerator.value);
}

function toBigInt(value: BtfValue, type: BtfType): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw new TypeError(`${nameOf(type)} takes an integer, not ${typeof value}`);
}

/** As C writes it. */
function nameOf({ kind, name }: BtfType): string {
  return kind === 'int' ? name : `${kind} ${name}`;
}

/** The value's bits; a value outside the type's range is the caller's mistake. */
function inRange(value: bigint, bits: number, signed: boolean, type: BtfType): bigint {
  const width = BigInt(bits);
  const low = signed ? -(1n << (width - 1n)) : 0n;
  const high = signed ? (1n << (width - 1n)) - 1n : (1n << width) - 1n;
  if (value < low || value > high) throw new RangeError(`${value} does not fit ${nameOf(type)} (${low} to ${high})`);
  return BigInt.asUintN(bits, value);
}

function encodeFloat(btf: Btf, type: Extract<BtfType, { kind: 'float' }>, value: BtfValue, bytes: Uint8Array): void {
  if (typeof value !== 'number') throw new TypeError(`float ${type.name} takes a number, not ${typeof value}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type.size === 4) view.setFloat32(0, value, btf.littleEndian);
  else if (type.size === 8) view.setFloat64(0, value, btf.littleEndian);
  else throw notEncodable(type, 'write its bytes instead');
}

function encodeArray(btf: Btf, type: BtfArray, value: BtfValue, bytes: Uint8Array, depth: number): void {
  const size = btf.sizeOf(type.elementType);
  const target = room(type, bytes, size * type.count);
  if (typeof value === 'string' && isCharacter(btf.resolve(type.elementType))) {
    const text = utf8.encode(value);
    if (text.length > target.length)
      throw new RangeError(`text of ${text.length} bytes does not fit char[${type.count}]`);
    target.fill(0);
    target.set(text);
    return;
  }
  if (!Array.isArray(value)) throw new TypeError(`array takes an array, not ${typeof value}`);
  if (value.length > type.count) throw new RangeError(`${value.length} elements do not fit an array of ${type.count}`);
  value.forEach((element: BtfValue, i) =>
    encode(btf, type.elementType, element, target.subarray(i * size, (i + 1) * size), depth + 1),
  );
}

function encodeRecord(btf: Btf, type: BtfComposite, value: BtfValue, bytes: Uint8Array, depth: number): void {
  const target = room(type, bytes, type.size);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new TypeError(`${type.kind} ${type.name} takes an object, not ${typeof value}`);
  }
  for (const [name, memberValue] of Object.entries(value)) {
    const location = btf.member(type.id, name);
    if (location === undefined) throw new TypeError(`${type.kind} ${type.name} has no member ${name}`);
    if (location.bitSize > 0) encodeBitfield(btf, { name, ...location }, memberValue, target);
    else encode(btf, location.type, memberValue, target.subarray(location.bitOffset / 8), depth + 1);
  }
}

function encodeBitfield(btf: Btf, member: BtfMember, value: BtfValue, bytes: Uint8Array): void {
  const type = btf.resolve(member.type);
  if (type.kind !== 'int' && type.kind !== 'enum' && type.kind !== 'enum64')
    throw notEncodable(type, 'it cannot be a bit-field');
  const raw = type.kind === 'int' ? integerOf(type, value, member.bitSize) : enumeratorOf(type, value, member.bitSize);
  room(type, bytes, Math.ceil((member.bitOffset + member.bitSize) / 8));
  writeBits(bytes, member.bitOffset, member.bitSize, btf.littleEndian, raw);
}

function room(type: BtfType, bytes: Uint8Array, size: number): Uint8Array {
  if (size <= bytes.length) return bytes.subarray(0, size);
  throw new RangeError(`${type.kind} ${type.name} takes ${size} bytes, there are ${bytes.length}`);
}

function notEncodable(type: BtfType, why: string): BpfError {
  return new BpfError('EINVAL', `cannot encode a value of ${type.kind} ${type.name}`, {
    section: '.BTF',
    value: type.id,
    remedy: why,
  });
}
