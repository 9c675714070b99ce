import { type FunctionType, ImportName, ModuleWriter } from './wasm/module-writer.js';

/** A function outside the module: where it is in the table that all modules import, and its type. */
export interface OutsideFunction {
  readonly slot: number;
  readonly type: FunctionType;
}

const FIRST_SIZE = 32;

/**
 * The table of what compiled programs of one runtime call in JavaScript. An imported function makes V8 compile a
 * wrapper for its signature in each module anew, at several times the price of a small module, whether the
 * function is JavaScript's or WebAssembly's. A table costs nothing: the wrappers are compiled once, with the
 * module that brings a function of that type in.
 */
export class OutsideTable {
  readonly wasm = new WebAssembly.Table({ initial: FIRST_SIZE, element: 'anyfunc' });
  #used = 0;

  /** `call` must have exactly the parameters of `type`: for anything else V8 adapts each call. */
  add(type: FunctionType, call: (...words: number[]) => unknown): OutsideFunction {
    const slot = this.#used++;
    if (slot === this.wasm.length) this.wasm.grow(slot);
    this.wasm.set(slot, asWasmFunction(type, call));
    return { slot, type };
  }
}

const IMPORT = 'f';
const EXPORT = 'g';
/** Modules by signature, for all runtimes. */
const modules = new Map<string, WebAssembly.Module>();

function asWasmFunction(type: FunctionType, call: (...words: number[]) => unknown): unknown {
  const key = `${type.params.join()}>${type.results.join()}`;
  let module = modules.get(key);
  if (module === undefined) {
    module = new WebAssembly.Module(bridgeModule(type));
    modules.set(key, module);
  }
  return new WebAssembly.Instance(module, { [ImportName.module]: { [IMPORT]: call } }).exports[EXPORT];
}

/** Takes a function in and hands it out again: as WebAssembly's, so that a table takes it. */
function bridgeModule(type: FunctionType): Uint8Array {
  const writer = new ModuleWriter();
  writer.importFunction(IMPORT, type, EXPORT);
  return writer.finish();
}
