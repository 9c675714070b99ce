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
  const isLeader = findLeaders(code, entry);
  // The entry is block 0 wherever it stands.
  const starts = [entry];
  const blockAt = new Int32Array(isLeader.length);
  isLeader[entry] = 0;
  for (let index = isLeader.indexOf(1); index >= 0; index = isLeader.indexOf(1, index + 1))
    blockAt[index] = starts.push(index) - 1;
  isLeader[entry] = 1;
  return { blocks: starts.map((start) => makeBlock(code, start, isLeader, blockAt)) };
}

/** By instruction: 1 where a block begins. */
function findLeaders(code: ProgramCode, entry: number): Uint8Array {
  const count = stepCount(code);
  const isLeader = new Uint8Array(count + 1);
  const pending = [entry];
  const walked = new Uint8Array(count);
  isLeader[entry] = 1;
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (let index = at; walked[index] === 0; index++) {
      walked[index] = 1;
      const { op, x } = stepAt(code, index);
      if (op === Op.exit) break;
      if (!isJumpOp(op)) continue;
      const target = indexOfWord(x);
      isLeader[target] = 1;
      pending.push(target);
      if (op === Op.ja) break;
      isLeader[index + 1] = 1;
    }
  }
  return isLeader;
}

function makeBlock(code: ProgramCode, start: number, isLeader: Uint8Array, blockAt: Int32Array): Block {
  for (let index = start; ; index++) {
    if (index === stepCount(code)) throw new TypeError('a function runs past the end of the program');
    const { op, x } = stepAt(code, index);
    const end = index + 1;
    if (op === Op.exit) return { start, end, kind: 'exit', successors: [] };
    if (isJumpOp(op)) {
      const target = blockAt[indexOfWord(x)];
      const next = op === Op.ja ? target : blockAt[end];
      if (target === next) return { start, end, kind: 'goto', successors: [target] };
      return { start, end, kind: 'branch', successors: [target, next] };
    }
    if (isLeader[end] === 1) return { start, end, kind: 'goto', successors: [blockAt[end]] };
  }
}
