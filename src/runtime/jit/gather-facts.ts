import { Op } from '../interp/op.js';
import { AccessJudge, type AccessWay } from './analysis/access-facts.js';
import { type CallFact, callFact } from './analysis/call-facts.js';
import { findRotates } from './analysis/find-rotates.js';
import { boundedLoops } from './analysis/loop-bounds.js';
import { growthOf } from './analysis/loop-growth.js';
import type { ProgramState } from './analysis/program-state.js';
import { isStart, isWord, Kind, UNKNOWN } from './analysis/value.js';
import { ValueFlow } from './analysis/value-flow.js';
import type { Dominators } from './flow/dominators.js';
import type { FlowGraph } from './flow/flow-graph.js';
import type { FunctionFacts, Keep, Rotate } from './lower/emitter.js';
import { accessSize, isWrite } from './lower/memory.js';
import type { ModulePlan } from './module-plan.js';
import { type Step, stepAt } from './step.js';

const R0 = 0;
const PROVED: AccessWay = { kind: 'proved' };

/** What of a module's plan facts depend on, and what follows from them for its caller. */
export type FactsPlan = Pick<
  ModulePlan,
  'executable' | 'runtime' | 'code' | 'assumeProved' | 'trustContext' | 'usesBudget' | 'usesWindows' | 'contextNeed'
>;

/** What can be known of each instruction of a function before code is written. */
export function gatherFacts(plan: FactsPlan, graph: FlowGraph, tree: Dominators, isEntry: boolean): FunctionFacts {
  return new FactGatherer(plan, graph, tree, isEntry).gather();
}

