import { BpfFuncId, BpfMapType, BpfProgType } from '../../../../src/base/index.js';
import type { Insn, MapSpec } from '../../../../src/runtime/index.js';
import * as isa from '../../../../src/runtime/isa/index.js';
import { MapArea, StackArea } from './layout.js';
import { callLoop, forEachElement } from './callback-statement.js';
import { packetAccess } from './packet-statement.js';
import { type Piece, piece } from './piece.js';
import type { WorldPart } from './program-generator.js';
import type { Random } from './random.js';
import { ringOperation } from './ring-statement.js';
import { mapPointer, SAVED, stackPointer, type Subject } from './world-operands.js';

export interface WorldNames {
  readonly subjects: readonly Subject[];
  readonly ring: number;
  readonly programs: number;
}

const R9 = 9;
const R10 = 10;

/** Elements of the array of programs: the target, nothing, the program itself, nothing. */
export const ProgArrayIndex = { target: 0, empty: 1, self: 2 } as const;
export const PROG_ARRAY_SIZE = 4;

/** Statements on maps, rings, packets and callbacks. Only the first program of a run makes tail calls. */
export function worldPart(names: WorldNames, isFirst: boolean): WorldPart {
  return {
    share: 45,
    mixesRegisters: !isFirst,
    statement: (random, type) => statement(names, random, type),
    tailCall: (random) => (isFirst && random.chance(40) ? tailCall(names.programs, random) : []),
  };
}

function statement(names: WorldNames, random: Random, type: number): Piece {
  const kind = random.below(100);
  const subject = random.pick(names.subjects);
  if (kind < 50) return mapOperation(subject, random);
  if (kind < 70) return ringOperation(names.ring, random);
  if (kind < 77) return forEachElement(subject, random);
  if (kind < 85) return callLoop(subject, random);
  if (kind < 90) return rotation(random);
  if (type === BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER) return mapOperation(subject, random);
  return packetAccess(type, random);
}

/** bpf_map_lookup_elem, bpf_map_update_elem or bpf_map_delete_elem; r0 tells what came of it. */
function mapOperation({ spec, map }: Subject, random: Random): Piece {
  const call = [...keyOnStack(spec, random), ...mapPointer(1, map), ...stackPointer(2, StackArea.worldKey)];
  const kind = random.below(10);
  if (kind < 4) return piece(call, isa.call(BpfFuncId.BPF_FUNC_map_lookup_elem), throughValue(random));
  if (kind < 6) return piece(call, isa.call(BpfFuncId.BPF_FUNC_map_delete_elem));
  return piece(
    call,
    valueArgument(random),
    isa.mov64Imm(4, random.pick([0, 0, 0, 0, 1, 2, 3, 4, 8])),
    isa.call(BpfFuncId.BPF_FUNC_map_update_elem),
  );
}

/** A constant or what a register says; a few more keys than the map has room for. */
function keyOnStack({ type, keySize, maxEntries }: MapSpec, random: Random): Insn[] {
  const at = StackArea.worldKey;
  const size = keySize === 4 ? isa.BPF_W : isa.BPF_DW;
  const rest = keySize === 12 ? [isa.st(isa.BPF_W, R10, at + 8, random.below(2))] : [];
  if (random.chance(60)) return [isa.st(size, R10, at, random.below(maxEntries + 3)), ...rest];
  const isArray = type === BpfMapType.BPF_MAP_TYPE_ARRAY || type === BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY;
  const mask = isArray ? random.pick([7, 15]) : 7;
  return [isa.mov64Reg(5, random.pick(SAVED)), isa.alu64Imm(isa.BPF_AND, 5, mask), isa.stx(size, R10, 5, at), ...rest];
}

/** r3 points to a value on the stack or in the map of values. */
function valueArgument(random: Random): Insn[] {
  if (random.chance(50)) {
    return [
      isa.stx(isa.BPF_DW, R10, random.pick(SAVED), StackArea.worldValue),
      ...stackPointer(3, StackArea.worldValue),
    ];
  }
  return [isa.mov64Reg(3, R9), isa.alu64Imm(isa.BPF_ADD, 3, 8 * random.below(MapArea.dataSize / 8))];
}

/** Reads and perhaps changes the value that r0 points to; r0 becomes what was read, or -1. */
function throughValue(random: Random): Insn[] {
  const register = random.pick(SAVED);
  const change: readonly (readonly Insn[])[] = [
    [],
    [isa.stx(isa.BPF_DW, 1, register, 0)],
    [isa.stx(isa.BPF_B, 1, register, random.below(8))],
    [isa.st(isa.BPF_W, 1, 4, random.edgy())],
    [isa.atomic(isa.BPF_DW, isa.BPF_ADD, 1, register, 0)],
    [isa.atomic(isa.BPF_W, isa.BPF_XOR, 1, register, 4)],
    [isa.mov64Imm(2, 1), isa.atomic(isa.BPF_DW, isa.BPF_ADD | isa.BPF_FETCH, 1, 2, 0)],
  ];
  const found = [isa.mov64Reg(1, 0), isa.ldx(isa.BPF_DW, 0, 1, 0), ...random.pick(change), isa.ja(1)];
  return [isa.jmpImm(isa.BPF_JEQ, 0, 0, found.length), ...found, isa.mov64Imm(0, -1)];
}

/** r0 becomes a register turned by a constant, as compilers write it. */
function rotation(random: Random): Piece {
  const isWide = random.chance(50);
  const width = isWide ? 64 : 32;
  const by = 1 + random.below(width - 1);
  const from = random.pick(SAVED);
  const imm = isWide ? isa.alu64Imm : isa.alu32Imm;
  const reg = isWide ? isa.alu64Reg : isa.alu32Reg;
  return piece(
    isa.mov64Reg(0, from),
    isa.mov64Reg(1, from),
    random.chance(50)
      ? [imm(isa.BPF_LSH, 0, by), imm(isa.BPF_RSH, 1, width - by)]
      : [imm(isa.BPF_RSH, 1, by), imm(isa.BPF_LSH, 0, width - by)],
    random.chance(50) ? reg(isa.BPF_OR, 0, 1) : [reg(isa.BPF_OR, 1, 0), isa.mov64Reg(0, 1)],
  );
}

/** To the other program, to itself until the limit is reached, or to nobody. */
function tailCall(programs: number, random: Random): Insn[] {
  const { target, empty, self } = ProgArrayIndex;
  return [
    isa.ldx(isa.BPF_DW, 1, R10, StackArea.ctx),
    ...mapPointer(2, programs),
    isa.mov64Imm(3, random.pick([target, target, target, self, empty, PROG_ARRAY_SIZE])),
    isa.call(BpfFuncId.BPF_FUNC_tail_call),
  ];
}
