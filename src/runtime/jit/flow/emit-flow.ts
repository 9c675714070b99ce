import { ValType, Wasm } from '../wasm/opcodes.js';
import type { FunctionWriter } from '../wasm/function-writer.js';
import type { Dominators } from './dominators.js';
import type { Block, FlowGraph } from './flow-graph.js';

/** What is written into the structure: supplied by the lowering of instructions. */
export interface FlowBodies {
  /** The block's instructions, all but the jump that ends it. An `exit` block ends in a return. */
  body(block: Block, index: number): void;
  /** Leaves 1 on the stack where the block's branch is taken, else 0. */
  condition(block: Block): void;
  /** Before each jump from `from` back to `header`; `depth` is the label of the whole function's fault exit. */
  backEdge(from: number, header: number, faultDepth: number): void;
  hasBackEdgeCode(from: number, header: number): boolean;
  /** Told how many labels are open, for branches that `body` makes on its own. */
  setDepth(open: number): void;
}

/**
 * Nested blocks and loops from the dominator tree; one loop around a br_table where a cycle has two entries: then the
 * answer is false.
 */
export function emitFlow(graph: FlowGraph, tree: Dominators, writer: FunctionWriter, bodies: FlowBodies): boolean {
  if (tree.reducible) new StructuredFlow(graph, tree, writer, bodies).emit();
  else emitDispatch(graph, tree, writer, bodies);
  return tree.reducible;
}

/** What is to be done with a block: see `#do`. */
const Task = { block: 0, body: 1, openBlock: 2, openLoop: 3, end: 4 } as const;
type Task = (typeof Task)[keyof typeof Task];
/** A task and its block share a number, so that thousands of them are no garbage. */
const TASKS = 8;

/**
 * Norman Ramsey, "Beyond Relooper" (ICFP 2022): a block's code is followed by the blocks it dominates. Those with
 * several forward entries are placed behind a wasm block that ends where they begin, so that every entry is a
 * `br`; those with one are placed where that entry is. Tasks instead of recursion: programs nest thousands deep.
 */
class StructuredFlow {
  readonly #graph: FlowGraph;
  readonly #tree: Dominators;
  readonly #writer: FunctionWriter;
  readonly #bodies: FlowBodies;
  readonly #tasks: number[] = [];
  /** Open labels, and for each block how many were open below its own. */
  #open = 0;
  readonly #labelOf: Int32Array;

  constructor(graph: FlowGraph, tree: Dominators, writer: FunctionWriter, bodies: FlowBodies) {
    this.#graph = graph;
    this.#tree = tree;
    this.#writer = writer;
    this.#bodies = bodies;
    this.#labelOf = new Int32Array(graph.blocks.length).fill(-1);
  }

  emit(): void {
    this.#queue(Task.block, 0);
    for (let next = this.#tasks.pop(); next !== undefined; next = this.#tasks.pop())
      this.#do(next % TASKS, Math.floor(next / TASKS));
    this.#writer.op(Wasm.unreachable);
  }

  #queue(task: Task, block: number): void {
    this.#tasks.push(block * TASKS + task);
  }

