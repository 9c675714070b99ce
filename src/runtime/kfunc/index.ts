export { isKfunc, type Kfunc, type KfuncFlag, type KfuncIterator } from './kfunc.js';
export { kfuncTable } from './kfunc-table.js';
export { kfuncTypes } from './kfunc-types.js';
