import { BpfError } from '../../base/index.js';
import type { BtfInt, BtfMember, BtfType } from '../types.js';
import { coreReloTarget } from './core-relocation.js';
import type { CoreSpec } from './core-spec.js';
import { describeSpec } from './describe.js';

/** What to do to the relocated instruction. Values are unsigned 64-bit. */
export interface CoreValue {
  /** The target has no such thing: the instruction must not run. */
  readonly poison: boolean;
  /** What the compiler put into the instruction, and what belongs there. */
  readonly original: bigint;
  readonly replacement: bigint;
  /** Whether the instruction must hold `original` (bit-fields and type ids may differ between compiler and loader). */
  readonly validate: boolean;
  /** Bytes of the field here and there, 0 where the width of a load or store is not at stake. */
  readonly originalSize: number;
  readonly replacementSize: number;
  /** Why a load or store of the field cannot just change its width. */
  readonly cannotResize: boolean;
}

/** One side of a relocation: its value, and for byte offsets the field's size and type. */
interface Side {
  readonly value: bigint;
  readonly validate: boolean;
  readonly size: number;
  readonly typeId: number;
}

const MAX_LOAD_BYTES = 8;

/** The value of a relocation, given what it refers to here and, where it exists, in the target. */
export function coreValue(local: CoreSpec, target: CoreSpec | undefined): CoreValue {
  const here = side(local);
  const there = target === undefined ? absent(local) : side(target);
  const base = { original: here.value, validate: here.validate, originalSize: here.size };
  if (there === 'poison') {
    return { ...base, poison: true, replacement: 0n, replacementSize: 0, cannotResize: false };
  }
  return {
    ...base,
    poison: false,
    replacement: there.value,
    replacementSize: there.size,
    cannotResize: target !== undefined && here.size !== there.size && !canResize(local, here, target, there),
  };
}

/** What the relocation comes to where no candidate matches. */
function absent(local: CoreSpec): Side | 'poison' {
  switch (local.kind) {
    case 'field_exists':
    case 'enumval_exists':
      return plain(0n);
    default:
      return coreReloTarget(local.kind) === 'type' ? plain(0n) : 'poison';
  }
}

function side(spec: CoreSpec): Side {
  switch (spec.kind) {
    case 'field_exists':
    case 'type_exists':
    case 'type_matches':
    case 'enumval_exists':
      return plain(1n);
    case 'type_id_local':
    case 'type_id_target':
      return { ...plain(BigInt(spec.rootTypeId)), validate: false };
    case 'type_size':
      return plain(BigInt(spec.btf.sizeOf(spec.rootTypeId)));
    case 'enumval_value':
      return plain(enumeratorValue(spec));
    default:
      return spec.accessors.at(-1)?.name === undefined ? elementSide(spec) : memberSide(spec);
  }
}

function plain(value: bigint): Side {
  return { value, validate: true, size: 0, typeId: 0 };
}

/** 32-bit enumerators are sign-extended whatever the enum's signedness, as in libbpf. */
function enumeratorValue(spec: CoreSpec): bigint {
  const { typeId, index } = spec.accessors[0];
  const type = spec.btf.byId(typeId);
  if (type.kind !== 'enum' && type.kind !== 'enum64') return 0n;
  const { value } = type.values[index];
  return BigInt.asUintN(64, type.kind === 'enum' ? BigInt.asIntN(32, value) : value);
}

/** A field relocation that ends in an array element. */
function elementSide(spec: CoreSpec): Side {
  const { typeId } = spec.accessors[spec.accessors.length - 1];
  const size = spec.btf.sizeOf(typeId);
  switch (spec.kind) {
    case 'field_byte_offset':
      return { value: BigInt(Math.floor(spec.bitOffset / 8)), validate: true, size, typeId };
    case 'field_byte_size':
      return plain(BigInt(size));
    default:
      throw new BpfError('EINVAL', `CO-RE relocation ${spec.kind} does not apply to array elements`, {
        section: '.BTF.ext',
        value: describeSpec(spec),
        remedy: 'ask for the member that holds the array',
      });
  }
}

/** The bytes that hold a field, and the field's place among their bits. */
interface Window {
  readonly byteOffset: number;
  readonly byteSize: number;
  readonly bitSize: number;
}

