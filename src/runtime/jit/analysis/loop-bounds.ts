import { Op } from '../../interp/op.js';
import type { ProgramCode } from '../../interp/predecode.js';
import type { Dominators } from '../flow/dominators.js';
import type { FlowGraph } from '../flow/flow-graph.js';
import { stepAt } from '../step.js';
import type { ProgramState } from './program-state.js';
import { Kind } from './value.js';

/** Which part of a run's budget a loop of the program's entry may use without being counted. */
const UNCOUNTED_PART = 1 / 64;
/**
 * Instructions of a loop that is not counted though it may be entered very often: inside one that is counted, or in a
 * function that is called.
 */
const MOST_UNCOUNTED_INSIDE = 1 << 12;
/** Blocks that may be looked at, per block of the function. */
const EFFORT_PER_BLOCK = 8;
const REGISTERS = 10;

export interface LoopKnowledge {
  /** What is known at the heads of loops. */
  readonly heads: ReadonlyMap<number, ProgramState>;
  /** `growthOf` each addition, by instruction. */
  readonly growth: ReadonlyMap<number, number>;
}

interface Loop {
  readonly head: number;
  readonly blocks: readonly number[];
  parent: Loop | undefined;
  /** Instructions that it executes at most each time it is entered; inner loops that are counted count once. */
  work: number;
}

/**
 * Heads of loops that end soon. A register that grows in each round and is known to lie within bounds at the head
 * bounds the number of rounds, whatever ends the loop. What loops inside do is multiplied. `isEntry`: the function is
 * entered once in a run; `budget`: the instructions that a run may execute.
 */
export function boundedLoops(
  code: ProgramCode,
  graph: FlowGraph,
  tree: Dominators,
  knowledge: LoopKnowledge,
  { isEntry, budget }: { readonly isEntry: boolean; readonly budget: number },
): ReadonlySet<number> {
  const mostUncounted = budget * UNCOUNTED_PART;
  const bounded = new Set<number>();
  if (!tree.reducible) return bounded;
  const loops = findLoops(graph, tree);
  const innermost = new Map<number, Loop>();
  // Inner loops first.
  for (const loop of loops.toReversed()) {
    const rounds = mostRounds(code, graph, tree, knowledge, loop);
    loop.work = rounds * workPerRound(graph, loop, innermost, mostUncounted);
  }
  for (const { head, parent, work } of loops) {
    const isInside = parent === undefined ? !isEntry : !bounded.has(parent.head);
    if (work <= (isInside ? Math.min(MOST_UNCOUNTED_INSIDE, mostUncounted) : mostUncounted)) bounded.add(head);
  }
  return bounded;
}

/** Outer loops first. Those that take too long to find are missing. */
function findLoops({ blocks }: FlowGraph, { sequence, order, predecessors, isLoopHeader }: Dominators): Loop[] {
  const loops: Loop[] = [];
  const seenFor = new Int32Array(blocks.length).fill(-1);
  let effort = blocks.length * EFFORT_PER_BLOCK;
  for (const head of sequence) {
    if (isLoopHeader[head] === 0) continue;
    const body = [head];
    seenFor[head] = head;
    for (let i = 0; i < body.length; i++) {
      for (const from of predecessors[body[i]]) {
        if (seenFor[from] === head || (i === 0 && order[from] < order[head])) continue;
        seenFor[from] = head;
        body.push(from);
      }
    }
    effort -= body.length;
    if (effort < 0) break;
    loops.push({ head, blocks: body, parent: undefined, work: Infinity });
  }
  return loops;
}

function workPerRound({ blocks }: FlowGraph, loop: Loop, innermost: Map<number, Loop>, mostUncounted: number): number {
  let work = 0;
  for (const block of loop.blocks) {
    const { start, end } = blocks[block];
    const inner = innermost.get(block);
    if (inner === undefined) {
      innermost.set(block, loop);
      work += end - start;
      continue;
    }
    const child = outermostBelow(inner, loop);
    child.parent = loop;
    if (child.work === Infinity || child.work > mostUncounted) work += end - start;
    else if (child.head === block) work += child.work;
  }
  return work;
}

function outermostBelow(inner: Loop, loop: Loop): Loop {
  let child = inner;
  while (child.parent !== undefined && child.parent !== loop) child = child.parent;
  return child;
}

/** Infinity where no register tells. */
function mostRounds(
  code: ProgramCode,
  { blocks }: FlowGraph,
  tree: Dominators,
  { heads, growth }: LoopKnowledge,
  { head, blocks: body }: Loop,
): number {
  const state = heads.get(head);
  if (state === undefined) return Infinity;
  const always = inEveryRound(tree, head);
  const tally = new Tally();
  for (const block of body) {
    const { start, end } = blocks[block];
    const isAlways = always.has(block);
    for (let index = start; index < end; index++) tally.add(code, index, growth.get(index) ?? 0, isAlways);
  }
  let rounds = Infinity;
  for (let r = 0; r < REGISTERS; r++) {
    const step = tally.stepOf(r);
    const { kind, lo, hi } = state.register(r);
    if (step > 0 && kind === Kind.scalar) rounds = Math.min(rounds, Math.floor((hi - lo) / step) + 1);
  }
  return rounds;
}

/** Blocks without which no round of a loop ends. */
function inEveryRound({ order, predecessors, parent }: Dominators, head: number): ReadonlySet<number> {
  let common: Set<number> | undefined;
  for (const from of predecessors[head]) {
    if (order[from] < order[head]) continue;
    const above = new Set<number>();
    for (let block = from; block !== head; block = parent[block]) {
      if (common === undefined || common.has(block)) above.add(block);
    }
    common = above.add(head);
  }
  return common ?? new Set();
}

/** How registers change in one round of a loop. */
class Tally {
  /** Least growth of a register in each round, negative if it shrinks; NaN: it does both, or something else. */
  readonly #steps = new Float64Array(REGISTERS + 1);
  readonly #signs = new Float64Array(REGISTERS + 1);

  add(code: ProgramCode, index: number, growth: number, always: boolean): void {
    const { op, d, s } = stepAt(code, index);
    if (op >= Op.callHelper) {
      for (let r = 0; r <= 5; r++) this.#spoil(r);
      this.#spoil(d);
      if (op >= Op.atomic_add_u32) this.#spoil(s / 2);
    } else if (op < Op.ja || (op >= Op.load8 && op < Op.store8)) {
      const sign = Math.sign(growth);
      if (sign === 0 || this.#signs[d] === -sign) this.#spoil(d);
      else if (this.#signs[d] === 0) this.#signs[d] = sign;
      if (always) this.#steps[d] = Math.max(this.#steps[d], Math.abs(growth));
    }
  }

  /** 0: nothing is known. */
  stepOf(r: number): number {
    return Number.isNaN(this.#signs[r]) ? 0 : this.#steps[r];
  }

  #spoil(r: number): void {
    this.#signs[r] = Number.NaN;
  }
}
