import type { Engine } from './engine.js';
import { createInterpreter } from './interp/interpreter.js';
import { createJit } from './jit/index.js';

/** The fastest engine to be had where this runs. */
export interface EngineChoice {
  readonly engine: Engine;
  /** Why programs are interpreted; undefined where they are compiled. */
  readonly reason: string | undefined;
}

/** A module without anything in it. */
const EMPTY_MODULE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/**
 * The compiler where WebAssembly may be compiled, else the interpreter: a page whose content security policy lacks
 * `wasm-unsafe-eval` may not, and some JavaScript engines have no WebAssembly at all.
 */
export function chooseEngine(): EngineChoice {
  const reason = whyNotCompile();
  return { engine: reason === undefined ? createJit() : createInterpreter(), reason };
}

function whyNotCompile(): string | undefined {
  if (typeof WebAssembly !== 'object') return 'there is no WebAssembly here';
  try {
    void new WebAssembly.Module(EMPTY_MODULE);
    return undefined;
  } catch (error) {
    return `WebAssembly may not be compiled here: ${error instanceof Error ? error.message : String(error)}`;
  }
}
