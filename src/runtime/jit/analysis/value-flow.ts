import type { Executable } from '../../executable.js';
import { type ProgramCode, REGISTER_WORDS } from '../../interp/predecode.js';
import type { Dominators } from '../flow/dominators.js';
import type { FlowGraph } from '../flow/flow-graph.js';
import { stepAt } from '../step.js';
import type { AccessJudge } from './access-facts.js';
import { followBranch } from './branches.js';
import { FrameCells } from './frame-cells.js';
import { ProgramState } from './program-state.js';
import { Transfer } from './transfer.js';
import type { Value } from './value.js';

/** Rounds through a loop before bounds that still move are widened. */
const ROUNDS_BEFORE_WIDENING = 2;
/** Instructions that may be looked at before loops are given up: some per instruction, and some for small functions. */
const EFFORT_PER_INSTRUCTION = 2;
const EFFORT = 5000;
/** Bounds at which widening may stop in any loop. */
const COMMON_STEPS = [0, 1, 2 ** 31 - 1, 2 ** 32 - 1];

/** Called for each instruction with what is known before it; undefined: no run gets there. */
export type Visit = (index: number, state: ProgramState | undefined) => void;

/**
 * What registers and places of the frame may hold before each instruction of one function: abstract interpretation
 * over the flow graph. First loops are gone round until nothing changes, bounds that move being widened; then one
 * walk in reverse postorder, each block once, makes every state anew from what came back along the loops. That
 * walk takes back what was widened too far. Where the first part does not settle in time, the second
 * assumes that anything may come back.
 */
export class ValueFlow {
  readonly #code: ProgramCode;
  readonly #graph: FlowGraph;
  readonly #tree: Dominators;
  readonly #transfer: Transfer;
  readonly #frame: FrameCells;
  readonly #isEntry: boolean;
  /** States on the edges that lead back, by `edge`. */
  readonly #back = new Map<number, ProgramState>();
  /** `stepsOf` by the head of the loop. */
  readonly #steps = new Map<number, readonly number[]>();
  #effort: number;

  constructor(
    executable: Executable,
    code: ProgramCode,
    graph: FlowGraph,
    tree: Dominators,
    judge: AccessJudge,
    isEntry: boolean,
    effort = effortFor(graph),
  ) {
    this.#code = code;
    this.#graph = graph;
    this.#tree = tree;
    this.#transfer = new Transfer(executable, code, judge);
    this.#frame = new FrameCells(code, graph);
    this.#isEntry = isEntry;
    this.#effort = effort;
    if (tree.isLoopHeader.includes(1)) this.#giveUpFrom(this.#settle());
  }

  /** Visits every reachable instruction once; `atHead` is told what is known at the head of each loop. */
  walk(visit: Visit, atHead?: (block: number, state: ProgramState) => void): void {
    const { sequence, isLoopHeader } = this.#tree;
    const before: (ProgramState | undefined)[] = this.#graph.blocks.map(() => undefined);
    before[0] = ProgramState.atEntry(this.#frame, this.#isEntry);
    for (const block of sequence) {
      const state = before[block];
      before[block] = undefined;
      if (state === undefined) {
        const { start, end } = this.#graph.blocks[block];
        for (let index = start; index < end; index++) visit(index, undefined);
        continue;
      }
      if (isLoopHeader[block] === 1) {
        this.#joinBack(block, state);
        atHead?.(block, state);
      }
      this.#through(block, state, visit);
      this.#leave(block, state, (successor, after) => {
        if (this.#isBack(block, successor)) return;
        const met = before[successor];
        if (met === undefined) before[successor] = after;
        else met.join(after);
      });
    }
  }

  /** The source operand `s` of an instruction. */
  source(s: number, state: ProgramState): Value {
    return this.#transfer.source(s, state);
  }

