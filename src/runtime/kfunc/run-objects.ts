/**
 * What kernel functions have given one run to keep: references and iterators. A verifier sees to it that a program gives all of it
 * back; of a run that stops or forgets it, it ends with the run.
 */
export class RunObjects {
  /** Pointers that were acquired, and how often. */
  readonly references = new Map<bigint, number>();
  /** Iterators by the place of their struct. */
  readonly iterators = new Map<number, OpenIterator>();

  acquire(pointer: bigint): void {
    this.references.set(pointer, (this.references.get(pointer) ?? 0) + 1);
  }

  /** False where the run has no such reference. */
  release(pointer: bigint): boolean {
    const held = this.references.get(pointer);
    if (held === undefined) return false;
    if (held === 1) this.references.delete(pointer);
    else this.references.set(pointer, held - 1);
    return true;
  }
}

/** An iterator under way. */
export interface OpenIterator {
  /** As `KfuncIterator.name`. */
  readonly name: string;
  /** What is left to walk; absent where the struct itself says. */
  readonly items?: Iterator<bigint>;
}
