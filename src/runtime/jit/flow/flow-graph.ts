import { Op } from '../../interp/op.js';
import type { ProgramCode } from '../../interp/predecode.js';
import { indexOfWord, stepAt, stepCount } from '../step.js';

/** How a block ends. */
export type BlockEnd =
  /** One successor: a jump, or simply the next block. */
  | 'goto'
  /** Two: successors[0] where the condition of the last instruction holds, else successors[1]. */
  | 'branch'
  | 'exit';

/** A straight run of predecoded instructions, by index. */
export interface Block {
  readonly start: number;
  /** One past the last instruction. */
  readonly end: number;
  readonly kind: BlockEnd;
  /** Indexes of blocks. */
  readonly successors: readonly number[];
}

/** The blocks of one function; block 0 is its entry. */
export interface FlowGraph {
  readonly blocks: readonly Block[];
}

const FIRST_JUMP: number = Op.ja;
const LAST_JUMP: number = Op.may_goto;

export function isJumpOp(op: number): boolean {
  return op >= FIRST_JUMP && op <= LAST_JUMP;
}

/** Splits the function that begins at predecoded instruction `entry` into the blocks that are reached from there. */
export function flowGraph(code: ProgramCode, entry: number): FlowGraph {
  const leaders = findLeaders(code, entry);
  const starts = [...leaders].toSorted((a, b) => a - b);
  // The entry is block 0 wherever it stands.
  starts.splice(starts.indexOf(entry), 1);
  starts.unshift(entry);
  const blockAt = new Map(starts.map((start, index) => [start, index]));
  const blockOf = (index: number): number => blockAt.get(index) ?? 0;
  return { blocks: starts.map((start) => makeBlock(code, start, leaders, blockOf)) };
}

function findLeaders(code: ProgramCode, entry: number): Set<number> {
  const leaders = new Set<number>([entry]);
  const pending = [entry];
  const walked = new Uint8Array(stepCount(code));
  const lead = (index: number): void => {
    leaders.add(index);
    pending.push(index);
  };
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (let index = at; walked[index] === 0; index++) {
      walked[index] = 1;
      const { op, x } = stepAt(code, index);
      if (op === Op.exit) break;
      if (!isJumpOp(op)) continue;
      lead(indexOfWord(x));
      if (op !== Op.ja) lead(index + 1);
      break;
    }
  }
  return leaders;
}

function makeBlock(
  code: ProgramCode,
  start: number,
  leaders: ReadonlySet<number>,
  blockOf: (index: number) => number,
): Block {
  for (let index = start; ; index++) {
    if (index === stepCount(code)) throw new TypeError('a function runs past the end of the program');
    const { op, x } = stepAt(code, index);
    const end = index + 1;
    if (op === Op.exit) return { start, end, kind: 'exit', successors: [] };
    if (isJumpOp(op)) {
      const target = blockOf(indexOfWord(x));
      const next = op === Op.ja ? target : blockOf(end);
      if (target === next) return { start, end, kind: 'goto', successors: [target] };
      return { start, end, kind: 'branch', successors: [target, next] };
    }
    if (leaders.has(end)) return { start, end, kind: 'goto', successors: [blockOf(end)] };
  }
}
