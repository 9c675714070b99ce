import type { Btf } from '../btf.js';
import { essentialName } from '../essential-name.js';
import type { BtfComposite, BtfEnum, BtfFuncProto, BtfFwd, BtfMember, BtfType } from '../types.js';
import { isEnumKind, MAX_TYPE_DEPTH, tooDeepType } from './type-compatibility.js';
import { TypePairMemo } from './type-pair-memo.js';

/**
 * The relation behind bpf_core_type_matches(): stricter than compatibility. Every member, enumerator and
 * argument of the local type must have its match in the target, sizes and signedness of integers and lengths of
 * arrays included; behind a pointer, structs and unions go by name alone and may be forward declarations.
 */
export function typesMatch(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  return new Matching(local, target).match(localId, targetId, false, MAX_TYPE_DEPTH);
}

class Matching {
  readonly #local: Btf;
  readonly #target: Btf;
  readonly #memo = new TypePairMemo();

  constructor(local: Btf, target: Btf) {
    this.#local = local;
    this.#target = target;
  }

  match(localId: number, targetId: number, behindPointer: boolean, level: number): boolean {
    if (level <= 0) throw tooDeepType(localId);
    return this.#memo.get(localId, targetId, behindPointer ? 'pointee' : 'value', () =>
      this.#walk(localId, targetId, behindPointer, level),
    );
  }

  #walk(localId: number, targetId: number, behindPointerAtStart: boolean, level: number): boolean {
    let behindPointer = behindPointerAtStart;
    let a = this.#local.resolve(localId);
    let b = this.#target.resolve(targetId);
    for (let depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
      if (essentialName(a.name) !== essentialName(b.name)) return false;
      let next: readonly [number, number];
      if (a.kind === 'ptr' && b.kind === 'ptr') {
        behindPointer = true;
        next = [a.type, b.type];
      } else if (a.kind === 'array' && b.kind === 'array') {
        if (a.count !== b.count) return false;
        next = [a.elementType, b.elementType];
      } else if (a.kind === 'func_proto' && b.kind === 'func_proto') {
        if (!this.#paramsMatch(a, b, behindPointer, level)) return false;
        next = [a.returnType, b.returnType];
      } else return this.#leavesMatch(a, b, behindPointer, level);
      a = this.#local.resolve(next[0]);
      b = this.#target.resolve(next[1]);
    }
    throw tooDeepType(localId);
  }

  #leavesMatch(a: BtfType, b: BtfType, behindPointer: boolean, level: number): boolean {
    switch (a.kind) {
      case 'void':
        return b.kind === 'void';
      case 'int':
        return b.kind === 'int' && a.size === b.size && a.signed === b.signed;
      case 'enum':
      case 'enum64':
        return isEnumKind(b.kind) && enumsMatch(a, b as BtfEnum);
      case 'fwd':
        return forwardMatches(a, b, behindPointer);
      case 'struct':
      case 'union':
        if (behindPointer) return a.kind === b.kind || (b.kind === 'fwd' && (a.kind === 'union') === b.union);
        return a.kind === b.kind && this.#membersMatch(a, b, level);
      default:
        return false;
    }
  }

  #paramsMatch(a: BtfFuncProto, b: BtfFuncProto, behindPointer: boolean, level: number): boolean {
    if (a.params.length !== b.params.length) return false;
    return a.params.every((param, i) => this.match(param.type, b.params[i].type, behindPointer, level - 1));
  }

  #membersMatch(a: BtfComposite, b: BtfComposite, level: number): boolean {
    if (a.members.length > b.members.length) return false;
    const byName = membersByEssentialName(b.members);
    return a.members.every((member) => {
      const namesakes = byName.get(essentialName(member.name)) ?? [];
      return namesakes.some((candidate) => this.match(member.type, candidate.type, false, level - 1));
    });
  }
}

function membersByEssentialName(members: readonly BtfMember[]): Map<string, BtfMember[]> {
  const byName = new Map<string, BtfMember[]>();
  for (const member of members) {
    const name = essentialName(member.name);
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [member]);
    else same.push(member);
  }
  return byName;
}

function enumsMatch(a: BtfEnum, b: BtfEnum): boolean {
  if (a.size !== b.size || a.values.length > b.values.length) return false;
  const names = new Set(b.values.map((value) => essentialName(value.name)));
  return a.values.every((value) => names.has(essentialName(value.name)));
}

function forwardMatches(a: BtfFwd, b: BtfType, behindPointer: boolean): boolean {
  if (b.kind === 'fwd') return a.union === b.union;
  return behindPointer && b.kind === (a.union ? 'union' : 'struct');
}
