import type { Arch, ArchProbing } from '../arch.js';
import { interruptEnableBit } from '../risc/interrupt-enable.js';
import { linkRegisterReturns } from '../risc/link-register.js';
import { INSN_BYTES, readInsn } from './decode.js';
import { classify } from './insn-class.js';
import { planProbe } from './plan.js';
import { loongArchPtRegs, LoongArchPrmd, LoongArchSlot } from './pt-regs.js';
import { LINKED_BYTES } from './refusal.js';

const { ra, sp, csr_era: era, csr_prmd: prmd } = LoongArchSlot;

/** Codes of `break` (arch/loongarch/include/uapi/asm/break.h). */
const KPROBE_BP = breakInsn(10);
const KPROBE_SSTEPBP = breakInsn(11);
const UPROBE_BP = breakInsn(12);

const probing: ArchProbing = {
  minInsnLength: INSN_BYTES,
  maxInsnLength: INSN_BYTES,
  contextSize: LINKED_BYTES,
  breakpoint: () => KPROBE_BP,
  slotBreakpoint: () => KPROBE_SSTEPBP,
  uprobeBreakpoint: () => UPROBE_BP,
  isBreakpoint: (bytes) => classify(readInsn(bytes, 0) ?? 0) === 'break',
  trapPcBias: 0,
  boundaryErrno: 'EILSEQ',
  insnLength: (bytes, offset) => (readInsn(bytes, offset) === null ? 0 : INSN_BYTES),
  plan: planProbe,
  ...interruptEnableBit(prmd, LoongArchPrmd.PIE),
};

function breakInsn(code: number): Uint8Array {
  return Uint8Array.of(code, 0x00, 0x2a, 0x00);
}

/** The 64-bit LoongArch architecture, as Linux calls it. */
export const loongarch64: Arch = {
  name: 'loongarch64',
  littleEndian: true,
  pointerSize: 8,
  ptRegs: loongArchPtRegs,
  probing,
  returns: linkRegisterReturns({ link: ra, sp, pc: era }),
};
