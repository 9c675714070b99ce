import type { Arch, ArchProbing } from '../arch.js';
import { interruptEnableBit } from '../risc/interrupt-enable.js';
import { linkRegisterReturns } from '../risc/link-register.js';
import { insnLength } from './decode.js';
import { planProbe } from './plan.js';
import { riscvPtRegs, RiscvSlot, RiscvStatus } from './pt-regs.js';
import { RESERVATION_BYTES } from './refusal.js';

const { ra, sp, epc, status } = RiscvSlot;
const EBREAK = Uint8Array.of(0x73, 0x00, 0x10, 0x00);
const C_EBREAK = Uint8Array.of(0x02, 0x90);

/** Breakpoints have the size of the instruction they stand for, as in Linux since 6.2: never half of one is left. */
const probing: ArchProbing = {
  minInsnLength: 2,
  maxInsnLength: 4,
  contextSize: RESERVATION_BYTES,
  breakpoint: (length) => (length === 2 ? C_EBREAK : EBREAK),
  slotBreakpoint: () => EBREAK,
  // UPROBE_SWBP_INSN of a kernel with the C extension, whatever it stands for.
  uprobeBreakpoint: () => C_EBREAK,
  isBreakpoint: (bytes) => startsWith(bytes, C_EBREAK) || startsWith(bytes, EBREAK),
  trapPcBias: 0,
  boundaryErrno: 'EILSEQ',
  insnLength,
  plan: planProbe,
  ...interruptEnableBit(status, RiscvStatus.SPIE),
};

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}

/** The 64-bit RISC-V architecture with compressed instructions, as Linux calls it. */
export const riscv64: Arch = {
  name: 'riscv64',
  littleEndian: true,
  pointerSize: 8,
  ptRegs: riscvPtRegs,
  probing,
  returns: linkRegisterReturns({ link: ra, sp, pc: epc }),
};
