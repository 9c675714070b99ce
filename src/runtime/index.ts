export * from './isa/index.js';
export * from './dispatch/index.js';
