import type { Arch, ArchProbing } from '../arch.js';
import { linkRegisterReturns } from '../risc/link-register.js';
import { insnWord } from './insn-class.js';
import { planProbe } from './plan.js';
import { arm64PtRegs, Arm64Pstate, Arm64Slot } from './pt-regs.js';
import { MAX_ATOMIC_CONTEXT } from './refusal.js';

const { x30, sp, pc, pstate } = Arm64Slot;
const INSN_SIZE = 4;

/** Immediates of brk (arch/arm64/include/asm/brk-imm.h). */
const BREAKPOINT = brk(4);
const SLOT_BREAKPOINT = brk(6);
const UPROBE_BREAKPOINT = brk(5);

const probing: ArchProbing = {
  minInsnLength: INSN_SIZE,
  maxInsnLength: INSN_SIZE,
  breakpoint: () => BREAKPOINT,
  slotBreakpoint: () => SLOT_BREAKPOINT,
  uprobeBreakpoint: () => UPROBE_BREAKPOINT,
  isBreakpoint: (bytes) => (insnWord(bytes) & 0xffe0_001f) >>> 0 === 0xd420_0000,
  trapPcBias: 0,
  boundaryErrno: 'EINVAL',
  // Data among the code are no reason to lose the boundaries behind them.
  insnLength: (bytes, offset) => (bytes.length - offset >= INSN_SIZE ? INSN_SIZE : 0),
  contextSize: MAX_ATOMIC_CONTEXT,
  plan: planProbe,
  // As Linux's kprobes_save_local_irqflag(): breakpoint instructions trap all the same.
  maskInterrupts(regs) {
    const bits = regs.lo(pstate);
    regs.set(pstate, bits | Arm64Pstate.DAIF, regs.hi(pstate));
    return bits & Arm64Pstate.DAIF;
  },
  restoreInterrupts(regs, saved) {
    regs.set(pstate, (regs.lo(pstate) & ~Arm64Pstate.DAIF) | saved, regs.hi(pstate));
  },
};

function brk(immediate: number): Uint8Array {
  const bytes = new Uint8Array(INSN_SIZE);
  new DataView(bytes.buffer).setUint32(0, 0xd420_0000 + (immediate << 5), true);
  return bytes;
}

/** The 64-bit ARM architecture (A64), as Linux calls it. */
export const arm64: Arch = {
  name: 'arm64',
  littleEndian: true,
  pointerSize: 8,
  ptRegs: arm64PtRegs,
  probing,
  // Linux tells calls apart by the caller's frame pointer, which calls one after another from one function share.
  returns: linkRegisterReturns({ link: x30, sp, pc }),
};
