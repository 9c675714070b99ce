import { Op } from '../../interp/op.js';
import { type ProgramCode, REGISTER_WORDS } from '../../interp/predecode.js';
import type { Block } from '../flow/flow-graph.js';
import type { Keep, Rotate } from '../lower/emitter.js';
import { stepAt } from '../step.js';

const REGISTERS = 11;

/** A register that holds `value` of earlier shifted by a constant. */
interface Shift {
  readonly left: boolean;
  readonly width: 32 | 64;
  readonly value: number;
  readonly by: number;
  /** The instruction that shifted, and the register it found the value in. */
  readonly index: number;
  readonly register: number;
}

export interface Rotations {
  readonly rotates: Map<number, Rotate>;
  readonly kept: Map<number, Keep[]>;
}

/**
 * Finds rotations: compilers write `x << n | x >> (width - n)` as two shifts of copies and an `or`. The value is
 * kept where the first of the two is about to shift it.
 */
export function findRotates(code: ProgramCode, block: Block, found: Rotations): void {
  const { registers } = code;
  let versions = 0;
  const version = Array.from({ length: REGISTERS }, () => versions++);
  const shifts: (Shift | undefined)[] = Array.from({ length: REGISTERS }, () => undefined);
  for (let index = block.start; index < block.end; index++) {
    const { op, d, s } = stepAt(code, index);
    const isConstant = s >= REGISTER_WORDS;
    if (op === Op.mov64 && !isConstant) {
      version[d] = version[s / 2];
      shifts[d] = shifts[s / 2];
      continue;
    }
    const shift = isConstant ? shiftOf(op, registers[s], { value: version[d], index, register: d }) : undefined;
    const width = op === Op.or64 ? 64 : op === Op.or32 ? 32 : 0;
    if (width !== 0 && !isConstant) note(found, index, width, shifts[d], shifts[s / 2]);
    if (!writes(op)) continue;
    version[d] = versions++;
    shifts[d] = shift;
    if (op < Op.callHelper) continue;
    for (let r = 0; r < REGISTERS; r++) {
      version[r] = versions++;
      shifts[r] = undefined;
    }
  }
}

/** Operations that leave dst alone. */
function writes(op: number): boolean {
  return !((op >= Op.ja && op <= Op.may_goto) || (op >= Op.store8 && op <= Op.store64));
}

function shiftOf(op: number, by: number, where: Pick<Shift, 'value' | 'index' | 'register'>): Shift | undefined {
  switch (op) {
    case Op.lsh64:
      return { ...where, left: true, width: 64, by: by & 63 };
    case Op.rsh64:
      return { ...where, left: false, width: 64, by: by & 63 };
    case Op.lsh32:
      return { ...where, left: true, width: 32, by: by & 31 };
    case Op.rsh32:
      return { ...where, left: false, width: 32, by: by & 31 };
    default:
      return undefined;
  }
}

function note(found: Rotations, index: number, width: number, a: Shift | undefined, b: Shift | undefined): void {
  if (a === undefined || b === undefined || a.value !== b.value || a.left === b.left) return;
  if (a.width !== width || b.width !== width || a.by + b.by !== width) return;
  const first = a.index < b.index ? a : b;
  const keep = index;
  found.rotates.set(index, { keep, by: a.left ? a.by : b.by });
  const keeps = found.kept.get(first.index) ?? [];
  keeps.push({ keep, register: first.register });
  found.kept.set(first.index, keeps);
}
