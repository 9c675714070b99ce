export { createJit, type JitOptions } from './jit.js';
export { describeJit, type JitFunction, type JitInsn, type JitModule, type JitOrigin } from './listing/describe-jit.js';
export { formatWat } from './listing/format-wat.js';
export type { ProgramFacts } from './analysis/program-facts.js';
