import { STACK_FRAME } from '../../interp/access-guard.js';
import { Op } from '../../interp/op.js';
import type { ProgramCode } from '../../interp/predecode.js';
import type { FlowGraph } from '../flow/flow-graph.js';
import { stepAt } from '../step.js';

/** Places that are followed; functions with more of them keep their other spills to themselves. */
const MOST_CELLS = 32;
const R10 = 10;

/** A place in the frame: bytes `from` to `to`, counted from r10. */
export interface FrameCell {
  readonly from: number;
  readonly to: number;
}

/** The places of a function's frame that it stores to by r10 and a constant: spilled registers, keys, structures. */
export class FrameCells {
  readonly cells: readonly FrameCell[];
  readonly #byPlace: ReadonlyMap<number, number>;

  constructor(code: ProgramCode, { blocks }: FlowGraph) {
    const cells: FrameCell[] = [];
    const byPlace = new Map<number, number>();
    for (const { start, end } of blocks) {
      for (let index = start; index < end; index++) {
        const { op, d, x } = stepAt(code, index);
        const size = d === R10 ? storeSize(op) : 0;
        if (size === 0 || x < -STACK_FRAME || x + size > 0 || byPlace.has(place(x, size))) continue;
        if (cells.length === MOST_CELLS) break;
        byPlace.set(place(x, size), cells.push({ from: x, to: x + size }) - 1);
      }
    }
    this.cells = cells;
    this.#byPlace = byPlace;
  }

  /** Number of the cell that is `size` bytes from `off`; -1: none is. */
  at(off: number, size: number): number {
    return this.#byPlace.get(place(off, size)) ?? -1;
  }
}

function place(off: number, size: number): number {
  return off * 16 + size;
}

function storeSize(op: number): number {
  switch (op) {
    case Op.store8:
      return 1;
    case Op.store16:
      return 2;
    case Op.store32:
      return 4;
    case Op.store64:
      return 8;
    default:
      return 0;
  }
}
