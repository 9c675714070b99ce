import { Op } from '../../interp/op.js';
import { lowWord } from './scalar-arithmetic.js';
import { Kind, scalar, type Value } from './value.js';

const MAX_S32 = 2 ** 31 - 1;

/** Both sides of a comparison once its outcome is known. */
export interface Refined {
  readonly d: Value;
  readonly s: Value;
}

type Relation = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

interface Comparison {
  readonly relation: Relation;
  readonly signed: boolean;
  readonly is32: boolean;
}

function comparison(relation: Relation, signed = false, is32 = false): Comparison {
  return { relation, signed, is32 };
}

const comparisons: ReadonlyMap<number, Comparison> = new Map([
  [Op.jeq64, comparison('eq')],
  [Op.jne64, comparison('ne')],
  [Op.jgt64, comparison('gt')],
  [Op.jge64, comparison('ge')],
  [Op.jlt64, comparison('lt')],
  [Op.jle64, comparison('le')],
  [Op.jsgt64, comparison('gt', true)],
  [Op.jsge64, comparison('ge', true)],
  [Op.jslt64, comparison('lt', true)],
  [Op.jsle64, comparison('le', true)],
  [Op.jeq32, comparison('eq', false, true)],
  [Op.jne32, comparison('ne', false, true)],
  [Op.jgt32, comparison('gt', false, true)],
  [Op.jge32, comparison('ge', false, true)],
  [Op.jlt32, comparison('lt', false, true)],
  [Op.jle32, comparison('le', false, true)],
  [Op.jsgt32, comparison('gt', true, true)],
  [Op.jsge32, comparison('ge', true, true)],
  [Op.jslt32, comparison('lt', true, true)],
  [Op.jsle32, comparison('le', true, true)],
]);

const opposite: Readonly<Record<Relation, Relation>> = { eq: 'ne', ne: 'eq', lt: 'ge', le: 'gt', gt: 'le', ge: 'lt' };

/** What `d op s` being as `taken` says tells of two scalars; undefined where it cannot be. */
export function refined(op: number, taken: boolean, d: Value, s: Value): Refined | undefined {
  const known = comparisons.get(op);
  if (known === undefined || d.kind !== Kind.scalar || s.kind !== Kind.scalar) return { d, s };
  const { signed, is32 } = known;
  // Only values that are their own low words are told something by a comparison of low words.
  if (is32 && (!isItsLowWord(d) || !isItsLowWord(s))) return refined32(known, taken, d, s);
  const relation = taken ? known.relation : opposite[known.relation];
  if (is32 && signed) return isBelow31(d) && isBelow31(s) ? ordered(relation, d, s) : refinedSigned32(relation, d, s);
  if (signed || relation === 'eq' || relation === 'ne') return ordered(relation, d, s);
  return orderedUnsigned(relation, d, s);
}

/** One side is a constant that is negative as a 64-bit number. */
function refined32({ relation: asked, signed }: Comparison, taken: boolean, d: Value, s: Value): Refined | undefined {
  const relation = taken ? asked : opposite[asked];
  if (signed || !isItsLowWord(d)) return { d, s };
  const found =
    relation === 'eq' || relation === 'ne'
      ? ordered(relation, d, lowWord(s))
      : orderedUnsigned(relation, d, lowWord(s));
  return found === undefined ? undefined : { d: found.d, s };
}

/** `d` may have its sign bit set; if it is at least a number that has not, it has not, either. */
function refinedSigned32(relation: Relation, d: Value, s: Value): Refined | undefined {
  if (!isBelow31(s) || (relation !== 'gt' && relation !== 'ge')) return { d, s };
  const least = s.lo + (relation === 'gt' ? 1 : 0);
  const found = narrowed(d, least, MAX_S32);
  return found === undefined ? undefined : { d: found, s };
}

function isItsLowWord({ lo, hi }: Value): boolean {
  return lo >= 0 && hi < 2 ** 32;
}

function isBelow31({ hi }: Value): boolean {
  return hi <= MAX_S32;
}

/** Numbers from 0 to 2^63 - 1 compare in both ways the same; what may be outside is only bounded from above. */
function orderedUnsigned(relation: Relation, d: Value, s: Value): Refined | undefined {
  switch (relation) {
    case 'gt':
      return swapped(orderedUnsigned('lt', s, d));
    case 'ge':
      return swapped(orderedUnsigned('le', s, d));
    default: {
      // d below s: if s is no negative number, d is none.
      if (s.lo < 0) return { d, s };
      const less = narrowed(d, 0, relation === 'lt' ? s.hi - 1 : s.hi);
      if (less === undefined) return undefined;
      const more = narrowed(s, relation === 'lt' ? less.lo + 1 : less.lo, Infinity);
      return more === undefined ? undefined : { d: less, s: more };
    }
  }
}

function ordered(relation: Relation, d: Value, s: Value): Refined | undefined {
  switch (relation) {
    case 'gt':
      return swapped(ordered('lt', s, d));
    case 'ge':
      return swapped(ordered('le', s, d));
    case 'eq':
      return both(narrowed(d, s.lo, s.hi), narrowed(s, d.lo, d.hi));
    case 'ne':
      return both(without(d, s), without(s, d));
    case 'lt':
      return both(narrowed(d, -Infinity, s.hi - 1), narrowed(s, d.lo + 1, Infinity));
    default:
      return both(narrowed(d, -Infinity, s.hi), narrowed(s, d.lo, Infinity));
  }
}

function both(d: Value | undefined, s: Value | undefined): Refined | undefined {
  return d === undefined || s === undefined ? undefined : { d, s };
}

function swapped(found: Refined | undefined): Refined | undefined {
  return found === undefined ? undefined : { d: found.s, s: found.d };
}

function narrowed(value: Value, least: number, most: number): Value | undefined {
  const lo = Math.max(value.lo, least);
  const hi = Math.min(value.hi, most);
  if (lo > hi) return undefined;
  return lo === value.lo && hi === value.hi ? value : scalar(lo, hi);
}

/** The value is not `other`: that helps where `other` is one of the bounds. */
function without(value: Value, other: Value): Value | undefined {
  if (other.lo !== other.hi) return value;
  if (value.lo === other.lo) return narrowed(value, value.lo + 1, Infinity);
  return value.hi === other.lo ? narrowed(value, -Infinity, value.hi - 1) : value;
}
