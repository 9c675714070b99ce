import { BpfError } from '../../base/index.js';
import type { Btf } from '../btf.js';
import { essentialName } from '../essential-name.js';
import { type CoreRelocation, type CoreReloKind, coreReloTarget } from './core-relocation.js';
import { type CoreSpec, parseCoreSpec } from './core-spec.js';
import { coreValue, type CoreValue } from './core-value.js';
import { describeAccess, describeSpec, describeType } from './describe.js';
import { matchCoreSpec } from './spec-match.js';
import { kindsAreCompatible } from './type-compatibility.js';

/** The answer to one relocation, with what a message about it needs. */
export interface CoreResolution {
  readonly kind: CoreReloKind;
  /** Root type and access in the object's own terms, like `struct task_struct` and `.comm[3]`. */
  readonly type: string;
  readonly access: string;
  /** Every type of the target that bears the name, like `struct task_struct [114]`. */
  readonly candidates: readonly string[];
  readonly value: CoreValue;
}

/**
 * Resolves the CO-RE relocations of one object against one kernel's types, by libbpf's rules: candidates are the
 * target's types of the same kind and essential name; all that match must agree; where none does, existence
 * is 0 and anything else poisons the instruction. Candidates that did not match one relocation are not asked
 * again, so relocations must come in the order of .BTF.ext.
 */
export class CoreResolver {
  readonly #local: Btf;
  readonly #target: Btf | null;
  readonly #candidates = new Map<number, number[]>();

  /** `target` null: only relocations that need no target (type_id_local) can be resolved. */
  constructor(local: Btf, target: Btf | null) {
    this.#local = local;
    this.#target = target;
  }

  /** Throws a `BpfError` that names type, field and candidates where the relocation is malformed or ambiguous. */
  resolve(relocation: CoreRelocation): CoreResolution {
    const local = parseCoreSpec(this.#local, relocation);
    const found = local.kind === 'type_id_local' ? [] : this.#candidatesOf(local);
    const value = local.kind === 'type_id_local' ? coreValue(local, local) : this.#decide(local, found);
    return {
      kind: local.kind,
      type: describeType(this.#local, local.rootTypeId),
      access: describeAccess(local),
      candidates: this.#describe(this.#named(local)),
      value,
    };
  }

  #decide(local: CoreSpec, candidates: number[]): CoreValue {
    const target = this.#requireTarget(local);
    const matching: { id: number; spec: CoreSpec; value: CoreValue }[] = [];
    for (const id of candidates) {
      const spec = matchCoreSpec(local, target, id);
      if (spec === undefined) continue;
      const value = coreValue(local, spec);
      const first = matching[0];
      if (first !== undefined && !agree(first, { spec, value }))
        throw this.#ambiguity(local, first.id, first.value, id, value);
      matching.push({ id, spec, value });
    }
    if (matching.length === 0) return coreValue(local, undefined);
    this.#candidates.set(
      local.rootTypeId,
      matching.map(({ id }) => id),
    );
    return matching[0].value;
  }

  #candidatesOf(local: CoreSpec): number[] {
    const known = this.#candidates.get(local.rootTypeId);
    if (known !== undefined) return known;
    if (this.#local.nameOf(local.rootTypeId) === '') {
      throw new BpfError('EINVAL', `CO-RE relocation ${local.kind} of an anonymous type`, {
        section: '.BTF.ext',
        value: describeType(this.#local, local.rootTypeId),
        remedy: 'give the type a name: there is nothing to look for in the target',
      });
    }
    const found = this.#named(local);
    this.#candidates.set(local.rootTypeId, found);
    return found;
  }

  /** Types of the target with the essential name and a compatible kind. */
  #named(local: CoreSpec): number[] {
    if (local.kind === 'type_id_local') return [];
    const target = this.#requireTarget(local);
    const kind = this.#local.kindOf(local.rootTypeId);
    const name = essentialName(this.#local.nameOf(local.rootTypeId));
    return target.idsByEssentialName(name).filter((id) => kindsAreCompatible(target.kindOf(id), kind));
  }

  #requireTarget(local: CoreSpec): Btf {
    if (this.#target !== null) return this.#target;
    throw new BpfError('EINVAL', `CO-RE relocation ${local.kind} of ${describeSpec(local)} without target types`, {
      section: '.BTF.ext',
      remedy: 'give the BTF of the kernel the program is to run on',
    });
  }

  #ambiguity(local: CoreSpec, firstId: number, first: CoreValue, secondId: number, second: CoreValue): BpfError {
    const [a, b] = this.#describe([firstId, secondId]);
    return new BpfError('EINVAL', `CO-RE relocation ${local.kind} of ${describeSpec(local)} is ambiguous`, {
      section: '.BTF.ext',
      value: `${a} gives ${outcome(first)}, ${b} gives ${outcome(second)}`,
      remedy:
        coreReloTarget(local.kind) === 'field'
          ? 'the target must not have two such types that lay the field out differently'
          : 'the target must not have two such types that differ',
    });
  }

  #describe(ids: readonly number[]): string[] {
    const target = this.#target;
    return target === null ? [] : ids.map((id) => `${describeType(target, id)} [${id}]`);
  }
}

function agree(a: { spec: CoreSpec; value: CoreValue }, b: { spec: CoreSpec; value: CoreValue }): boolean {
  return (
    a.spec.bitOffset === b.spec.bitOffset &&
    a.value.poison === b.value.poison &&
    a.value.replacement === b.value.replacement
  );
}

function outcome(value: CoreValue): string {
  return value.poison ? 'no value' : String(value.replacement);
}
