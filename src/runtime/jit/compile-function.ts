import { dominators } from './flow/dominators.js';
import { emitFlow, type FlowBodies } from './flow/emit-flow.js';
import { type Block, type FlowGraph, flowGraph, isJumpOp } from './flow/flow-graph.js';
import { gatherFacts } from './gather-facts.js';
import { Emitter } from './lower/emitter.js';
import { ruleOf } from './lower/rules.js';
import type { ModulePlan } from './module-plan.js';
import { FaultReason } from './state-layout.js';
import { type Step, stepAt } from './step.js';
import type { FunctionWriter } from './wasm/function-writer.js';
import { Wasm } from './wasm/opcodes.js';

/** Compiles the function that begins at predecoded instruction `entry`. */
export function compileFunction(plan: ModulePlan, entry: number, isEntry: boolean): FunctionWriter {
  const { listing } = plan;
  const graph = flowGraph(plan.code, entry);
  const tree = dominators(graph);
  const facts = gatherFacts(plan, graph, tree, isEntry);
  if (isEntry) plan.returnsWord = facts.returnsWord;
  const emitter = new Emitter(plan, facts, isEntry);
  const { code } = emitter.w;
  listing?.nameLocals(emitter.localNames());
  listing?.mark(code.length, 'entry');
  emitter.begin();
  const isStructured = emitFlow(graph, tree, emitter.w, new Bodies(emitter, graph));
  if (!isStructured) listing?.dispatches();
  listing?.mark(code.length, 'where a run that cannot go on leaves compiled code');
  emitter.end();
  return emitter.w;
}

class Bodies implements FlowBodies {
  readonly #e: Emitter;
  readonly #graph: FlowGraph;

  constructor(e: Emitter, graph: FlowGraph) {
    this.#e = e;
    this.#graph = graph;
  }

  setDepth(open: number): void {
    this.#e.depth = open;
  }

  body(block: Block): void {
    for (let index = block.start; index < block.end; index++) {
      const step = stepAt(this.#e.code, index);
      this.#mark(index);
      if (isJumpOp(step.op)) return;
      this.#e.keep(index);
      lower(this.#e, step);
    }
  }

  condition(block: Block): void {
    lower(this.#e, stepAt(this.#e.code, block.end - 1));
  }

  hasBackEdgeCode(_from: number, header: number): boolean {
    return this.#isCharged(header);
  }

  backEdge(from: number, header: number, faultDepth: number): void {
    if (!this.#isCharged(header)) return;
    const e = this.#e;
    const { start } = this.#graph.blocks[header];
    const { end } = this.#graph.blocks[from];
    e.w.get(e.budget);
    e.w.i64(Math.max(end - start, 1));
    e.w.op(Wasm.i64Sub);
    e.w.tee(e.budget);
    e.w.i64(0);
    e.w.op(Wasm.i64LtS);
    e.w.if();
    e.depth = faultDepth;
    e.stop(end - 1, 1, FaultReason.budget);
    e.w.end();
  }

  #mark(index: number): void {
    const { plan, w } = this.#e;
    plan.listing?.mark(w.code.length, plan.code.slots[index]);
  }

  #isCharged(header: number): boolean {
    return !this.#e.facts.uncounted.has(header);
  }
}

function lower(e: Emitter, step: Step): void {
  const rule = ruleOf[step.op];
  if (rule === undefined) throw new TypeError(`operation ${step.op} has no rule`);
  rule(e, step);
}
