import { BpfPseudo } from '../../base/index.js';
import {
  BPF_CALL,
  BPF_EXIT,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_X,
  CALL,
  EXIT,
  LDIMM64,
  classOf,
  opOf,
  type Insn,
} from '../isa/index.js';

/** Code of a call through a register. */
export const CALLX = BPF_JMP | BPF_CALL | BPF_X;

/** Whether the instruction jumps within its function: conditionally or not, but no call and no exit. */
export function isJump(insn: Insn): boolean {
  const cls = classOf(insn.code);
  if (cls !== BPF_JMP && cls !== BPF_JMP32) return false;
  return opOf(insn.code) !== BPF_CALL && opOf(insn.code) !== BPF_EXIT;
}

/** Whether nothing but the jump's target can follow it. */
export function isUnconditional(insn: Insn): boolean {
  return opOf(insn.code) === BPF_JA && isJump(insn);
}

export function isMayGoto(insn: Insn): boolean {
  return insn.code === (BPF_JMP | BPF_JCOND);
}

/** Slot a jump at `index` goes to. */
export function jumpTarget(insn: Insn, index: number): number {
  const distance = insn.code === (BPF_JMP32 | BPF_JA) ? insn.imm : insn.off;
  return (index + distance + 1) | 0;
}

export function isExit(insn: Insn): boolean {
  return insn.code === EXIT;
}

export function isSubprogCall(insn: Insn): boolean {
  return insn.code === CALL && insn.src === BpfPseudo.BPF_PSEUDO_CALL;
}

/** A 64-bit immediate that is the address of a subprogram. */
export function isCallbackReference(insn: Insn): boolean {
  return insn.code === LDIMM64 && insn.src === BpfPseudo.BPF_PSEUDO_FUNC;
}

/** First slot of the subprogram that a call or callback reference at `index` names. */
export function subprogTarget(insn: Insn, index: number): number {
  return (index + insn.imm + 1) | 0;
}
