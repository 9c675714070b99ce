export type { IterFile } from './iter-file.js';
export { KernelReader } from './kernel-reader.js';
export type { IterOptions } from './iter-target.js';
export { type IterAttachment, Iterators, type IterLink } from './iterators.js';
