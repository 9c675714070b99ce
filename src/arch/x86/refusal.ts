import type { ErrnoName } from '../../base/index.js';
import type { X86InsnClass } from './insn-class.js';
import type { X86Insn } from './insn.js';

/** Why an instruction cannot be probed, with the errno that register_kprobe() gives. */
export interface Refusal {
  readonly errno: ErrnoName;
  readonly reason: string;
}

/**
 * Classes that neither a simulation nor a slot can stand for. Linux refuses the first five (the instruction
 * emulation in arch/x86/kernel/kprobes/core.c and its check for exception-masking instructions); the others
 * occur only in code that Linux keeps out of reach by its blacklist.
 */
const REFUSED: Partial<Record<X86InsnClass, Refusal>> = {
  int3: { errno: 'EINVAL', reason: 'a breakpoint that kscope did not place stands here' },
  iret: { errno: 'EOPNOTSUPP', reason: 'iret leaves the kernel from within the probe' },
  'far-transfer': { errno: 'EOPNOTSUPP', reason: 'far calls, jumps and returns change the code segment' },
  'mov-ss': { errno: 'EINVAL', reason: 'a load of SS holds off the trap behind it' },
  ud: { errno: 'EINVAL', reason: 'ud marks a BUG() or WARN(), found by its address' },
  int: { errno: 'EOPNOTSUPP', reason: 'a software interrupt would be entered from the slot' },
  hlt: { errno: 'EOPNOTSUPP', reason: 'hlt in a slot would sleep with interrupts off' },
  syscall: { errno: 'EOPNOTSUPP', reason: 'syscall and sysenter take their return address from the pc' },
  sysret: { errno: 'EOPNOTSUPP', reason: 'sysret and sysexit leave the kernel from within the probe' },
};

/** Why `insn` is refused, or null. */
export function refusalOf(insn: X86Insn): Refusal | null {
  const byClass = REFUSED[insn.class];
  if (byClass !== undefined) return byClass;
  if (isVmExtension(insn)) return { errno: 'EOPNOTSUPP', reason: 'VM extensions depend on where they run' };
  if (isSwapgs(insn)) return { errno: 'EINVAL', reason: 'a trap behind swapgs would find the user GS base' };
  if (insn.ripRelative && insn.addressSize === 4) {
    return { errno: 'EOPNOTSUPP', reason: 'EIP-relative operands cannot be moved' };
  }
  if (insn.operandSize === 2 && (insn.class === 'popf' || insn.class === 'pushf')) {
    return { errno: 'EOPNOTSUPP', reason: 'a 16-bit move of the flags is not simulated' };
  }
  if (insn.bits === 32) return refusalOf32Bit(insn) ?? refusalOfIndirect(insn);
  return refusalOfIndirect(insn);
}

const BRANCHES: readonly X86InsnClass[] = [
  'jmp-rel',
  'jcc',
  'loop',
  'call-rel',
  'jmp-indirect',
  'call-indirect',
  'ret',
];

function refusalOf32Bit(insn: X86Insn): Refusal | null {
  // Linux's insn_masking_exceptions() has the number of pop ds where it means pop ss; both are refused here.
  if (insn.encoding === 'none' && insn.map === 0 && insn.opcode === 0x1f) {
    return { errno: 'EINVAL', reason: 'Linux takes pop ds for pop ss, which holds off the trap behind it' };
  }
  if (insn.operandSize !== 2 || !BRANCHES.includes(insn.class)) return null;
  return { errno: 'EOPNOTSUPP', reason: 'a branch with 16-bit operands cuts the pc' };
}

function refusalOfIndirect(insn: X86Insn): Refusal | null {
  if (insn.class !== 'call-indirect' && insn.class !== 'jmp-indirect') return null;
  if (!insn.memory) return null;
  if (insn.addressSize === 2) return { errno: 'EOPNOTSUPP', reason: '16-bit addresses are not simulated' };
  if (insn.segment < 0x64) return null;
  return { errno: 'EOPNOTSUPP', reason: 'the branch target lies behind a segment base that a trap does not show' };
}

/** vmcall and its kin: 0F 01 with register operands and ModRM.reg 0. */
function isVmExtension(insn: X86Insn): boolean {
  return isGroup7(insn) && (insn.modrm & 0xf8) === 0xc0;
}

function isSwapgs(insn: X86Insn): boolean {
  return isGroup7(insn) && insn.modrm === 0xf8;
}

function isGroup7(insn: X86Insn): boolean {
  return insn.encoding === 'none' && insn.map === 1 && insn.opcode === 0x01;
}
