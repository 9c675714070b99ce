import { Op } from '../../interp/op.js';
import { REGISTER_WORDS } from '../../interp/predecode.js';
import type { Step } from '../step.js';
import type { ProgramState } from './program-state.js';
import { refined } from './refine.js';
import { Kind, NO_SITE, notNull, same, type Value, withExtent, ZERO } from './value.js';

/** What a branch's outcome tells, put into `state`, which is thrown away if the answer is false: that way is never taken. */
export function followBranch(state: ProgramState, step: Step, taken: boolean, source: Value): boolean {
  const { op, d, s } = step;
  const tested = state.values[d];
  if (tested.kind === Kind.scalar && source.kind === Kind.scalar) {
    const found = refined(op, taken, tested, source);
    if (found === undefined) return false;
    state.values[d] = found.d;
    if (s < REGISTER_WORDS && s >> 1 !== d) state.values[s >> 1] = found.s;
  } else if (isOrNull(tested) && same(source, ZERO)) comparedWithNull(state, op, taken, tested);
  else if (tested.kind === Kind.packet && source.kind === Kind.packetEnd) comparedWithEnd(state, d, op, taken);
  else if (tested.kind === Kind.packetEnd && source.kind === Kind.packet)
    comparedWithEnd(state, s >> 1, mirrored.get(op) ?? op, taken);
  return true;
}

function isOrNull({ kind }: Value): boolean {
  return kind === Kind.valueOrNull || kind === Kind.recordOrNull;
}

/** All copies of a looked-up pointer are NULL or are not. */
function comparedWithNull(state: ProgramState, op: number, taken: boolean, tested: Value): void {
  if (op !== Op.jeq64 && op !== Op.jne64) return;
  const now = (op === Op.jeq64) === taken ? ZERO : notNull(tested);
  state.replace((value) => (same(value, tested) ? now : value));
}

const mirrored: ReadonlyMap<number, number> = new Map<number, number>([
  [Op.jgt64, Op.jlt64],
  [Op.jge64, Op.jle64],
  [Op.jlt64, Op.jgt64],
  [Op.jle64, Op.jge64],
]);

/** Bytes that the packet has from the pointer on, if `pointer op end` is as `taken` says. */
function extentAfter(op: number, taken: boolean): number | undefined {
  switch (op) {
    case Op.jgt64:
      return taken ? undefined : 0;
    case Op.jge64:
      return taken ? undefined : 1;
    case Op.jle64:
      return taken ? 0 : undefined;
    case Op.jlt64:
      return taken ? 1 : undefined;
    default:
      return undefined;
  }
}

/** Tells all pointers of the same origin, as the kernel's verifier does, and the packet how long it is at least. */
function comparedWithEnd(state: ProgramState, r: number, op: number, taken: boolean): void {
  const pointer = state.values[r];
  const extent = extentAfter(op, taken);
  // What may have wrapped around compares as it likes.
  if (extent === undefined || pointer.lo === -Infinity) return;
  state.values[r] = withExtent(pointer, extent);
  if (pointer.site !== NO_SITE) {
    state.replace((value) =>
      value.kind === Kind.packet && value.site === pointer.site
        ? withExtent(value, pointer.at - value.at + extent)
        : value,
    );
  }
  state.packetHas(pointer.lo + extent);
}
