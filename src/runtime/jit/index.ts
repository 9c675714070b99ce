export { createJit, type JitOptions } from './jit.js';
export type { ProgramFacts } from './analysis/program-facts.js';
