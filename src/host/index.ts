export type * from './host.js';
export { formatKallsyms, parseKallsyms, withSizes } from './kallsyms.js';
export { type KsymTextRange, parseKsymBlob } from './ksym/ksym-blob.js';
export { type KsymBlobOptions, type KsymEntry, writeKsymBlob } from './ksym/write-ksym-blob.js';
export { SymbolTable, type KernelSymbol } from './symbol-table.js';
export type * from './tracepoint-descriptor.js';
export type * from './user-text.js';
export { whyNoFunction } from './missing-function.js';
export { nearestNames } from './nearest-names.js';
