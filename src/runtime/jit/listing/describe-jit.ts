import type { Executable } from '../../executable.js';
import { formOps } from '../../interp/form-ops.js';
import type { Runtime } from '../../runtime.js';
import { createJitWith } from '../jit.js';
import { describeModule, type JitModule } from './describe-module.js';
import { ModuleListing } from './module-listing.js';

/** Compiles programs of one object as the JIT does, and says what their module is made of. Throws what compiling throws. */
export function describeJit(executables: readonly Executable[], runtime: Runtime): JitModule {
  const listing = new ModuleListing();
  for (const program of createJitWith(formOps, {}, listing).instantiateAll(executables, runtime)) program.dispose();
  return describeModule(listing.bytes, listing);
}
