import type { ProgramInput, Subprog } from '../executable.js';
import { BPF_MAX_SUBPROGS, type Insn } from '../isa/index.js';
import { CheckError } from './check-error.js';
import {
  isCallbackReference,
  isExit,
  isJump,
  isSubprogCall,
  isUnconditional,
  jumpTarget,
  subprogTarget,
} from './jumps.js';

/**
 * The program's functions, in order of their first slots: one starts wherever a call or a callback reference
 * points, in dead code too. Refuses targets outside the program and more functions than Linux takes.
 */
export function findSubprogs(input: ProgramInput): Subprog[] {
  const starts = new Set([0]);
  const callbacks = new Set<number>();
  input.insns.forEach((insn, index) => {
    const callback = isCallbackReference(insn);
    if (!callback && !isSubprogCall(insn)) return;
    const target = subprogTarget(insn, index);
    if (target < 0 || target >= input.insns.length) {
      throw new CheckError(input, { code: 'EINVAL', verdict: 'call to invalid destination', insn: index });
    }
    starts.add(target);
    if (starts.size > BPF_MAX_SUBPROGS) {
      const remedy = `a program may have ${BPF_MAX_SUBPROGS} functions, the entry included`;
      throw new CheckError(input, { code: 'E2BIG', verdict: 'too many subprograms', insn: index, remedy });
    }
    if (callback) callbacks.add(target);
  });
  const sorted = [...starts].toSorted((a, b) => a - b);
  return sorted.map((start, i) => ({
    name: input.functionNames?.get(start) ?? (i === 0 ? input.name : `subprog_${i}`),
    start,
    end: sorted[i + 1] ?? input.insns.length,
    isCallback: callbacks.has(start),
  }));
}

/** Refuses jumps that leave their function, and functions that may run on into the next. */
export function checkSubprogBounds(input: ProgramInput, subprogs: readonly Subprog[]): void {
  for (const subprog of subprogs) {
    for (let index = subprog.start; index < subprog.end; index++) checkJump(input, subprog, index);
    const last = input.insns[subprog.end - 1];
    if (endsFunction(last)) continue;
    throw new CheckError(input, {
      code: 'EINVAL',
      verdict: 'last insn is not an exit or jmp',
      insn: subprog.end - 1,
      remedy: `end function ${subprog.name} with exit or an unconditional jump`,
    });
  }
}

function checkJump(input: ProgramInput, subprog: Subprog, index: number): void {
  const insn = input.insns[index];
  if (!isJump(insn)) return;
  const target = jumpTarget(insn, index);
  if (target >= subprog.start && target < subprog.end) return;
  throw new CheckError(input, {
    code: 'EINVAL',
    verdict: `jump out of range from insn ${index} to ${target}`,
    insn: index,
    remedy: `function ${subprog.name} has insns ${subprog.start} to ${subprog.end - 1}`,
  });
}

function endsFunction(insn: Insn): boolean {
  return isExit(insn) || isUnconditional(insn);
}
