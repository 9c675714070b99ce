import { BpfError } from '../../base/index.js';
import type { Btf } from '../btf.js';
import type { BtfArray, BtfMember } from '../types.js';
import { type CoreRelocation, type CoreReloKind, coreReloTarget } from './core-relocation.js';

/** Longest access path libbpf takes. */
export const MAX_SPEC_LENGTH = 64;
const MAX_BIT_OFFSET = 0xffff_ffff;

/** One meaningful step of an access: a named member, an array element, or an enumerator. */
export interface CoreAccessor {
  /** Struct or union of the member, type of the element, or the enum. */
  readonly typeId: number;
  readonly index: number;
  /** Undefined for array elements. */
  readonly name: string | undefined;
}

/**
 * What a relocation refers to in one BTF. `accessors` leave out anonymous members, through which targets
 * may lead differently; `indices` has every step. Type relocations have neither.
 */
export interface CoreSpec {
  readonly btf: Btf;
  readonly kind: CoreReloKind;
  readonly rootTypeId: number;
  readonly accessors: readonly CoreAccessor[];
  readonly indices: readonly number[];
  readonly bitOffset: number;
}

/** Reads a relocation's access string against the object's own BTF. Throws an EINVAL or E2BIG `BpfError`. */
export function parseCoreSpec(btf: Btf, relocation: CoreRelocation): CoreSpec {
  const { kind, typeId, access } = relocation;
  const base = { btf, kind, rootTypeId: typeId };
  const target = coreReloTarget(kind);
  if (target === 'type') {
    if (access !== '0') throw malformed(access, 'type relocations have the access string 0');
    btf.byId(typeId);
    return { ...base, accessors: [], indices: [], bitOffset: 0 };
  }
  const indices = parseIndices(access);
  return target === 'enumval' ? enumeratorSpec(base, indices, access) : fieldSpec(base, indices, access);
}

type SpecBase = Pick<CoreSpec, 'btf' | 'kind' | 'rootTypeId'>;

function parseIndices(access: string): number[] {
  if (!/^\d+(:\d+)*$/.test(access)) throw malformed(access, 'an access string is numbers with colons between them');
  const indices = access.split(':').map(Number);
  if (indices.length > MAX_SPEC_LENGTH) throw tooDeep();
  return indices;
}

function enumeratorSpec(base: SpecBase, indices: readonly number[], access: string): CoreSpec {
  const type = base.btf.resolve(base.rootTypeId);
  if (type.kind !== 'enum' && type.kind !== 'enum64')
    throw malformed(access, `its root type is a ${type.kind}, not an enum`);
  const enumerator = type.values[indices[0]];
  if (indices.length > 1 || enumerator === undefined) throw malformed(access, 'the enum has no such enumerator');
  return { ...base, accessors: [{ typeId: type.id, index: indices[0], name: enumerator.name }], indices, bitOffset: 0 };
}

function fieldSpec(base: SpecBase, indices: readonly number[], access: string): CoreSpec {
  const { btf } = base;
  const root = btf.resolve(base.rootTypeId);
  const accessors: CoreAccessor[] = [{ typeId: root.id, index: indices[0], name: undefined }];
  let bitOffset = addBits(0, elementBits(btf, root.id, indices[0]));
  let id = root.id;
  for (const index of indices.slice(1)) {
    const type = btf.resolve(id);
    switch (type.kind) {
      case 'struct':
      case 'union': {
        const member: BtfMember | undefined = type.members[index];
        if (member === undefined) throw malformed(access, `${type.kind} ${type.name} has no member ${index}`);
        bitOffset = addBits(bitOffset, member.bitOffset);
        if (member.name !== '') accessors.push({ typeId: type.id, index, name: member.name });
        id = member.type;
        break;
      }
      case 'array': {
        if (!admitsElement(btf, accessors.at(-1), type, index))
          throw malformed(access, `the array has ${type.count} elements`);
        id = btf.resolve(type.elementType).id;
        accessors.push({ typeId: id, index, name: undefined });
        bitOffset = addBits(bitOffset, elementBits(btf, id, index));
        break;
      }
      default:
        throw malformed(access, `it leads into a ${type.kind}`);
    }
  }
  return { ...base, accessors, indices, bitOffset };
}

/** Whether an array may be indexed so: in bounds, or a flexible array, the last member of its struct. */
export function admitsElement(btf: Btf, holder: CoreAccessor | undefined, array: BtfArray, index: number): boolean {
  if (index < array.count) return true;
  if (array.count > 0 || holder?.name === undefined) return false;
  const owner = btf.byId(holder.typeId);
  return (owner.kind === 'struct' || owner.kind === 'union') && holder.index === owner.members.length - 1;
}

export function elementBits(btf: Btf, typeId: number, index: number): number {
  return index * btf.sizeOf(typeId) * 8;
}

/** Sum of bit offsets, which the format keeps in 32 bits. */
export function addBits(a: number, b: number): number {
  if (a + b > MAX_BIT_OFFSET) {
    throw new BpfError('E2BIG', 'field lies beyond 512 MiB', {
      section: '.BTF',
      value: (a + b) / 8,
      remedy: 'the BTF is corrupt',
    });
  }
  return a + b;
}

export function tooDeep(): BpfError {
  return new BpfError('E2BIG', `CO-RE access is nested more than ${MAX_SPEC_LENGTH} levels deep`, {
    section: '.BTF.ext',
    value: MAX_SPEC_LENGTH,
    remedy: 'read the members in several steps',
  });
}

function malformed(access: string, why: string): BpfError {
  return new BpfError('EINVAL', 'CO-RE access string does not fit its type', {
    section: '.BTF.ext',
    value: access,
    remedy: why,
  });
}