class FactGatherer {
  readonly #plan: FactsPlan;
  readonly #graph: FlowGraph;
  readonly #tree: Dominators;
  readonly #judge: AccessJudge;
  readonly #flow: ValueFlow;
  readonly #isEntry: boolean;
  readonly #loops: number;
  readonly #ways = new Map<number, AccessWay>();
  readonly #calls = new Map<number, CallFact>();
  readonly #contextLoads = new Set<number>();
  readonly #growth = new Map<number, number>();
  readonly #heads = new Map<number, ProgramState>();
  readonly #sizes = {
    read: new Set<number>(),
    write: new Set<number>(),
    packetRead: new Set<number>(),
    packetWrite: new Set<number>(),
  };
  #packetProof: FunctionFacts['packetProof'];
  #hasMayGoto = false;
  #returnsWord = true;

  constructor(plan: FactsPlan, graph: FlowGraph, tree: Dominators, isEntry: boolean) {
    this.#plan = plan;
    this.#graph = graph;
    this.#tree = tree;
    this.#isEntry = isEntry;
    this.#loops = tree.isLoopHeader.reduce((sum, is) => sum + is, 0);
    this.#judge = new AccessJudge(plan.executable, plan.trustContext);
    this.#flow = new ValueFlow(plan.executable, plan.code, graph, tree, this.#judge, isEntry);
  }

  gather(): FunctionFacts {
    const { code } = this.#plan;
    const rotates = new Map<number, Rotate>();
    const kept = new Map<number, Keep[]>();
    findRotates(code, this.#graph.blocks, { rotates, kept });
    this.#flow.walk(
      (index, state) => this.#note(stepAt(code, index), state),
      (head, state) => this.#heads.set(head, state.copy()),
    );
    this.#plan.contextNeed = Math.max(this.#plan.contextNeed, this.#judge.contextNeed);
    if (this.#packetProof !== undefined) this.#checkPacketPointers(this.#packetProof);
    const { read, write, packetRead, packetWrite } = this.#sizes;
    const uncounted = this.#uncountedLoops();
    const counts = this.#hasMayGoto || this.#loops > uncounted.size;
    this.#plan.usesBudget ||= counts;
    return {
      ways: this.#ways,
      calls: this.#calls,
      contextLoads: this.#contextLoads,
      packetProof: this.#packetProof,
      uncounted,
      counts,
      returnsWord: this.#returnsWord,
      rotates,
      kept,
      windowSizes: {
        read: [...read],
        write: [...write],
        packetRead: [...packetRead],
        packetWrite: [...packetWrite],
      },
    };
  }

  #note(step: Step, state: ProgramState | undefined): void {
    if (this.#leavesWithBudget(step)) this.#plan.usesBudget = true;
    this.#hasMayGoto ||= step.op === Op.may_goto;
    this.#returnsWord &&= !mayReturnMore(step.op, state);
    const size = accessSize(step.op);
    if (size > 0) this.#noteAccess(step, size, state);
    else if (step.op === Op.callHelper && state !== undefined) this.#noteCall(step, state);
    else if (this.#loops > 0 && step.op <= Op.sub32 && state !== undefined) {
      const growth = growthOf(step, state.register(step.d), this.#flow.source(step.s, state));
      if (growth !== 0) this.#growth.set(step.index, growth);
    }
  }

  /** What these run takes from the run's budget, too. */
  #leavesWithBudget({ op, x }: Step): boolean {
    if (op === Op.callHelper) return this.#plan.code.helpers[x].args.includes('func');
    return op === Op.tailCall || op === Op.callRegister;
  }

  #noteAccess(step: Step, size: number, state: ProgramState | undefined): void {
    const write = isWrite(step.op);
    const way = this.#wayOf(step, size, write, state);
    this.#ways.set(step.index, way);
    this.#plan.usesWindows ||= way.kind !== 'frame' && way.kind !== 'proved';
    if (way.kind === 'window') this.#sizes[write ? 'write' : 'read'].add(size);
    if (way.kind === 'packet') this.#sizes[write ? 'packetWrite' : 'packetRead'].add(size);
    this.#noteProof(way);
    if (step.op === Op.loadPacketPointer && isContext(step, state)) this.#contextLoads.add(step.index);
  }

  #wayOf(step: Step, size: number, write: boolean, state: ProgramState | undefined): AccessWay {
    const base = state?.register(write ? step.d : step.s / 2) ?? UNKNOWN;
    const way = this.#judge.judge(base, step.x, size, write, state?.packetStart.extent ?? 0);
    if (way.kind === 'frame') return way;
    const { assumeProved, executable, code } = this.#plan;
    return assumeProved || executable.facts?.isProved(code.slots[step.index]) === true ? PROVED : way;
  }

  #noteCall({ index, x }: Step, state: ProgramState): void {
    const { code, executable, assumeProved } = this.#plan;
    const known = executable.facts?.mapAt(code.slots[index]);
    const fact = callFact(code.helpers[x], state, known, (pointer, size) => {
      const way = this.#judge.judge(pointer, 0, size, false, state.packetStart.extent);
      if (assumeProved && way.kind !== 'frame') return PROVED;
      this.#noteProof(way);
      return way;
    });
    if (fact !== undefined) this.#calls.set(index, fact);
  }

  /** What the code must see to for the access to be proved. */
  #noteProof(way: AccessWay): void {
    if (way.kind === 'proved' && way.packet !== undefined && this.#packetProof !== 'write')
      this.#packetProof = way.packet;
  }

  /** Accesses rely on packet pointers being what they should: those are compared with the packet when loaded. */
  #checkPacketPointers(proof: 'read' | 'write'): void {
    this.#sizes[proof === 'write' ? 'packetWrite' : 'packetRead'].add(0);
    this.#plan.usesWindows = true;
  }

  #uncountedLoops(): ReadonlySet<number> {
    const { executable, code, assumeProved } = this.#plan;
    const { blocks } = this.#graph;
    const heads = [...this.#heads.keys()];
    if (assumeProved || heads.length === 0) return new Set(heads);
    const knowledge = { heads: this.#heads, growth: this.#growth };
    const limits = { isEntry: this.#isEntry, budget: this.#plan.runtime.instructionBudget };
    const bounded = boundedLoops(code, this.#graph, this.#tree, knowledge, limits);
    const isDeclared = (head: number): boolean =>
      executable.facts?.loopBound(code.slots[blocks[head].start]) !== undefined;
    return new Set(heads.filter((head) => bounded.has(head) || isDeclared(head)));
  }
}

/** Whether the function may end here with an r0 of more than 32 bits. */
function mayReturnMore(op: number, state: ProgramState | undefined): boolean {
  if (op === Op.tailCall) return true;
  return op === Op.exit && (state === undefined || !isWord(state.register(R0)));
}

function isContext(step: Step, state: ProgramState | undefined): boolean {
  const base = state?.register(step.s / 2);
  return base?.kind === Kind.context && isStart(base);
}
