import type { ProgramInput, Subprog } from '../executable.js';
import { MAX_CALL_FRAMES } from '../isa/index.js';
import { CheckError } from './check-error.js';
import { isSubprogCall, subprogTarget } from './jumps.js';

interface Call {
  readonly insn: number;
  readonly callee: number;
}

/**
 * Refuses chains of calls deeper than Linux's 8 frames, and with them all recursion. Callbacks are not
 * followed: whether one runs in its caller's frames or later on its own is known only when it is called.
 */
export function checkCallDepth(input: ProgramInput, subprogs: readonly Subprog[]): void {
  const calls = callGraph(input, subprogs);
  /** Frames that running each subprogram takes, its own included; 0: not known yet. */
  const frames = new Uint8Array(subprogs.length);

  function framesOf(subprog: number, level: number): number {
    if (frames[subprog] > 0) return frames[subprog];
    let below = 0;
    for (const { insn, callee } of calls[subprog]) {
      if (level === MAX_CALL_FRAMES) throw tooDeep(input, insn);
      const taken = framesOf(callee, level + 1);
      if (level + taken > MAX_CALL_FRAMES) throw tooDeep(input, insn);
      below = Math.max(below, taken);
    }
    frames[subprog] = below + 1;
    return below + 1;
  }

  for (const subprog of subprogs.keys()) framesOf(subprog, 1);
}

function tooDeep(input: ProgramInput, insn: number): CheckError {
  return new CheckError(input, {
    code: 'E2BIG',
    verdict: `the call stack of ${MAX_CALL_FRAMES + 1} frames is too deep`,
    insn,
    remedy: `calls nest ${MAX_CALL_FRAMES} deep at most, the entry included, and recursion is not possible`,
  });
}

function callGraph(input: ProgramInput, subprogs: readonly Subprog[]): Call[][] {
  const byStart = new Map(subprogs.map((subprog, i) => [subprog.start, i]));
  return subprogs.map(({ start, end }) => {
    const calls: Call[] = [];
    for (let insn = start; insn < end; insn++) {
      if (!isSubprogCall(input.insns[insn])) continue;
      const callee = byStart.get(subprogTarget(input.insns[insn], insn));
      if (callee !== undefined) calls.push({ insn, callee });
    }
    return calls;
  });
}
