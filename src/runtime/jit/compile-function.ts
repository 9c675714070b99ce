import { Op } from '../interp/op.js';
import { AccessJudge, type AccessWay } from './analysis/access-facts.js';
import { type CallFact, callFact } from './analysis/call-facts.js';
import { PointerSearch } from './analysis/find-pointers.js';
import { boundedLoops } from './analysis/loop-bounds.js';
import { findRotates, type Rotations } from './analysis/find-rotates.js';
import type { Value } from './analysis/value.js';
import { emitFlow, type FlowBodies } from './flow/emit-flow.js';
import { type Block, type FlowGraph, flowGraph, isJumpOp } from './flow/flow-graph.js';
import { Emitter, type FunctionFacts } from './lower/emitter.js';
import { accessSize, isWrite } from './lower/memory.js';
import { ruleOf } from './lower/rules.js';
import type { ModulePlan } from './module-plan.js';
import { FaultReason } from './state-layout.js';
import { type Step, stepAt } from './step.js';
import type { FunctionWriter } from './wasm/function-writer.js';
import { Wasm } from './wasm/opcodes.js';

const PROVED: AccessWay = { kind: 'proved' };

/** Compiles the function that begins at predecoded instruction `entry`. */
export function compileFunction(plan: ModulePlan, entry: number, isEntry: boolean): FunctionWriter {
  const graph = flowGraph(plan.code, entry);
  const emitter = new Emitter(plan, gatherFacts(plan, graph, isEntry), isEntry);
  emitter.begin();
  emitFlow(graph, emitter.w, new Bodies(emitter, graph));
  emitter.end();
  return emitter.w;
}

class Bodies implements FlowBodies {
  readonly #e: Emitter;
  readonly #graph: FlowGraph;
  readonly #bounded: ReadonlySet<number>;

  constructor(e: Emitter, graph: FlowGraph) {
    this.#e = e;
    this.#graph = graph;
    this.#bounded = boundedLoops(e.code, graph);
  }

  setDepth(open: number): void {
    this.#e.depth = open;
  }

  body(block: Block): void {
    for (let index = block.start; index < block.end; index++) {
      const step = stepAt(this.#e.code, index);
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

  /** Loops that are known to end soon need no counting. */
  #isCharged(header: number): boolean {
    const { plan } = this.#e;
    const slot = plan.code.slots[this.#graph.blocks[header].start];
    return !this.#bounded.has(header) && plan.executable.facts?.loopBound(slot) === undefined;
  }
}

function lower(e: Emitter, step: Step): void {
  const rule = ruleOf[step.op];
  if (rule === undefined) throw new TypeError(`operation ${step.op} has no rule`);
  rule(e, step);
}

interface Gathered extends Rotations {
  readonly ways: Map<number, AccessWay>;
  readonly calls: Map<number, CallFact>;
  readonly contextLoads: Set<number>;
}

/** What can be known of each instruction before code is written. */
function gatherFacts(plan: ModulePlan, graph: FlowGraph, isEntry: boolean): FunctionFacts {
  const search = new PointerSearch(plan.executable, plan.code, graph, isEntry);
  const judge = new AccessJudge(plan.executable, plan.trustContext);
  const sizes = {
    read: new Set<number>(),
    write: new Set<number>(),
    packetRead: new Set<number>(),
    packetWrite: new Set<number>(),
  };
  const facts: Gathered = {
    ways: new Map(),
    calls: new Map(),
    contextLoads: new Set(),
    rotates: new Map(),
    kept: new Map(),
  };
  findRotates(plan.code, graph.blocks, facts);
  graph.blocks.forEach((_, b) => {
    search.replay(b, (index, registers) => {
      const step = stepAt(plan.code, index);
      const size = accessSize(step.op);
      if (size > 0) {
        const write = isWrite(step.op);
        const way = wayOf(plan, judge, step, registers, size);
        facts.ways.set(index, way);
        plan.usesWindows ||= way.kind !== 'frame' && way.kind !== 'proved';
        if (way.kind === 'window') sizes[write ? 'write' : 'read'].add(size);
        if (way.kind === 'packet') sizes[write ? 'packetWrite' : 'packetRead'].add(size);
        if (step.op === Op.loadPacketPointer && isContext(registers[step.s / 2])) facts.contextLoads.add(index);
      } else if (step.op === Op.callHelper) noteCall(plan, judge, step, registers, facts.calls);
    });
  });
  plan.contextNeed = Math.max(plan.contextNeed, judge.contextNeed);
  const windowSizes = {
    read: [...sizes.read],
    write: [...sizes.write],
    packetRead: [...sizes.packetRead],
    packetWrite: [...sizes.packetWrite],
  };
  return { ...facts, windowSizes };
}

function wayOf(plan: ModulePlan, judge: AccessJudge, step: Step, registers: readonly Value[], size: number): AccessWay {
  const write = isWrite(step.op);
  const way = judge.judge(registers[write ? step.d : step.s / 2], step.x, size, write);
  if (way.kind === 'frame') return way;
  const proved = plan.assumeProved || plan.executable.facts?.isProved(plan.code.slots[step.index]) === true;
  return proved ? PROVED : way;
}

function isContext(value: Value): boolean {
  return value.kind === 'context' && value.off === 0;
}

function noteCall(
  plan: ModulePlan,
  judge: AccessJudge,
  step: Step,
  registers: readonly Value[],
  calls: Map<number, CallFact>,
): void {
  const known = plan.executable.facts?.mapAt(plan.code.slots[step.index]);
  const fact = callFact(plan.code.helpers[step.x], registers, known, (pointer, size) => {
    const way = judge.judge(pointer, 0, size, false);
    return plan.assumeProved && way.kind !== 'frame' ? PROVED : way;
  });
  if (fact !== undefined) calls.set(step.index, fact);
}
