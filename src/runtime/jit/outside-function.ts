import { type FunctionType, ImportName, ModuleWriter } from './wasm/module-writer.js';

/** A JavaScript function in the form in which the table of a module takes it. */
export interface OutsideFunction {
  readonly type: FunctionType;
  readonly wasm: unknown;
}

const IMPORT = 'f';
const EXPORT = 'g';
/** Modules by signature, for all runtimes. */
const modules = new Map<FunctionType, WebAssembly.Module>();

/**
 * Takes `call` in and hands it out again: what is exported may stand in a table. Modules call out through a
 * table since V8 compiles a wrapper for each signature of imported functions of each module anew, at several
 * times the price of the rest of a small module, even if the functions are WebAssembly's. Here it is compiled once
 * for each type. `call` must have exactly the parameters of `type`: for anything else V8 adapts each call.
 */
export function outsideFunction(type: FunctionType, call: (...words: number[]) => unknown): OutsideFunction {
  let module = modules.get(type);
  if (module === undefined) {
    const writer = new ModuleWriter('none');
    writer.importFunction(IMPORT, type, EXPORT);
    module = new WebAssembly.Module(writer.finish());
    modules.set(type, module);
  }
  const { exports } = new WebAssembly.Instance(module, { [ImportName.module]: { [IMPORT]: call } });
  return { type, wasm: exports[EXPORT] };
}

/** The outside functions that a module uses, in the order of its table. */
export class OutsideUses {
  readonly #slots = new Map<OutsideFunction, number>();

  get size(): number {
    return this.#slots.size;
  }

  slotOf(used: OutsideFunction): number {
    let slot = this.#slots.get(used);
    if (slot === undefined) {
      slot = this.#slots.size;
      this.#slots.set(used, slot);
    }
    return slot;
  }

  /**
   * Fills a module's table. It is the module's own and not a shared one that modules import: V8 11 keeps all
   * instances alive that import a table, as long as the table lives.
   */
  fill(table: WebAssembly.Table): void {
    for (const [{ wasm }, slot] of this.#slots) table.set(slot, wasm);
  }
}
