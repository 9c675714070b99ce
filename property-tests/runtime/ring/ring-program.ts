import * as fc from 'fast-check';
import { BpfFuncId, BpfPseudo } from '../../../src/base/index.js';
import {
  BPF_ADD,
  BPF_DW,
  BPF_JEQ,
  alu64Imm,
  call,
  exit,
  jmpImm,
  ldImm64,
  mov64Imm,
  mov64Reg,
  st,
  stx,
  type Insn,
} from '../../../src/runtime/isa/index.js';

/** What a program does to the ring. */
export type RingOperation =
  | { readonly op: 'output'; readonly size: number; readonly from: number; readonly flags: number }
  | { readonly op: 'reserve'; readonly size: number; readonly discard: boolean; readonly flags: number }
  | { readonly op: 'query'; readonly selector: number };

/** Operations of one run, then what the consumer does before the next. */
export interface RingPhase {
  readonly operations: readonly RingOperation[];
  /** How many records are consumed. */
  readonly take: number;
  /** What the consumer's position is moved by besides, if it ends up on no record: where the sequence ends. */
  readonly stray: number;
}

export const RING_SIZE = 4096;
export const SOURCE_SIZE = 8192;
export const MAX_OPERATIONS = 12;

/** Positions of the maps in a program's list. */
export const RingMaps = { ring: 0, source: 1, results: 2 } as const;

const sizes = fc.oneof(
  fc.nat(40),
  fc.nat(600),
  fc.constantFrom(0, 1, 7, 8, 9, 1016, 2040, 2048, 3000, 4079, 4080, 4081, 4087, 4088, 4089, 5000),
);

export const ringPhases: fc.Arbitrary<RingPhase[]> = fc.array(
  fc.record({
    operations: fc.array(
      fc.oneof(
        fc.record({
          op: fc.constant('output' as const),
          size: sizes,
          from: fc.nat(2048),
          flags: fc.constantFrom(0, 0, 0, 1, 2, 3, 4),
        }),
        fc.record({
          op: fc.constant('reserve' as const),
          size: sizes,
          discard: fc.boolean(),
          flags: fc.constantFrom(0, 1, 2),
        }),
        fc.record({ op: fc.constant('query' as const), selector: fc.nat(5) }),
      ),
      { minLength: 1, maxLength: MAX_OPERATIONS },
    ),
    take: fc.constantFrom(0, 1, 2, 3, 20, 20),
    stray: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constantFrom(-8, 8, 16, 4096, 100_000)),
  }),
  { minLength: 1, maxLength: 6 },
);

function mapPointer(register: number, map: number): Insn[] {
  return ldImm64(register, BigInt(map), BpfPseudo.BPF_PSEUDO_MAP_FD);
}

function valuePointer(register: number, map: number, offset: number): Insn[] {
  return ldImm64(register, BigInt(map) | (BigInt(offset) << 32n), BpfPseudo.BPF_PSEUDO_MAP_VALUE);
}

function callOf(operation: RingOperation): Insn[] {
  switch (operation.op) {
    case 'output':
      return [
        ...mapPointer(1, RingMaps.ring),
        ...valuePointer(2, RingMaps.source, operation.from),
        mov64Imm(3, operation.size),
        mov64Imm(4, operation.flags),
        call(BpfFuncId.BPF_FUNC_ringbuf_output),
        mov64Reg(7, 0),
      ];
    case 'query':
      return [
        ...mapPointer(1, RingMaps.ring),
        mov64Imm(2, operation.selector),
        call(BpfFuncId.BPF_FUNC_ringbuf_query),
        mov64Reg(7, 0),
      ];
    default:
      return reserve(operation.size, operation.discard, operation.flags);
  }
}

/** Reserves, writes the first and the last eight bytes if there are as many, and commits. */
function reserve(size: number, discard: boolean, flags: number): Insn[] {
  const writes = size < 8 ? [] : [st(BPF_DW, 0, 0, 0x11223344), st(BPF_DW, 0, size - 8, -size)];
  const commit = [
    ...writes,
    mov64Imm(7, 1),
    mov64Reg(1, 0),
    mov64Imm(2, flags),
    call(discard ? BpfFuncId.BPF_FUNC_ringbuf_discard : BpfFuncId.BPF_FUNC_ringbuf_submit),
  ];
  return [
    ...mapPointer(1, RingMaps.ring),
    mov64Imm(2, size),
    mov64Imm(3, 0),
    call(BpfFuncId.BPF_FUNC_ringbuf_reserve),
    mov64Imm(7, 0),
    jmpImm(BPF_JEQ, 0, 0, commit.length),
    ...commit,
  ];
}

/** A program that performs the operations and leaves each one's result in the results map. */
export function ringProgram(operations: readonly RingOperation[]): Insn[] {
  const body = operations.flatMap((operation, i) => [
    ...callOf(operation),
    ...valuePointer(1, RingMaps.results, 0),
    alu64Imm(BPF_ADD, 1, 8 * i),
    stx(BPF_DW, 1, 7, 0),
  ]);
  return [...body, mov64Imm(0, 0), exit()];
}