  /** Goes round until nothing changes; the position in reverse postorder at which it would have taken too long. */
  #settle(): number {
    const { sequence, order, isLoopHeader } = this.#tree;
    const before: (ProgramState | undefined)[] = this.#graph.blocks.map(() => undefined);
    before[0] = ProgramState.atEntry(this.#frame, this.#isEntry);
    const changed = new Uint8Array(sequence.length);
    const rounds = new Int32Array(before.length);
    changed[0] = 1;
    for (let at = 0; at < sequence.length; at++) {
      const block = sequence[at];
      const state = before[block]?.copy();
      if (changed[at] === 0 || state === undefined) continue;
      changed[at] = 0;
      const { start, end } = this.#graph.blocks[block];
      this.#effort -= end - start;
      if (this.#effort < 0) return at;
      this.#through(block, state);
      this.#leave(block, state, (successor, after) => {
        const isBack = this.#isBack(block, successor);
        if (isBack) this.#back.set(this.#edge(block, successor), after);
        const met = before[successor];
        const widen = isBack && isLoopHeader[successor] === 1 && rounds[successor]++ >= ROUNDS_BEFORE_WIDENING;
        if (met === undefined) before[successor] = isBack ? after.copy() : after;
        else if (!met.join(after, widen ? this.#stepsOf(successor, block) : undefined)) return;
        const position = order[successor];
        changed[position] = 1;
        // Inner loops settle before what follows them is looked at.
        if (position <= at) at = position - 1;
      });
    }
    return sequence.length;
  }

  /** Anything may come back to the heads of loops that had not settled: those that reach beyond `position`. */
  #giveUpFrom(position: number): void {
    const { sequence, order } = this.#tree;
    if (position === sequence.length) return;
    const anything = ProgramState.atEntry(this.#frame, false);
    anything.forgetPacket();
    let settled = position;
    for (let at = sequence.length - 1; at >= settled; at--) {
      const from = sequence[at];
      for (const to of this.#graph.blocks[from].successors) {
        if (!this.#isBack(from, to)) continue;
        this.#back.set(this.#edge(from, to), anything);
        settled = Math.min(settled, order[to]);
      }
    }
  }

  #joinBack(head: number, state: ProgramState): void {
    for (const from of this.#tree.predecessors[head]) {
      const back = this.#back.get(this.#edge(from, head));
      if (back !== undefined) state.join(back);
    }
  }

  #through(block: number, state: ProgramState, visit?: Visit): void {
    const { start, end } = this.#graph.blocks[block];
    for (let index = start; index < end; index++) {
      visit?.(index, state);
      this.#transfer.step(index, state);
    }
  }

  /** Hands each successor that may come next a state of its own. */
  #leave(block: number, state: ProgramState, give: (successor: number, state: ProgramState) => void): void {
    const { kind, successors, end } = this.#graph.blocks[block];
    if (kind === 'exit') return;
    if (kind === 'goto') return give(successors[0], state);
    const step = stepAt(this.#code, end - 1);
    const source = this.#transfer.source(step.s, state);
    const taken = state.copy();
    if (followBranch(taken, step, true, source)) give(successors[0], taken);
    if (followBranch(state, step, false, source)) give(successors[1], state);
  }

  #isBack(from: number, to: number): boolean {
    const { order } = this.#tree;
    return order[to] <= order[from];
  }

  #edge(from: number, to: number): number {
    return from * this.#graph.blocks.length + to;
  }

  /** Numbers that the loop compares with, and their neighbours: where its bounds most likely come to rest. */
  #stepsOf(head: number, from: number): readonly number[] {
    const known = this.#steps.get(head);
    if (known !== undefined) return known;
    const { sequence, order } = this.#tree;
    const steps = new Set(COMMON_STEPS);
    for (let position = order[head]; position <= order[from]; position++) {
      const { kind, end } = this.#graph.blocks[sequence[position]];
      if (kind !== 'branch') continue;
      const { s } = stepAt(this.#code, end - 1);
      if (s < REGISTER_WORDS) continue;
      const { lo, hi } = this.#transfer.constant(s);
      if (lo === hi) for (const bound of [lo - 1, lo, lo + 1]) steps.add(bound);
    }
    const sorted = [...steps].toSorted((a, b) => a - b);
    this.#steps.set(head, sorted);
    return sorted;
  }
}

function effortFor({ blocks }: FlowGraph): number {
  return blocks.reduce((sum, { start, end }) => sum + EFFORT_PER_INSTRUCTION * (end - start), EFFORT);
}
