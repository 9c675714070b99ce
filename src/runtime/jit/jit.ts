import type { Engine } from '../engine.js';
import { formOps, type FormOps } from '../interp/form-ops.js';
import type { ModuleListing } from './listing/module-listing.js';
import type { Runtime } from '../runtime.js';
import { JitProgram, type JitProgramOptions } from './jit-program.js';
import { OutsideCalls } from './outside-calls.js';

export interface JitOptions {
  /**
   * Leaves all checks of loads and stores out, as if a verifier had proved each of them. For measurements: a
   * program that is wrong then reads and writes anything in BpfMemory, though nothing outside.
   */
  readonly assumeProved?: boolean;
}

/**
 * The compiler: programs become WebAssembly, those of an object one module, with the interpreter's results and
 * faults. A run that loops too long stops where it jumps back, within one round of where the interpreter would
 * stop it.
 */
export function createJit(options: JitOptions = {}): Engine {
  return createJitWith(formOps, options);
}

/** A compiler whose forms mean what `ops` says, for tests that break one on purpose; `listing` takes notes. */
export function createJitWith(
  ops: FormOps,
  { assumeProved = false }: JitOptions = {},
  listing?: ModuleListing,
): Engine {
  const outsides = new WeakMap<Runtime, OutsideCalls>();
  const outsideOf = (runtime: Runtime): OutsideCalls => {
    let outside = outsides.get(runtime);
    if (outside === undefined) {
      outside = new OutsideCalls();
      outsides.set(runtime, outside);
    }
    return outside;
  };
  const optionsFor = (runtime: Runtime): JitProgramOptions => ({
    assumeProved,
    formOps: ops,
    outside: outsideOf(runtime),
    listing,
  });
  return {
    name: 'jit',
    instantiate: (executable, runtime) => {
      const [program] = JitProgram.load([executable], runtime, optionsFor(runtime));
      return program;
    },
    instantiateAll: (executables, runtime) => JitProgram.load(executables, runtime, optionsFor(runtime)),
  };
}