function memberSide(spec: CoreSpec): Side {
  const member = lastMember(spec);
  const type = spec.btf.resolve(member.type);
  const isBitfield = member.bitSize > 0;
  const window = isBitfield ? bitfieldWindow(spec, member, type) : plainWindow(spec, type);
  const outcome = (value: number, validate: boolean): Side => ({ ...plain(BigInt(value)), validate });
  switch (spec.kind) {
    case 'field_byte_offset': {
      const offset = outcome(window.byteOffset, !isBitfield);
      return isBitfield ? offset : { ...offset, size: window.byteSize, typeId: type.id };
    }
    case 'field_byte_size':
      return outcome(window.byteSize, !isBitfield);
    case 'field_signed':
      return outcome(isSigned(type) ? 1 : 0, true);
    case 'field_lshift_u64':
      return outcome(leftShift(spec, window) >>> 0, !isBitfield);
    case 'field_rshift_u64':
      return outcome((64 - window.bitSize) >>> 0, true);
    default:
      throw new BpfError('EOPNOTSUPP', `CO-RE relocation ${spec.kind} does not apply to a field`, {
        section: '.BTF.ext',
        value: describeSpec(spec),
        remedy: 'the object file is corrupt',
      });
  }
}

function lastMember(spec: CoreSpec): BtfMember {
  const { typeId, index } = spec.accessors[spec.accessors.length - 1];
  const owner = spec.btf.byId(typeId);
  if (owner.kind === 'struct' || owner.kind === 'union') return owner.members[index];
  throw new BpfError('EINVAL', 'CO-RE access does not end in a member', {
    section: '.BTF.ext',
    value: typeId,
    remedy: 'the object file is corrupt',
  });
}

function plainWindow(spec: CoreSpec, type: BtfType): Window {
  const byteSize = spec.btf.sizeOf(type.id);
  return { byteOffset: Math.floor(spec.bitOffset / 8), byteSize, bitSize: byteSize * 8 };
}

/** The smallest naturally aligned load, from the declared type's size up, that covers the whole bit-field. */
function bitfieldWindow(spec: CoreSpec, member: BtfMember, type: BtfType): Window {
  let byteSize = 'size' in type ? type.size : 0;
  if (byteSize === 0) {
    throw new BpfError('EINVAL', 'bit-field has a type without a size', {
      section: '.BTF',
      value: member.type,
      remedy: 'the BTF is corrupt',
    });
  }
  const { bitOffset } = spec;
  const aligned = (): number => Math.floor(Math.floor(bitOffset / 8) / byteSize) * byteSize;
  let byteOffset = aligned();
  while (bitOffset + member.bitSize - byteOffset * 8 > byteSize * 8) {
    if (byteSize >= MAX_LOAD_BYTES) {
      throw new BpfError('E2BIG', `bit-field ${member.name} does not fit one aligned 64-bit load`, {
        section: '.BTF',
        value: describeSpec(spec),
        remedy: 'read its bytes and put it together',
      });
    }
    byteSize *= 2;
    byteOffset = aligned();
  }
  return { byteOffset, byteSize, bitSize: member.bitSize };
}

function leftShift(spec: CoreSpec, window: Window): number {
  const bitsBefore = spec.bitOffset - window.byteOffset * 8;
  if (spec.btf.littleEndian) return 64 - (bitsBefore + window.bitSize);
  return (8 - window.byteSize) * 8 + bitsBefore;
}

function isSigned(type: BtfType): boolean {
  return (type.kind === 'int' || type.kind === 'enum' || type.kind === 'enum64') && type.signed;
}

/** Zero extension keeps pointers and unsigned integers right at another width; anything else would be misread. */
function canResize(local: CoreSpec, here: Side, target: CoreSpec, there: Side): boolean {
  const from = local.btf.byId(here.typeId);
  const to = target.btf.byId(there.typeId);
  if (from.kind === 'ptr' && to.kind === 'ptr') return true;
  return from.kind === 'int' && to.kind === 'int' && !isPurelySigned(from) && !isPurelySigned(to);
}

function isPurelySigned(type: BtfInt): boolean {
  return type.signed && !type.char && !type.bool;
}
