export type * from './host.js';
export { parseKallsyms, withSizes } from './kallsyms.js';
export { SymbolTable, type KernelSymbol } from './symbol-table.js';
export type * from './tracepoint-descriptor.js';
