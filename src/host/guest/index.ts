export { GuestMemory, type PageRoots } from './guest-memory.js';
export type * from './guest-ram.js';
export { MappedRam, type RamView } from './mapped-ram.js';
export { Arm64Tables } from './paging/arm64-tables.js';
export { IdentityTables } from './paging/identity-tables.js';
export { Loongarch64Tables, type LoongarchTableShape } from './paging/loongarch64-tables.js';
export { NO_PAGE, PageAccess, type PageTables } from './paging/page-tables.js';
export { Riscv64Tables, parseSatp } from './paging/riscv64-tables.js';
export { I386Tables, X86_64Tables } from './paging/x86-tables.js';
