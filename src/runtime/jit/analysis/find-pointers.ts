import { BpfFuncId, BpfMapType, BpfPseudo } from '../../../base/index.js';
import type { Executable } from '../../executable.js';
import type { FlowGraph } from '../flow/flow-graph.js';
import { Op } from '../../interp/op.js';
import { type ProgramCode, REGISTER_WORDS } from '../../interp/predecode.js';
import { LDIMM64 } from '../../isa/opcodes.js';
import type { BpfMap } from '../../map/bpf-map.js';
import { stepAt } from '../step.js';
import { join, same, shifted, UNKNOWN, type Value } from './value.js';

const REGISTERS = 11;
const T = BpfMapType;
/** Maps whose lookups answer a pointer to a value of theirs. */
const valueMaps: readonly number[] = [
  T.BPF_MAP_TYPE_ARRAY,
  T.BPF_MAP_TYPE_PERCPU_ARRAY,
  T.BPF_MAP_TYPE_HASH,
  T.BPF_MAP_TYPE_PERCPU_HASH,
  T.BPF_MAP_TYPE_LRU_HASH,
  T.BPF_MAP_TYPE_LRU_PERCPU_HASH,
];

/** Registers before each instruction of one function; blocks that no path reaches are left out. */
export type Visit = (index: number, registers: readonly Value[]) => void;

/**
 * Follows the pointers of one function that need no more than looking: the stack and the context at constant
 * offsets, values of maps that ldimm64 names, once compared with NULL. Offsets are offsets of exact pointers, so
 * whoever finds them inside may leave a check out.
 */
export class PointerSearch {
  readonly #executable: Executable;
  readonly #code: ProgramCode;
  readonly #graph: FlowGraph;
  readonly #before: (Value[] | undefined)[];

  constructor(executable: Executable, code: ProgramCode, graph: FlowGraph, isEntry: boolean) {
    this.#executable = executable;
    this.#code = code;
    this.#graph = graph;
    this.#before = graph.blocks.map(() => undefined);
    const registers = Array.from({ length: REGISTERS }, () => UNKNOWN);
    registers[10] = { kind: 'frame', off: 0 };
    if (isEntry) registers[1] = { kind: 'context', off: 0 };
    this.#run(registers);
  }

  /** Calls `visit` for each instruction of the block in turn. */
  replay(block: number, visit: Visit): void {
    const before = this.#before[block];
    if (before === undefined) return;
    const registers = before.slice();
    const { start, end } = this.#graph.blocks[block];
    for (let index = start; index < end; index++) {
      visit(index, registers);
      this.#step(index, registers);
    }
  }

  #run(entry: Value[]): void {
    this.#before[0] = entry;
    const pending = [0];
    for (let block = pending.pop(); block !== undefined; block = pending.pop()) {
      const registers = (this.#before[block] ?? []).slice();
      const { start, end, successors, kind } = this.#graph.blocks[block];
      for (let index = start; index < end; index++) this.#step(index, registers);
      successors.forEach((successor, way) => {
        const refined = kind === 'branch' ? this.#refine(end - 1, registers, way === 0) : registers;
        if (this.#merge(successor, refined)) pending.push(successor);
      });
    }
  }

  /** Whether anything changed. */
  #merge(block: number, registers: readonly Value[]): boolean {
    const before = this.#before[block];
    if (before === undefined) {
      this.#before[block] = registers.slice();
      return true;
    }
    let changed = false;
    for (let r = 0; r < REGISTERS; r++) {
      const met = join(before[r], registers[r]);
      if (same(met, before[r])) continue;
      before[r] = met;
      changed = true;
    }
    return changed;
  }

  /** After `if r == 0` or `if r != 0` a looked-up pointer is NULL or is not. */
  #refine(index: number, registers: readonly Value[], taken: boolean): readonly Value[] {
    const { op, d, s } = stepAt(this.#code, index);
    if (op !== Op.jeq64 && op !== Op.jne64) return registers;
    const tested = registers[d];
    const zero = this.#source(s, registers);
    if (
      (tested.kind !== 'valueOrNull' && tested.kind !== 'recordOrNull') ||
      zero.kind !== 'constant' ||
      (zero.lo | zero.hi) !== 0
    )
      return registers;
    const isNull = (op === Op.jeq64) === taken;
    const now: Value = isNull ? { kind: 'constant', lo: 0, hi: 0 } : notNull(tested);
    return registers.map((value) => (same(value, tested) ? now : value));
  }