  #do(task: number, block: number): void {
    switch (task) {
      case Task.block:
        return this.#schedule(block);
      case Task.body:
        return this.#body(block);
      case Task.openBlock:
        this.#labelOf[block] = this.#open++;
        return this.#writer.block();
      case Task.openLoop:
        this.#labelOf[block] = this.#open++;
        return this.#writer.loop();
      default:
        return this.#end();
    }
  }

  #end(): void {
    this.#open--;
    this.#writer.end();
  }

  /** Queues a block with everything it dominates. The last task pushed is done first. */
  #schedule(block: number): void {
    const { children, isMerge, isLoopHeader } = this.#tree;
    const dominated = children[block];
    const isLoop = isLoopHeader[block] === 1;
    if (isLoop) this.#queue(Task.end, block);
    for (let i = dominated.length - 1; i >= 0; i--) {
      if (isMerge[dominated[i]] === 0) continue;
      this.#queue(Task.block, dominated[i]);
      this.#queue(Task.end, dominated[i]);
    }
    this.#queue(Task.body, block);
    for (const merge of dominated) if (isMerge[merge] === 1) this.#queue(Task.openBlock, merge);
    if (isLoop) this.#queue(Task.openLoop, block);
  }

  #body(index: number): void {
    const block = this.#graph.blocks[index];
    this.#bodies.setDepth(this.#open);
    this.#bodies.body(block, index);
    if (block.kind === 'exit') return;
    const [first, second] = block.successors;
    if (block.kind === 'goto') return this.#go(index, first);
    this.#bodies.condition(block);
    if (this.#isBranch(index, first)) return this.#branchThenGo(index, first, second);
    if (this.#isBranch(index, second)) {
      this.#writer.op(Wasm.i32Eqz);
      return this.#branchThenGo(index, second, first);
    }
    // Both ways go on here: if (condition) first end second. No way falls out of its end, all leave by br or return.
    this.#writer.if();
    this.#open++;
    this.#queue(Task.block, second);
    this.#queue(Task.end, first);
    this.#queue(Task.block, first);
  }

  /** Jumps to `target` where the condition on the stack holds, and goes on to `other`. */
  #branchThenGo(from: number, target: number, other: number): void {
    if (this.#isBack(from, target) && this.#bodies.hasBackEdgeCode(from, target)) {
      this.#writer.if();
      this.#open++;
      this.#go(from, target);
      this.#end();
    } else this.#writer.brIf(this.#depth(target));
    this.#go(from, other);
  }

  #isBranch(from: number, to: number): boolean {
    return this.#isBack(from, to) || this.#tree.isMerge[to] === 1;
  }

  #isBack(from: number, to: number): boolean {
    return this.#tree.order[to] <= this.#tree.order[from];
  }

  #go(from: number, to: number): void {
    const isBack = this.#isBack(from, to);
    if (isBack) this.#bodies.backEdge(from, to, this.#open);
    if (!this.#isBranch(from, to)) this.#queue(Task.block, to);
    else if (isBack || !this.#comesNext(to)) this.#writer.br(this.#depth(to));
  }

  /** Whether the wasm block in front of `merge` ends right here. */
  #comesNext(merge: number): boolean {
    return this.#tasks.at(-1) === merge * TASKS + Task.end && this.#depth(merge) === 0;
  }

  #depth(target: number): number {
    return this.#open - 1 - this.#labelOf[target];
  }
}

/** `loop block.. br_table end body .. end`: the number of the block to run next stands in a local. */
function emitDispatch(graph: FlowGraph, tree: Dominators, writer: FunctionWriter, bodies: FlowBodies): void {
  const { sequence, order } = tree;
  const count = sequence.length;
  const next = writer.local(ValType.i32);
  writer.loop();
  for (let i = 0; i < count; i++) writer.block();
  writer.get(next);
  writer.brTable(
    Array.from({ length: count }, (_, i) => i),
    count - 1,
  );
  const go = (from: number, to: number, open: number): void => {
    if (order[to] <= order[from]) bodies.backEdge(from, to, open);
    writer.i32(order[to]);
    writer.set(next);
    writer.br(open - 1);
  };
  sequence.forEach((index, position) => {
    writer.end();
    const open = count - position;
    const block = graph.blocks[index];
    bodies.setDepth(open);
    bodies.body(block, index);
    if (block.kind === 'exit') return;
    if (block.kind === 'branch') {
      bodies.condition(block);
      writer.if();
      go(index, block.successors[0], open + 1);
      writer.end();
    }
    go(index, block.successors[block.kind === 'branch' ? 1 : 0], open);
  });
  writer.end();
  writer.op(Wasm.unreachable);
}
