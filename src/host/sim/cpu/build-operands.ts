import type { X86Insn } from '../../../arch/x86/insn.js';
import { type Op, OperandKind } from './op.js';

/** Copies the memory operand's parts. */
export function memoryOperand(insn: X86Insn, op: Op): void {
  op.base = insn.base < 0 ? -1 : 2 * insn.base;
  op.index = insn.index < 0 ? -1 : 2 * insn.index;
  op.scale = insn.scale;
  op.dispLo = insn.disp;
  op.dispHi = insn.disp >> 31;
  op.ripRelative = insn.ripRelative;
  op.segment = insn.segment === 0x64 ? 1 : insn.segment === 0x65 ? 2 : 0;
}

/** Sets one operand to register `number`, which may mean AH to BH for bytes without REX. */
function setRegister(insn: X86Insn, op: Op, side: 'd' | 's', number: number, size: number): void {
  const high = size === 1 && insn.rex === 0 && number >= 4;
  const w = 2 * (high ? number - 4 : number);
  const kind = high ? OperandKind.HIGH_BYTE : OperandKind.REGISTER;
  if (side === 'd') {
    op.d = w;
    op.dKind = kind;
  } else {
    op.s = w;
    op.sKind = kind;
  }
}

/** The register of ModRM.reg. */
export function regOperand(insn: X86Insn, op: Op, side: 'd' | 's'): void {
  setRegister(insn, op, side, insn.reg, op.size);
}

/** Register or memory of ModRM.rm as the given side; `size` where it is not the operand size (movzx). */
export function registerRm(insn: X86Insn, op: Op, side: 'd' | 's', size: number = op.size): void {
  if (!insn.memory) return setRegister(insn, op, side, insn.rm, size);
  if (side === 'd') op.dKind = OperandKind.MEMORY;
  else op.sKind = OperandKind.MEMORY;
  memoryOperand(insn, op);
}

export function modrmDestination(insn: X86Insn, op: Op): void {
  registerRm(insn, op, 'd');
}
