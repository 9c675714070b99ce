import * as fc from 'fast-check';
import { BpfFuncId, BpfPseudo } from '../../../src/base/index.js';
import {
  alu64Imm,
  alu64Reg,
  BPF_ADD,
  BPF_AND,
  BPF_B,
  BPF_DW,
  BPF_JEQ,
  call,
  exit,
  type Insn,
  jmpImm,
  LDIMM64,
  ldImm64,
  ldx,
  mov64Imm,
  mov64Reg,
  st,
  stx,
} from '../../../src/runtime/isa/index.js';

export const MAX_KEY = 20;
export const MAX_VALUE = 100;
export const MAX_OPERATIONS = 12;
/** Bytes of the map that values come from. */
export const SOURCE_SIZE = MAX_VALUE + 64;

/** Positions of the maps in a program's list. */
const Maps = { subject: 0, source: 1, results: 2 } as const;

/** What a program does to a map, by kinds of call that are compiled in different ways. */
export interface SizedOperation {
  readonly op: 'lookup' | 'lookup of a cpu' | 'write' | 'update' | 'delete' | 'for each';
  readonly key: number;
  /** Where in the source the value begins, or the number of the CPU. */
  readonly from: number;
  readonly flags: number;
  /** Only the program knows the flags when it runs. */
  readonly hidesFlags: boolean;
}

export function sizedOperations(keys: number): fc.Arbitrary<SizedOperation[]> {
  const op = fc.constantFrom(
    'lookup',
    'lookup of a cpu',
    'write',
    'update',
    'update',
    'update',
    'delete',
    'for each' as const,
  );
  const operation = fc.record({
    op,
    key: fc.nat(keys),
    from: fc.nat(63),
    flags: fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 4, 5, 7, 8),
    hidesFlags: fc.boolean(),
  });
  return fc.array(operation, { minLength: 1, maxLength: MAX_OPERATIONS });
}

/** The key numbered `key`: its first byte, zeros, and in long keys more at the end. */
export function keyBytes(key: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes[0] = key;
  if (size > 4) bytes[size - 1] = key >> 1;
  return bytes;
}

const KEY_AT = -24;

/** r1 = map, r2 = pointer to the key, which is stored on the stack. */
function mapAndKey(key: number, keySize: number): Insn[] {
  return [
    ...[...keyBytes(key, keySize)].map((byte, i) => st(BPF_B, 10, KEY_AT + i, byte)),
    ...ldImm64(1, BigInt(Maps.subject), BpfPseudo.BPF_PSEUDO_MAP_FD),
    mov64Reg(2, 10),
    alu64Imm(BPF_ADD, 2, KEY_AT),
  ];
}

/** Leaves its result in r7: what the helper answers, or the first byte of the value it points to. */
function bodyOf({ op, key, from, flags, hidesFlags }: SizedOperation, keySize: number): Insn[] {
  const start = mapAndKey(key, keySize);
  const readFirst = [mov64Imm(7, -1), jmpImm(BPF_JEQ, 0, 0, 1), ldx(BPF_B, 7, 0, 0)];
  switch (op) {
    case 'lookup':
      return [...start, call(BpfFuncId.BPF_FUNC_map_lookup_elem), ...readFirst];
    case 'lookup of a cpu':
      return [...start, mov64Imm(3, from % 3), call(BpfFuncId.BPF_FUNC_map_lookup_percpu_elem), ...readFirst];
    case 'write':
      return [...start, call(BpfFuncId.BPF_FUNC_map_lookup_elem), jmpImm(BPF_JEQ, 0, 0, 1), st(BPF_B, 0, 0, from)];
    case 'for each':
      return [
        ...start,
        ...ldImm64(2, 0n, BpfPseudo.BPF_PSEUDO_FUNC),
        mov64Imm(3, 0),
        mov64Imm(4, 0),
        call(BpfFuncId.BPF_FUNC_for_each_map_elem),
        mov64Reg(7, 0),
      ];
    case 'delete':
      return [...start, call(BpfFuncId.BPF_FUNC_map_delete_elem), mov64Reg(7, 0)];
    default:
      return [
        ...start,
        ...updateArguments(from, flags, hidesFlags),
        call(BpfFuncId.BPF_FUNC_map_update_elem),
        mov64Reg(7, 0),
      ];
  }
}

function updateArguments(from: number, flags: number, hidesFlags: boolean): Insn[] {
  return [
    ...ldImm64(3, BigInt(Maps.source) | (BigInt(from) << 32n), BpfPseudo.BPF_PSEUDO_MAP_VALUE),
    mov64Imm(4, flags),
    // r6 is 0, which only looking at its load from the map could tell.
    ...(hidesFlags ? [alu64Reg(BPF_ADD, 4, 6)] : []),
  ];
}

/** (map, key, value): deletes every other element while it is visited, and writes another one then. */
function visitor(keySize: number): Insn[] {
  const change = [
    ...ldImm64(1, BigInt(Maps.subject), BpfPseudo.BPF_PSEUDO_MAP_FD),
    call(BpfFuncId.BPF_FUNC_map_delete_elem),
    ...mapAndKey(3, keySize),
    ...updateArguments(5, 0, false),
    call(BpfFuncId.BPF_FUNC_map_update_elem),
  ];
  return [
    ldx(BPF_B, 0, 2, 0),
    alu64Imm(BPF_AND, 0, 1),
    jmpImm(BPF_JEQ, 0, 0, change.length),
    ...change,
    mov64Imm(0, 0),
    exit(),
  ];
}

/** A program that does one operation after the other and stores what each answered. */
export function sizedMapProgram(operations: readonly SizedOperation[], keySize: number): Insn[] {
  const main = [
    ...ldImm64(9, BigInt(Maps.results), BpfPseudo.BPF_PSEUDO_MAP_VALUE),
    ldx(BPF_DW, 6, 9, 8 * MAX_OPERATIONS),
    ...operations.flatMap((operation, i) => [mov64Imm(7, 0), ...bodyOf(operation, keySize), stx(BPF_DW, 9, 7, 8 * i)]),
    mov64Imm(0, 0),
    exit(),
  ];
  if (operations.every(({ op }) => op !== 'for each')) return main;
  const isVisitor = ({ code, src }: Insn): boolean => code === LDIMM64 && src === BpfPseudo.BPF_PSEUDO_FUNC;
  const linked = main.map((insn, at) => (isVisitor(insn) ? { ...insn, imm: main.length - at - 1 } : insn));
  return [...linked, ...visitor(keySize)];
}
