import { Loongarch64Tables, NO_PAGE } from '../../guest/index.js';
import { returnStubCode } from './trap-stub-code.js';
import type { TrapArch } from './trap-arch.js';

const PRMD_SLOT = 36;
const PRIVILEGE = 3;

/** Linux on loongarch64: break goes through handle_bp to do_bp(regs). The stub of QEMU 7.2 shows no control registers. */
export const loongarch64Traps: TrapArch = {
  name: 'loongarch64',
  registers: {
    ...Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`r${i}`, `r${i}`])),
    csr_era: 'pc',
  },
  pc: 'pc',
  isUser: (regs) => (regs.lo(PRMD_SLOT) & PRIVILEGE) !== 0,
  // Kernel addresses are direct windows; where programs' tables are the stub does not show.
  root: () => NO_PAGE,
  postedRoot: () => NO_PAGE,
  kernelRoot: () => NO_PAGE,
  tables: (ram) => new Loongarch64Tables(ram),
  takesInterrupts: () => false,
  current: (cpu) => cpu.get('r2'),
  postsCurrent: () => false,
  stubs: {},
  returns: returnStubCode.loongarch64,
  stubParameter: () => 0n,
  handler: {
    symbol: 'do_bp',
    argument: 'r4',
    path: ['handle_bp', 'do_bp'],
    leave(cpu) {
      cpu.set('pc', cpu.get('r1'));
      return true;
    },
    // No stub, no jump to it.
    jump: () => null,
    isMovable: () => false,
  },
  room: null,
};
