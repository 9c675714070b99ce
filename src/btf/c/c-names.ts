import type { BtfType } from '../types.js';

/**
 * Names that are unique in a C file: the second type called `x` becomes `x___2`. Tags of structs, unions and enums are a
 * name space of their own; typedefs share theirs with enumerators.
 */
export class CNames {
  readonly #tags = new Map<string, number>();
  readonly #identifiers = new Map<string, number>();
  readonly #resolved = new Map<number, string>();

  /** Name of a type, the same each time. */
  of(type: BtfType): string {
    const known = this.#resolved.get(type.id);
    if (known !== undefined) return known;
    // Declarations share the name of what they declare.
    const isDeclaration = type.kind === 'fwd' || (type.kind === 'enum' && type.values.length === 0);
    const names = type.kind === 'typedef' ? this.#identifiers : this.#tags;
    const name = type.name === '' || isDeclaration ? type.name : next(names, type.name);
    this.#resolved.set(type.id, name);
    return name;
  }

  /** Name of an enumerator that is about to be printed. */
  enumerator(name: string): string {
    return next(this.#identifiers, name);
  }
}

function next(names: Map<string, number>, name: string): string {
  const count = (names.get(name) ?? 0) + 1;
  names.set(name, count);
  return count === 1 ? name : `${name}___${count}`;
}
