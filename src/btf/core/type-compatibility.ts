import { BpfError } from '../../base/index.js';
import type { Btf } from '../btf.js';
import { essentialName } from '../essential-name.js';
import type { BtfKind } from '../kinds.js';
import type { BtfFuncProto, BtfInt, BtfType } from '../types.js';
import { TypePairMemo } from './type-pair-memo.js';

/** Steps after which libbpf gives up on a type. */
export const MAX_TYPE_DEPTH = 32;

/** Kinds that may stand for each other across kernels: equal ones, and the two widths of enums. */
export function kindsAreCompatible(a: BtfKind, b: BtfKind): boolean {
  return a === b || (isEnumKind(a) && isEnumKind(b));
}

export function isEnumKind(kind: BtfKind): boolean {
  return kind === 'enum' || kind === 'enum64';
}

/**
 * Whether a field of type `localId` may be relocated to one of type `targetId`: structs and unions mix freely,
 * integers and pointers do whatever their size, enums and forward declarations go by name, arrays by element.
 */
export function fieldsAreCompatible(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  let a = local.resolve(localId);
  let b = target.resolve(targetId);
  for (let depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
    if (isComposite(a) && isComposite(b)) return true;
    if (!kindsAreCompatible(a.kind, b.kind)) return false;
    switch (a.kind) {
      case 'ptr':
      case 'float':
        return true;
      case 'fwd':
      case 'enum':
      case 'enum64':
        return a.name === '' || b.name === '' || essentialName(a.name) === essentialName(b.name);
      case 'int':
        return isPlainInt(a) && isPlainInt(b as BtfInt);
      case 'array':
        if (b.kind !== 'array') return false;
        a = local.resolve(a.elementType);
        b = target.resolve(b.elementType);
        break;
      default:
        return false;
    }
  }
  throw tooDeepType(localId);
}

/**
 * Whether a type may be taken for one of the target's for the purposes of type relocations. Names were compared
 * at the root and count no further; sizes, signedness and dimensions do not count at all.
 */
export function typesAreCompatible(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  return new Compatibility(local, target).check(localId, targetId, MAX_TYPE_DEPTH);
}

class Compatibility {
  readonly #local: Btf;
  readonly #target: Btf;
  readonly #memo = new TypePairMemo();

  constructor(local: Btf, target: Btf) {
    this.#local = local;
    this.#target = target;
  }

  check(localId: number, targetId: number, level: number): boolean {
    if (!kindsAreCompatible(this.#local.kindOf(localId), this.#target.kindOf(targetId))) return false;
    return this.#memo.get(localId, targetId, '', () => this.#walk(localId, targetId, level));
  }

  #walk(localId: number, targetId: number, level: number): boolean {
    let a = this.#local.resolve(localId);
    let b = this.#target.resolve(targetId);
    for (let depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
      if (!kindsAreCompatible(a.kind, b.kind)) return false;
      let next: readonly [number, number];
      if (a.kind === 'int' && b.kind === 'int') return isPlainInt(a) && isPlainInt(b);
      if (a.kind === 'ptr' && b.kind === 'ptr') next = [a.type, b.type];
      else if (a.kind === 'array' && b.kind === 'array') next = [a.elementType, b.elementType];
      else if (a.kind === 'func_proto' && b.kind === 'func_proto') {
        if (!this.#params(a, b, level)) return false;
        next = [a.returnType, b.returnType];
      } else return isOpaque(a.kind);
      a = this.#local.resolve(next[0]);
      b = this.#target.resolve(next[1]);
    }
    throw tooDeepType(localId);
  }

  #params(a: BtfFuncProto, b: BtfFuncProto, level: number): boolean {
    if (a.params.length !== b.params.length) return false;
    if (level <= 0 && a.params.length > 0) throw tooDeepType(a.id);
    return a.params.every((param, i) =>
      this.check(this.#local.resolve(param.type).id, this.#target.resolve(b.params[i].type).id, level - 1),
    );
  }
}

/** Kinds whose inside does not matter to type relocations. */
function isOpaque(kind: BtfKind): boolean {
  return kind === 'void' || kind === 'struct' || kind === 'union' || kind === 'fwd' || isEnumKind(kind);
}

function isComposite(type: BtfType): boolean {
  return type.kind === 'struct' || type.kind === 'union';
}

/** Not one of the integers with which old compilers described bit-fields. */
function isPlainInt(type: BtfInt): boolean {
  return type.bitOffset === 0;
}

export function tooDeepType(id: number): BpfError {
  return new BpfError('EINVAL', 'BTF type is nested too deeply to be compared', {
    section: '.BTF',
    value: id,
    remedy: `libbpf, too, stops after ${MAX_TYPE_DEPTH} steps`,
  });
}
