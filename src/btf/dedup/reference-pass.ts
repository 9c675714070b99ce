import { BpfError } from '../../base/index.js';
import { forEachTypeField } from '../record-shape.js';
import type { CandidateTable } from './candidate-table.js';
import type { CanonicalIds } from './canonical-ids.js';
import { recordHash, sameRecord } from './record-equality.js';
import type { TypeSpace } from './type-space.js';

/**
 * Merges what refers to other types (pointers, qualifiers, typedefs, arrays, functions, tags), from the bottom up: once
 * its references are canonical, a type is the same as another exactly if their records are.
 */
export class ReferencePass {
  readonly #space: TypeSpace;
  readonly #ids: CanonicalIds;
  readonly #table: CandidateTable;

  constructor(space: TypeSpace, ids: CanonicalIds, table: CandidateTable) {
    this.#space = space;
    this.#ids = ids;
    this.#table = table;
  }

  run(): void {
    for (let id = this.#space.firstId; id < this.#space.count; id++) if (!this.#ids.isKnown(id)) this.#mergeFrom(id);
  }

  /** Depth first without recursion: a chain of references may be as long as the BTF. */
  #mergeFrom(first: number): void {
    const stack = [first];
    while (stack.length > 0) {
      const id = stack.at(-1) ?? 0;
      if (this.#ids.isKnown(id)) {
        stack.pop();
        continue;
      }
      const below = this.#unknownReference(id);
      if (below === undefined) {
        stack.pop();
        this.#merge(id);
        continue;
      }
      if (this.#ids.isInProgress(below)) throw cycle(below);
      this.#ids.begin(id);
      stack.push(below);
    }
  }

  #unknownReference(id: number): number | undefined {
    const { words, starts } = this.#space;
    let unknown: number | undefined;
    forEachTypeField(words, starts[id], (place) => {
      if (unknown === undefined && !this.#ids.isKnown(words[place])) unknown = words[place];
    });
    return unknown;
  }

  #merge(id: number): void {
    const { words, starts } = this.#space;
    forEachTypeField(words, starts[id], (place) => {
      words[place] = this.#ids.resolve(words[place]);
    });
    const hash = recordHash(this.#space, id);
    const canonical = this.#table.of(hash).find((candidate) => sameRecord(this.#space, id, candidate));
    this.#ids.set(id, canonical ?? id);
    if (canonical === undefined) this.#table.add(hash, id);
  }
}

function cycle(id: number): BpfError {
  return new BpfError('ELOOP', 'BTF types refer to each other in a cycle', {
    section: '.BTF',
    value: id,
    remedy: 'only a struct, union or variable may lead back to itself; the BTF is corrupt',
  });
}