  #step(index: number, registers: Value[]): void {
    const { op, d, s } = stepAt(this.#code, index);
    switch (op) {
      case Op.mov64:
        registers[d] = this.#moved(index, s, registers);
        return;
      case Op.mov32: {
        const from = this.#source(s, registers);
        registers[d] = from.kind === 'constant' ? { kind: 'constant', lo: from.lo, hi: 0 } : UNKNOWN;
        return;
      }
      case Op.add64:
        registers[d] = sum(registers[d], this.#source(s, registers));
        return;
      case Op.sub64: {
        const by = amount(this.#source(s, registers));
        registers[d] = shifted(registers[d], by === undefined ? undefined : -by);
        return;
      }
      case Op.callHelper:
        // What an earlier round of a loop got from this call is another pointer.
        this.#forgetOverCall(index, registers);
        registers[0] = this.#helperResult(index, registers);
        return;
      case Op.loadPacketPointer: {
        const base = this.#source(s, registers);
        registers[d] = base.kind === 'context' && base.off === 0 ? { kind: 'packet' } : UNKNOWN;
        return;
      }
      case Op.callSubprog:
        registers.fill(UNKNOWN, 0, 6);
        forgetRecords(registers);
        return;
      default:
        forgetWritten(op, d, s / 2, registers);
    }
  }

  #forgetOverCall(index: number, registers: Value[]): void {
    const helper = this.#code.helpers[stepAt(this.#code, index).x];
    if (helper.args.includes('ringbuf_mem') || helper.args.includes('func')) forgetRecords(registers);
    registers.forEach((value, r) => {
      if ('site' in value && value.site === index) registers[r] = UNKNOWN;
    });
  }

  #source(s: number, registers: readonly Value[]): Value {
    if (s < REGISTER_WORDS) return registers[s / 2];
    return { kind: 'constant', lo: this.#code.registers[s], hi: this.#code.registers[s + 1] };
  }

  /** ldimm64 is a move as well: what it names tells what it is. */
  #moved(index: number, s: number, registers: readonly Value[]): Value {
    const { insns, maps } = this.#executable;
    const slot = this.#code.slots[index];
    const { code, src, imm } = insns[slot];
    if (code === LDIMM64 && src !== 0) {
      if (src === BpfPseudo.BPF_PSEUDO_MAP_FD || src === BpfPseudo.BPF_PSEUDO_MAP_IDX)
        return { kind: 'map', map: maps[imm] };
      if (src === BpfPseudo.BPF_PSEUDO_MAP_VALUE || src === BpfPseudo.BPF_PSEUDO_MAP_IDX_VALUE) {
        return { kind: 'value', map: maps[imm], off: insns[slot + 1].imm };
      }
      return UNKNOWN;
    }
    return this.#source(s, registers);
  }

  #helperResult(index: number, registers: readonly Value[]): Value {
    const helper = this.#code.helpers[stepAt(this.#code, index).x];
    if (helper.id === BpfFuncId.BPF_FUNC_ringbuf_reserve) return reserved(index, registers);
    const isLookup =
      helper.id === BpfFuncId.BPF_FUNC_map_lookup_elem || helper.id === BpfFuncId.BPF_FUNC_map_lookup_percpu_elem;
    const map = registers[1];
    if (!isLookup || map.kind !== 'map' || !hasValues(map.map)) return UNKNOWN;
    return { kind: 'valueOrNull', map: map.map, site: index };
  }
}

/** After calls that may submit or discard a record. */
function forgetRecords(registers: Value[]): void {
  registers.forEach((value, r) => {
    if (value.kind === 'record' || value.kind === 'recordOrNull') registers[r] = UNKNOWN;
  });
}

function reserved(site: number, [, ring, size]: readonly Value[]): Value {
  const known = ring.kind === 'map' && size.kind === 'constant' && size.hi === 0 && size.lo > 0;
  return known ? { kind: 'recordOrNull', ring: ring.map, size: size.lo, site } : UNKNOWN;
}

function notNull(pointer: Extract<Value, { kind: 'valueOrNull' | 'recordOrNull' }>): Value {
  if (pointer.kind === 'valueOrNull') return { kind: 'value', map: pointer.map, off: 0 };
  return { kind: 'record', ring: pointer.ring, size: pointer.size, off: 0, site: pointer.site };
}

export function hasValues(map: BpfMap): boolean {
  return valueMaps.includes(map.type);
}

function amount(value: Value): number | undefined {
  // Larger steps leave every region there is; they are not worth an exact number.
  return value.kind === 'constant' && value.hi === value.lo >> 31 && Math.abs(value.lo) < 1 << 28
    ? value.lo
    : undefined;
}

function sum(a: Value, b: Value): Value {
  const moved = shifted(a, amount(b));
  return moved.kind === 'unknown' ? shifted(b, amount(a)) : moved;
}

/** Operations that write neither register: stores, jumps, plain atomics. Exact for what writes; else it forgets. */
function forgetWritten(op: number, d: number, s: number, registers: Value[]): void {
  if ((op >= Op.ja && op <= Op.may_goto) || (op >= Op.store8 && op <= Op.store64)) return;
  if (op >= Op.acquire8 && op <= Op.acquire64) registers[d] = UNKNOWN;
  else if (op >= Op.atomic_add_u32) {
    if (s < 10) registers[s] = UNKNOWN;
    registers[0] = UNKNOWN;
  } else if (op >= Op.callHelper) registers[0] = UNKNOWN;
  else registers[d] = UNKNOWN;
}
