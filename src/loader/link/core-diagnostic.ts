import type { CoreReloKind, CoreResolution } from '../../btf/index.js';

/** How one CO-RE relocation of a linked program came out. */
export interface CoreDiagnostic {
  /** Instruction slot in the linked program. */
  readonly insn: number;
  readonly kind: CoreReloKind;
  /** Root type and access in the object's terms, like `struct task_struct` and `.comm[3]`. */
  readonly type: string;
  readonly access: string;
  /** Types of the target that bear the name, with their ids. */
  readonly candidates: readonly string[];
  /** What went into the instruction, unsigned; 0 where it is poisoned. */
  readonly value: bigint;
  /** The target has no such thing; the instruction is replaced by a call that must never be reached. */
  readonly poisoned: boolean;
  /** One sentence, for whoever reaches a poisoned instruction. */
  readonly message: string;
}

export function coreDiagnostic(insn: number, resolution: CoreResolution, poisoned: boolean): CoreDiagnostic {
  const { kind, type, access, candidates } = resolution;
  return {
    insn,
    kind,
    type,
    access,
    candidates,
    value: poisoned ? 0n : resolution.value.replacement,
    poisoned,
    message: describe(resolution, poisoned),
  };
}

function describe({ kind, type, access, candidates, value }: CoreResolution, poisoned: boolean): string {
  const what = `CO-RE relocation ${kind} of ${type}${access}`;
  if (!poisoned) return `${what} is ${value.replacement}`;
  if (candidates.length === 0) return `${what} failed: the target has no ${type}`;
  const found = candidates.join(', ');
  if (value.poison) return `${what} failed: the target has ${found}, but no matching ${access.replace(/^\.|^::/, '')}`;
  return `${what} failed: the field has ${value.replacementSize} bytes in ${found} instead of ${value.originalSize}, and a load or store of it cannot adapt`;
}
