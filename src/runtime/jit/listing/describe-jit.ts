import type { Executable } from '../../executable.js';
import { formOps } from '../../interp/form-ops.js';
import type { Runtime } from '../../runtime.js';
import { createJitWith } from '../jit.js';
import { describeModule, type JitModule } from './describe-module.js';
import { ModuleListing } from './module-listing.js';

/** Compiles a program as the JIT does for `runtime`, and says what its module is made of. Throws what compiling throws. */
export function describeJit(executable: Executable, runtime: Runtime): JitModule {
  const listing = new ModuleListing();
  createJitWith(formOps, {}, listing).instantiate(executable, runtime).dispose();
  return describeModule(listing.bytes, listing.functions);
}
