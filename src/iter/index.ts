export type { IterFile } from './iter-file.js';
export type { IterOptions } from './iter-target.js';
export { type IterAttachment, Iterators, type IterLink } from './iterators.js';
