import type { ModuleListing } from './listing/module-listing.js';
import { FunctionWriter } from './wasm/function-writer.js';
import type { FunctionType, ModuleWriter } from './wasm/module-writer.js';

/** Functions that the calls of one module share, each written when it is first asked for. */
export class ModuleRoutines {
  readonly #writer: ModuleWriter;
  readonly #listing: ModuleListing | undefined;
  readonly #indexes = new Map<string, number>();

  constructor(writer: ModuleWriter, listing: ModuleListing | undefined) {
    this.#writer = writer;
    this.#listing = listing;
  }

  /** Index of the function of that name, which tells all that `write` depends on. */
  indexOf(name: string, type: FunctionType, write: (w: FunctionWriter) => void): number {
    let index = this.#indexes.get(name);
    if (index === undefined) {
      index = this.#writer.declare(type);
      this.#indexes.set(name, index);
      this.#listing?.routine(index, name);
      const body = new FunctionWriter(type.params.length);
      write(body);
      this.#writer.define(index, body);
    }
    return index;
  }
}
