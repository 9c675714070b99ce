import { Op } from '../../interp/op.js';
import { type ProgramCode, REGISTER_WORDS } from '../../interp/predecode.js';
import type { FlowGraph } from '../flow/flow-graph.js';
import { stepAt } from '../step.js';

/** Instructions that a loop may execute without being counted. */
const MOST_UNCOUNTED = 1 << 16;

/**
 * Blocks that jump back to themselves only while a register that grows by a constant is below another: whatever
 * it starts with, they go round `limit / step + 1` times at most. Those that end soon need not be counted.
 */
export function boundedLoops(code: ProgramCode, { blocks }: FlowGraph): ReadonlySet<number> {
  const bounded = new Set<number>();
  blocks.forEach(({ start, end, kind, successors }, block) => {
    if (kind !== 'branch' || successors[0] !== block) return;
    const rounds = mostRounds(code, start, end);
    if (rounds !== undefined && rounds * (end - start) <= MOST_UNCOUNTED) bounded.add(block);
  });
  return bounded;
}

function mostRounds(code: ProgramCode, start: number, end: number): number | undefined {
  const last = stepAt(code, end - 1);
  const is32 = last.op === Op.jlt32;
  const limit = constant(code, last.s);
  if ((!is32 && last.op !== Op.jlt64) || limit === undefined) return undefined;
  let step: number | undefined;
  for (let index = start; index < end - 1; index++) {
    const { op, d, s } = stepAt(code, index);
    // Calls and atomics write registers that they do not name as dst.
    if (op >= Op.callHelper) return undefined;
    if (d !== last.d || (op >= Op.store8 && op <= Op.store64)) continue;
    if (step !== undefined || op !== (is32 ? Op.add32 : Op.add64)) return undefined;
    step = constant(code, s);
    if (step === undefined || step === 0) return undefined;
  }
  return step === undefined ? undefined : Math.floor(limit / step) + 1;
}

/** A constant from 0 to 2^30, so that the sum of limit and step cannot wrap around. */
function constant({ registers }: ProgramCode, s: number): number | undefined {
  if (s < REGISTER_WORDS || registers[s + 1] !== 0) return undefined;
  const value = registers[s];
  return value >= 0 && value <= 1 << 30 ? value : undefined;
}
