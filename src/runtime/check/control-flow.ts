import type { ProgramInput } from '../executable.js';
import { LDIMM64 } from '../isa/index.js';
import { CheckError } from './check-error.js';
import {
  isCallbackReference,
  isExit,
  isJump,
  isMayGoto,
  isSubprogCall,
  isUnconditional,
  jumpTarget,
  subprogTarget,
} from './jumps.js';

/**
 * Follows every edge from the entry and returns the slots in the order in which the kernel first walks them:
 * calls before what follows them, then what falls through, then branches. Refuses instructions that nothing
 * reaches and jumps into the second slot of a 64-bit immediate.
 */
export function walkControlFlow(input: ProgramInput): readonly number[] {
  const { insns } = input;
  const seen = new Uint8Array(insns.length);
  const order: number[] = [];
  const pending = [0];
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    if (seen[index] === 1) continue;
    seen[index] = 1;
    order.push(index);
    pushSuccessors(input, index, pending);
  }
  checkAllSeen(input, seen);
  return order;
}

/** Pushes what may follow, the first to be walked last. */
function pushSuccessors(input: ProgramInput, index: number, pending: number[]): void {
  const insn = input.insns[index];
  if (isExit(insn)) return;
  const next = index + (insn.code === LDIMM64 ? 2 : 1);
  if (isCallbackReference(insn)) {
    pending.push(subprogTarget(insn, index), next);
  } else if (isSubprogCall(insn)) {
    pending.push(next, subprogTarget(insn, index));
  } else if (!isJump(insn)) {
    pending.push(next);
  } else if (isUnconditional(insn)) {
    pending.push(jumpTarget(insn, index));
  } else if (isMayGoto(insn)) {
    pending.push(next, jumpTarget(insn, index));
  } else {
    pending.push(jumpTarget(insn, index), next);
  }
}

function checkAllSeen(input: ProgramInput, seen: Uint8Array): void {
  for (let index = 0; index < seen.length; index++) {
    if (seen[index] === 0) {
      const remedy = 'remove it, or let some path lead to it';
      throw new CheckError(input, { code: 'EINVAL', verdict: `unreachable insn ${index}`, insn: index, remedy });
    }
    if (input.insns[index].code !== LDIMM64) continue;
    if (seen[index + 1] === 1) {
      const verdict = `jump into the middle of ldimm64 insn ${index}`;
      throw new CheckError(input, { code: 'EINVAL', verdict, insn: index });
    }
    index++;
  }
}
