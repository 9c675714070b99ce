import { BpfError } from '../../base/index.js';
import { type Btf, type CoreRelocation, type CoreResolution, CoreResolver, patchCoreInsn } from '../../btf/index.js';
import { type Insn, INSN_SIZE } from '../../runtime/index.js';
import type { CollectionSpec } from '../collection-spec.js';
import type { ObjectFunction } from '../functions.js';
import { type CoreDiagnostic, coreDiagnostic } from './core-diagnostic.js';

/** Instructions of a function after CO-RE; slots of diagnostics count from the function's start. */
export interface PatchedFunction {
  readonly insns: readonly Insn[];
  readonly diagnostics: readonly CoreDiagnostic[];
}

interface Pending {
  readonly slot: number;
  readonly relocation: CoreRelocation;
}

type Resolved =
  | { readonly slot: number; readonly resolution: CoreResolution }
  | { readonly slot: number; readonly error: unknown };

/**
 * Applies the CO-RE relocations of an object. All functions that are loaded by default are resolved at once and in file
 * order, because which candidates remain for a type depends on the relocations before. A relocation that cannot
 * be resolved fails the programs that contain it, not the others.
 */
export class CorePatcher {
  readonly #spec: CollectionSpec;
  readonly #resolver: CoreResolver | null;
  readonly #pending = new Map<ObjectFunction, Pending[]>();
  readonly #resolved = new Map<ObjectFunction, Resolved[]>();

  constructor(spec: CollectionSpec, target: Btf | null) {
    this.#spec = spec;
    this.#resolver = spec.btf === null ? null : new CoreResolver(spec.btf, target);
    const optional = new Set(spec.programs.filter((program) => !program.autoload).map((program) => program.entry));
    for (const [each, pending] of this.#collect()) {
      if (optional.has(each)) this.#add(this.#pending, each, pending);
      else this.#add(this.#resolved, each, this.#resolve(pending));
    }
  }

  /** Throws the `BpfError` of the first relocation that could not be resolved or applied. */
  patch(each: ObjectFunction): PatchedFunction {
    for (const pending of this.#pending.get(each) ?? []) this.#add(this.#resolved, each, this.#resolve(pending));
    this.#pending.delete(each);
    const insns: Insn[] = [...this.#spec.code.code.insnsOf(each)];
    const diagnostics = (this.#resolved.get(each) ?? []).map((entry) => {
      if ('error' in entry) throw located(entry.error, each, entry.slot);
      try {
        return coreDiagnostic(entry.slot, entry.resolution, patchCoreInsn(insns, entry.slot, entry.resolution.value));
      } catch (error) {
        throw located(error, each, entry.slot);
      }
    });
    return { insns, diagnostics };
  }

  /** Relocations with their function, in file order. Those of functions that the linker dropped are skipped. */
  *#collect(): Generator<[ObjectFunction, Pending]> {
    const { code, btfExt } = this.#spec.code;
    const indexByName = new Map(code.sections.map((section) => [section.name, section.index]));
    for (const { section, records } of btfExt?.relocations ?? []) {
      for (const relocation of records) {
        if (relocation.insnOffset % INSN_SIZE !== 0) throw misplaced(section, relocation.insnOffset);
        const slot = relocation.insnOffset / INSN_SIZE;
        const each = code.at(indexByName.get(section) ?? -1, slot);
        if (each !== undefined) yield [each, { slot: slot - each.start, relocation }];
      }
    }
  }

  #resolve({ slot, relocation }: Pending): Resolved {
    try {
      if (this.#resolver === null) throw withoutBtf(relocation);
      return { slot, resolution: this.#resolver.resolve(relocation) };
    } catch (error) {
      return { slot, error };
    }
  }

  #add<T>(map: Map<ObjectFunction, T[]>, each: ObjectFunction, item: T): void {
    const known = map.get(each);
    if (known === undefined) map.set(each, [item]);
    else known.push(item);
  }
}

function located(error: unknown, each: ObjectFunction, slot: number): unknown {
  if (!(error instanceof BpfError)) return error;
  const place = `function ${each.name} in section ${each.section}, instruction ${slot}`;
  return new BpfError(error.code, `CO-RE relocation failed in ${place}`, { cause: error, remedy: error.message });
}

function withoutBtf(relocation: CoreRelocation): BpfError {
  return new BpfError('EINVAL', 'CO-RE relocations without BTF', {
    section: '.BTF.ext',
    value: relocation.access,
    remedy: 'the object file is corrupt or was stripped of its .BTF',
  });
}

function misplaced(section: string, offset: number): BpfError {
  return new BpfError('EINVAL', `CO-RE relocation in section ${section} points between instructions`, {
    section: '.BTF.ext',
    offset,
    remedy: 'the object file is corrupt',
  });
}
