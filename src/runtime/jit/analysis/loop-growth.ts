import { Op } from '../../interp/op.js';
import type { Step } from '../step.js';
import { FAR, Kind, type Value } from './value.js';

const MAX_U32 = 2 ** 32 - 1;

/**
 * By how much at least an addition makes its register larger (or, negative, smaller) each time, if it never wraps
 * around; 0 for all else.
 */
export function growthOf({ op }: Pick<Step, 'op'>, d: Value, s: Value): number {
  if (d.kind !== Kind.scalar || s.kind !== Kind.scalar) return 0;
  switch (op) {
    case Op.add64:
      return inside(d.lo + s.lo, d.hi + s.hi, -FAR, FAR) ? least(s.lo, s.hi) : 0;
    case Op.sub64:
      return inside(d.lo - s.hi, d.hi - s.lo, -FAR, FAR) ? least(-s.hi, -s.lo) : 0;
    // The negative numbers among the sources are constants: the low words are added as if these were negative, too.
    case Op.add32:
      return d.lo >= 0 && inside(d.lo + s.lo, d.hi + s.hi, 0, MAX_U32) ? least(s.lo, s.hi) : 0;
    case Op.sub32:
      return d.lo >= 0 && inside(d.lo - s.hi, d.hi - s.lo, 0, MAX_U32) ? least(-s.hi, -s.lo) : 0;
    default:
      return 0;
  }
}

function inside(lo: number, hi: number, from: number, to: number): boolean {
  return lo >= from && hi <= to;
}

/** The number of least magnitude from `lo` to `hi`. */
function least(lo: number, hi: number): number {
  if (lo > 0) return lo;
  return hi < 0 ? hi : 0;
}
