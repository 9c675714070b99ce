export type * from './arch.js';
export { PtRegs, type PtRegsLayout } from './pt-regs.js';
