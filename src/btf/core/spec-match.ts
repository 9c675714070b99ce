import type { Btf } from '../btf.js';
import { essentialName } from '../essential-name.js';
import type { BtfMember } from '../types.js';
import { coreReloTarget } from './core-relocation.js';
import {
  addBits,
  admitsElement,
  type CoreAccessor,
  type CoreSpec,
  elementBits,
  MAX_SPEC_LENGTH,
  tooDeep,
} from './core-spec.js';
import { fieldsAreCompatible, isEnumKind, typesAreCompatible } from './type-compatibility.js';
import { typesMatch } from './type-match.js';

/** Looks for what `local` refers to in the candidate `targetId`; undefined where the candidate does not have it. */
export function matchCoreSpec(local: CoreSpec, target: Btf, targetId: number): CoreSpec | undefined {
  const spec: CoreSpec = {
    btf: target,
    kind: local.kind,
    rootTypeId: targetId,
    accessors: [],
    indices: [],
    bitOffset: 0,
  };
  switch (coreReloTarget(local.kind)) {
    case 'type': {
      const fits = local.kind === 'type_matches' ? typesMatch : typesAreCompatible;
      return fits(local.btf, local.rootTypeId, target, targetId) ? spec : undefined;
    }
    case 'enumval':
      return matchEnumerator(local, spec);
    default:
      return matchField(local, spec);
  }
}

function matchEnumerator(local: CoreSpec, spec: CoreSpec): CoreSpec | undefined {
  const type = spec.btf.resolve(spec.rootTypeId);
  if (!isEnumKind(type.kind) || !('values' in type)) return undefined;
  const wanted = essentialName(local.accessors[0].name ?? '');
  const index = type.values.findIndex((value) => essentialName(value.name) === wanted);
  if (index < 0) return undefined;
  return { ...spec, accessors: [{ typeId: type.id, index, name: type.values[index].name }], indices: [index] };
}

/** Where the walk through the target stands. */
interface Walk {
  readonly typeId: number;
  readonly accessors: CoreAccessor[];
  readonly indices: number[];
  readonly bitOffset: number;
}

function matchField(local: CoreSpec, spec: CoreSpec): CoreSpec | undefined {
  let walk: Walk | undefined = { typeId: spec.rootTypeId, accessors: [], indices: [], bitOffset: 0 };
  for (const accessor of local.accessors) {
    walk =
      accessor.name === undefined
        ? stepElement(spec.btf, accessor, walk)
        : stepMember(local.btf, accessor, spec.btf, walk);
    if (walk === undefined) return undefined;
  }
  return { ...spec, accessors: walk.accessors, indices: walk.indices, bitOffset: walk.bitOffset };
}

function stepElement(target: Btf, local: CoreAccessor, walk: Walk): Walk | undefined {
  let type = target.resolve(walk.typeId);
  // The first accessor indexes the root type itself, as a pointer to it would.
  if (walk.accessors.length > 0) {
    if (type.kind !== 'array' || !admitsElement(target, walk.accessors.at(-1), type, local.index)) return undefined;
    type = target.resolve(type.elementType);
  }
  if (walk.indices.length >= MAX_SPEC_LENGTH) throw tooDeep();
  return {
    typeId: type.id,
    accessors: [...walk.accessors, { typeId: type.id, index: local.index, name: undefined }],
    indices: [...walk.indices, local.index],
    bitOffset: addBits(walk.bitOffset, elementBits(target, type.id, local.index)),
  };
}

function stepMember(localBtf: Btf, local: CoreAccessor, target: Btf, walk: Walk): Walk | undefined {
  const owner = localBtf.byId(local.typeId);
  if (owner.kind !== 'struct' && owner.kind !== 'union') return undefined;
  return new MemberSearch(localBtf, owner.members[local.index], target).in(walk, new Set());
}

/** Finds the target's member of one local member's name, in anonymous structs and unions too. */
class MemberSearch {
  readonly #localBtf: Btf;
  readonly #wanted: BtfMember;
  readonly #target: Btf;

  constructor(localBtf: Btf, wanted: BtfMember, target: Btf) {
    this.#localBtf = localBtf;
    this.#wanted = wanted;
    this.#target = target;
  }

  /** `visited` keeps types that contain themselves, which only corrupt BTF has, finite. */
  in(walk: Walk, visited: Set<number>): Walk | undefined {
    const type = this.#target.resolve(walk.typeId);
    if ((type.kind !== 'struct' && type.kind !== 'union') || visited.has(type.id)) return undefined;
    visited.add(type.id);
    if (walk.indices.length >= MAX_SPEC_LENGTH) throw tooDeep();
    for (const [index, member] of type.members.entries()) {
      const inside: Walk = {
        typeId: member.type,
        accessors: walk.accessors,
        indices: [...walk.indices, index],
        bitOffset: addBits(walk.bitOffset, member.bitOffset),
      };
      if (member.name === '') {
        const found = this.in(inside, visited);
        if (found !== undefined) return found;
      } else if (member.name === this.#wanted.name) {
        if (!fieldsAreCompatible(this.#localBtf, this.#wanted.type, this.#target, member.type)) return undefined;
        return { ...inside, accessors: [...walk.accessors, { typeId: type.id, index, name: member.name }] };
      }
    }
    return undefined;
  }
}
