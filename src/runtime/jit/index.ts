export { createJit, type JitOptions } from './jit.js';
export { describeJit } from './listing/describe-jit.js';
export type { JitFunction, JitInsn, JitModule, JitOrigin } from './listing/describe-module.js';
export { formatWat } from './listing/format-wat.js';
export { unstructuredFunctions } from './unstructured-functions.js';
export type { ProgramFacts } from './analysis/program-facts.js';
