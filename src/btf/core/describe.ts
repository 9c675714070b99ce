import type { Btf } from '../btf.js';
import { coreReloTarget } from './core-relocation.js';
import type { CoreSpec } from './core-spec.js';

/** `struct task_struct` */
export function describeType(btf: Btf, id: number): string {
  const name = btf.nameOf(id);
  return `${btf.kindOf(id)} ${name === '' ? '<anonymous>' : name}`;
}

/** The member path of a field, `::NAME` of an enumerator, nothing for a type. */
export function describeAccess(spec: CoreSpec): string {
  switch (coreReloTarget(spec.kind)) {
    case 'type':
      return '';
    case 'enumval':
      return `::${spec.accessors[0].name}`;
    default:
      return spec.accessors
        .map((accessor, i) => {
          if (accessor.name !== undefined) return `.${accessor.name}`;
          return i > 0 || accessor.index > 0 ? `[${accessor.index}]` : '';
        })
        .join('');
  }
}

/** `struct task_struct.comm[3]` */
export function describeSpec(spec: CoreSpec): string {
  return describeType(spec.btf, spec.rootTypeId) + describeAccess(spec);
}
