import type { FlowGraph } from './flow-graph.js';

/** What structured code needs to know of a flow graph. Arrays are indexed by block. */
export interface Dominators {
  /** Position in reverse postorder: predecessors first, but along back edges. */
  readonly order: Int32Array;
  /** Blocks in reverse postorder. */
  readonly sequence: readonly number[];
  readonly predecessors: readonly (readonly number[])[];
  /** Children in the dominator tree, in reverse postorder. */
  readonly children: readonly (readonly number[])[];
  /** The nearest block through which every path to a block leads; the entry's is itself. */
  readonly parent: Int32Array;
  /** Entered by more than one forward edge. */
  readonly isMerge: Uint8Array;
  /** Entered by a back edge. */
  readonly isLoopHeader: Uint8Array;
  /** False where some cycle has two entries: then no nesting of blocks and loops expresses it. */
  readonly reducible: boolean;
}

/**
 * Immediate dominators by the iteration of Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm"),
 * and what follows from them.
 */
export function dominators({ blocks }: FlowGraph): Dominators {
  const sequence = reversePostorder(blocks);
  const order = new Int32Array(blocks.length);
  sequence.forEach((block, position) => (order[block] = position));
  const predecessors = blocks.map((): number[] => []);
  // The last first: where thousands of exits lead to one place, each is then met one step above the one before.
  for (let block = blocks.length - 1; block >= 0; block--)
    for (const successor of blocks[block].successors) predecessors[successor].push(block);
  const parent = immediateDominators(sequence, order, predecessors);
  const depth = new Int32Array(blocks.length);
  const children = blocks.map((): number[] => []);
  for (const block of sequence.slice(1)) {
    children[parent[block]].push(block);
    depth[block] = depth[parent[block]] + 1;
  }
  const isMerge = new Uint8Array(blocks.length);
  const isLoopHeader = new Uint8Array(blocks.length);
  let reducible = true;
  blocks.forEach((_, block) => {
    let forward = 0;
    for (const from of predecessors[block]) {
      if (order[from] < order[block]) forward++;
      else {
        isLoopHeader[block] = 1;
        reducible &&= dominates(block, from, parent, depth);
      }
    }
    if (forward > 1) isMerge[block] = 1;
  });
  return {
    order,
    sequence,
    predecessors,
    children,
    parent,
    isMerge,
    isLoopHeader,
    reducible,
  };
}

function reversePostorder(blocks: FlowGraph['blocks']): number[] {
  const seen = new Uint8Array(blocks.length);
  const next = new Int32Array(blocks.length);
  const post: number[] = [];
  const stack = [0];
  seen[0] = 1;
  while (stack.length > 0) {
    const block = stack[stack.length - 1];
    const { successors } = blocks[block];
    if (next[block] === successors.length) {
      post.push(block);
      stack.pop();
      continue;
    }
    // The way that falls through is walked first, so that it comes last in postorder and branches stay near.
    const successor = successors[next[block]++];
    if (seen[successor] === 1) continue;
    seen[successor] = 1;
    stack.push(successor);
  }
  return post.toReversed();
}

function immediateDominators(
  sequence: readonly number[],
  order: Int32Array,
  predecessors: readonly (readonly number[])[],
): Int32Array {
  const parent = new Int32Array(order.length).fill(-1);
  parent[0] = 0;
  const meet = (a: number, b: number): number => {
    let left = a;
    let right = b;
    while (left !== right) {
      if (order[left] > order[right]) left = parent[left];
      else right = parent[right];
    }
    return left;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const block of sequence.slice(1)) {
      let dominator = -1;
      for (const from of predecessors[block]) {
        if (parent[from] < 0) continue;
        dominator = dominator < 0 ? from : meet(from, dominator);
      }
      if (parent[block] === dominator) continue;
      parent[block] = dominator;
      changed = true;
    }
  }
  return parent;
}

function dominates(above: number, below: number, parent: Int32Array, depth: Int32Array): boolean {
  let block = below;
  while (depth[block] > depth[above]) block = parent[block];
  return block === above;
}
