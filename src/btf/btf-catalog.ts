import type { Btf } from './btf.js';
import type { BtfKind } from './kinds.js';
import type { BtfType } from './types.js';

/** A type, and the BTF in which its id counts. */
export interface BtfFound {
  /** Name of the module that has it; null: the kernel itself. */
  readonly module: string | null;
  readonly btf: Btf;
  readonly type: BtfType;
}

/** The types of a kernel and its modules, which are split BTF on top of the kernel's. Modules come and go. */
export class BtfCatalog {
  readonly kernel: Btf;
  readonly #modules = new Map<string, Btf>();

  constructor(kernel: Btf, modules: Iterable<readonly [name: string, btf: Btf]> = []) {
    this.kernel = kernel;
    for (const [name, btf] of modules) this.add(name, btf);
  }

  /** Names of the modules, in the order in which they were added. */
  get modules(): readonly string[] {
    return [...this.#modules.keys()];
  }

  /** BTF with another base is the caller's mistake. */
  add(name: string, btf: Btf): void {
    if (btf.base !== this.kernel) throw new TypeError(`the BTF of module ${name} was not split from this kernel's`);
    this.#modules.set(name, btf);
  }

  remove(name: string): boolean {
    return this.#modules.delete(name);
  }

  /** All types of that name, and kind if one is given: the kernel's, then the modules' in their order. */
  find(name: string, kind?: BtfKind): BtfFound[] {
    const places: readonly (readonly [module: string | null, btf: Btf])[] = [[null, this.kernel], ...this.#modules];
    return places.flatMap(([module, btf]) =>
      btf
        .idsByName(name)
        .filter((id) => id >= btf.firstId && (kind === undefined || btf.kindOf(id) === kind))
        .map((id) => ({ module, btf, type: btf.byId(id) })),
    );
  }
}
