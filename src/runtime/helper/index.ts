export { createHelperTable, helperByName, type HelperTableOptions } from './helper-table.js';
export type { Helper, HelperArg, HelperImpl, HelperReturn } from './helper.js';
export { cgroupById } from './cgroup-helpers.js';
export { discardReservations } from './ringbuf-helpers.js';
