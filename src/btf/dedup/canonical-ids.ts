import { BtfKindNumber } from '../kinds.js';
import type { TypeSpace } from './type-space.js';

const UNPROCESSED = 0xffff_ffff;
const IN_PROGRESS = 0xffff_fffe;

/** For each type the one that stands for it, as far as that is known. A type that stands for itself is canonical. */
export class CanonicalIds {
  readonly #space: TypeSpace;
  readonly #ids: Uint32Array;

  /** Void and a base's types are canonical, and so are variables and sections, which are never deduplicated. */
  constructor(space: TypeSpace) {
    this.#space = space;
    this.#ids = new Uint32Array(space.count).fill(UNPROCESSED);
    for (let id = 0; id < space.count; id++) {
      const kind = space.kind(id);
      if (!space.isOwn(id) || kind === BtfKindNumber.var || kind === BtfKindNumber.datasec) this.#ids[id] = id;
    }
  }

  isKnown(id: number): boolean {
    return this.#ids[id] < IN_PROGRESS;
  }

  isInProgress(id: number): boolean {
    return this.#ids[id] === IN_PROGRESS;
  }

  isCanonical(id: number): boolean {
    return this.#ids[id] === id;
  }

  begin(id: number): void {
    this.#ids[id] = IN_PROGRESS;
  }

  set(id: number, canonical: number): void {
    this.#ids[id] = canonical;
  }

  /** The end of the chain of types that stand for each other. */
  resolve(id: number): number {
    let end = id;
    while (this.isKnown(end) && this.#ids[end] !== end) end = this.#ids[end];
    return end;
  }

  /** What a forward declaration was resolved to, where it was; any other type is itself. */
  resolveForward(id: number): number {
    if (this.#space.kind(id) !== BtfKindNumber.fwd) return id;
    const end = this.resolve(id);
    return this.#space.kind(end) === BtfKindNumber.fwd ? id : end;
  }
}
