import { BPF_MEMORY_HI } from '../../../src/runtime/memory/bpf-memory.js';
import type { Executable } from '../../../src/runtime/executable.js';
import type { ProgramCode } from '../../../src/runtime/interp/predecode.js';
import { AccessJudge } from '../../../src/runtime/jit/analysis/access-facts.js';
import type { ProgramState } from '../../../src/runtime/jit/analysis/program-state.js';
import { Kind, type Value } from '../../../src/runtime/jit/analysis/value.js';
import { ValueFlow } from '../../../src/runtime/jit/analysis/value-flow.js';
import { dominators } from '../../../src/runtime/jit/flow/dominators.js';
import { flowGraph } from '../../../src/runtime/jit/flow/flow-graph.js';
import { accessSize, isWrite } from '../../../src/runtime/jit/lower/memory.js';
import { stepAt } from '../../../src/runtime/jit/step.js';
import type { Moment } from './observed-runs.js';

const MEMORY = BigInt(BPF_MEMORY_HI) << 32n;

/** What the analysis says of the entry function of a program. */
export class Claims {
  /** Accesses that it says need no check, and those it says nothing of. */
  proved = 0;
  unproved = 0;
  readonly #code: ProgramCode;
  readonly #judge: AccessJudge;
  readonly #states = new Map<number, ProgramState>();
  readonly #places: readonly (readonly [off: number, size: number])[];

  /** `effort`: instructions that may be looked at before loops are given up. */
  constructor(executable: Executable, code: ProgramCode, effort?: number) {
    this.#code = code;
    this.#judge = new AccessJudge(executable, true);
    const graph = flowGraph(code, 0);
    const places: (readonly [number, number])[] = [];
    new ValueFlow(executable, code, graph, dominators(graph), this.#judge, true, effort).walk((index, state) => {
      const { op, d, x } = stepAt(code, index);
      if (d === 10 && accessSize(op) > 0) places.push([x, accessSize(op)]);
      if (state === undefined) return;
      this.#states.set(index, state.copy());
      if (accessSize(op) > 0) this[this.#isProved(index, state) ? 'proved' : 'unproved']++;
    });
    this.#places = places;
  }

  /** What is wrong with a claim about this moment; undefined: all hold. */
  refute(index: number, moment: Moment): string | undefined {
    const state = this.#states.get(index);
    if (state === undefined) return 'it should never be reached';
    for (let r = 0; r <= 10; r++) {
      const wrong = refuteValue(state.register(r), word64(moment.registers, r), moment);
      if (wrong !== undefined) return `r${r}: ${wrong}`;
    }
    return this.#refuteFrame(state, moment) ?? refutePacket(state, moment) ?? this.#refuteAccess(index, state, moment);
  }

  #refuteFrame(state: ProgramState, moment: Moment): string | undefined {
    const { view } = moment.run.runtime.memory;
    for (const [off, size] of this.#places) {
      const claim = state.frameCell(off, size);
      const at = low(word64(moment.registers, 10)) + off;
      if (claim === undefined) continue;
      const held = size === 8 ? view.getBigInt64(at, true) : BigInt(readUnsigned(view, at, size));
      const wrong = refuteValue(claim, held, moment);
      if (wrong !== undefined) return `${size} bytes at r10${off}: ${wrong}`;
    }
    return undefined;
  }

  #refuteAccess(index: number, state: ProgramState, { run, registers, guard }: Moment): string | undefined {
    const { op, d, s, x } = stepAt(this.#code, index);
    const size = accessSize(op);
    if (size === 0 || !this.#isProved(index, state)) return undefined;
    const base = isWrite(op) ? d : s / 2;
    // Such a run is refused by code that relies on the claim.
    if (state.register(base).kind === Kind.context && this.#judge.contextNeed > run.ctxSize) return undefined;
    const address = BigInt.asUintN(64, word64(registers, base) + BigInt(x));
    const allowed = guard.allows(
      Number(address & 0xffff_ffffn),
      Number(BigInt.asIntN(64, address) >> 32n),
      size,
      isWrite(op),
    );
    return allowed ? undefined : `the access of ${size} bytes at r${base}${x} is none that the guard allows`;
  }

  #isProved(index: number, state: ProgramState): boolean {
    const { op, d, s, x } = stepAt(this.#code, index);
    const write = isWrite(op);
    const base = state.register(write ? d : s / 2);
    const { kind } = this.#judge.judge(base, x, accessSize(op), write, state.packetStart.extent);
    return kind === 'proved' || kind === 'frame';
  }
}

function refuteValue(claim: Value, held: bigint, moment: Moment): string | undefined {
  const { kind, lo, hi, map } = claim;
  const start = startOf(claim, held, moment);
  if (start === undefined) return undefined;
  const distance = kind === Kind.scalar ? held : BigInt.asIntN(64, held - start);
  if (distance < BigInt(Math.max(lo, -(2 ** 63))) || distance > BigInt(Math.min(hi, 2 ** 63)))
    return `${distance} is not from ${lo} to ${hi} (kind ${kind}${map === null ? '' : `, ${map.name}`})`;
  if (kind !== Kind.packet || claim.extent === -Infinity) return undefined;
  const rest = BigInt(moment.run.packetEnd) - BigInt.asIntN(64, held - MEMORY);
  return rest < BigInt(claim.extent) ? `${rest} bytes of the packet follow, not ${claim.extent}` : undefined;
}

/** Where what a value points into begins; undefined for what cannot be told. */
function startOf({ kind, map }: Value, held: bigint, { run, registers }: Moment): bigint | undefined {
  switch (kind) {
    case Kind.scalar:
      return 0n;
    case Kind.frame:
      return word64(registers, 10);
    case Kind.context:
      return MEMORY + BigInt(run.ctx);
    case Kind.packet:
      return MEMORY + BigInt(run.packetStart);
    case Kind.packetEnd:
      return MEMORY + BigInt(run.packetEnd);
    case Kind.map:
      return map === null ? undefined : MEMORY + BigInt(map.address);
    case Kind.value:
      return map === null ? undefined : MEMORY + BigInt(map.regions[0].start);
    case Kind.valueOrNull:
      return held === 0n || map === null ? held : MEMORY + BigInt(map.regions[0].start);
    default:
      return undefined;
  }
}

function refutePacket(state: ProgramState, { run }: Moment): string | undefined {
  const { extent } = state.packetStart;
  const bytes = run.packetEnd - run.packetStart;
  return bytes < extent ? `the packet has ${bytes} bytes, not ${extent}` : undefined;
}

function word64(registers: Int32Array, r: number): bigint {
  return (BigInt(registers[2 * r + 1]) << 32n) | BigInt(registers[2 * r] >>> 0);
}

function low(pointer: bigint): number {
  return Number(pointer & 0xffff_ffffn);
}

function readUnsigned(view: DataView, at: number, size: number): number {
  if (size === 4) return view.getUint32(at, true);
  return size === 2 ? view.getUint16(at, true) : view.getUint8(at);
}
