import * as fc from 'fast-check';
import { BpfFuncId, BpfPseudo } from '../../../src/base/index.js';
import {
  BPF_ADD,
  BPF_DW,
  BPF_JEQ,
  BPF_W,
  alu64Imm,
  call,
  exit,
  jmpImm,
  ldImm64,
  ldx,
  mov64Imm,
  mov64Reg,
  st,
  stx,
  type Insn,
} from '../../../src/runtime/isa/index.js';

/** What a program does to a map of u32 keys and u64 values. */
export type ProgramOperation =
  /** Reads the value, or -1 where there is none. */
  | { readonly op: 'lookup'; readonly key: number }
  /** Looks up and keeps the pointer for the `held` operations that follow. */
  | { readonly op: 'hold'; readonly key: number }
  /** Reads or writes through the pointer kept, whatever has become of the element. */
  | { readonly op: 'readHeld' }
  | { readonly op: 'writeHeld'; readonly value: number }
  | { readonly op: 'update'; readonly key: number; readonly value: number; readonly flags: number }
  | { readonly op: 'delete'; readonly key: number };

export const MAX_OPERATIONS = 16;

/** Positions of the maps in a program's list. */
export const Maps = { subject: 0, results: 1 } as const;

export function programOperations(keys: number): fc.Arbitrary<ProgramOperation[]> {
  const key = fc.nat(keys);
  const value = fc.nat(0x7fff_ffff);
  const operation: fc.Arbitrary<ProgramOperation> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ op: fc.constant('lookup' as const), key }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('hold' as const), key }) },
    { weight: 3, arbitrary: fc.constant({ op: 'readHeld' as const }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('writeHeld' as const), value }) },
    {
      weight: 6,
      arbitrary: fc.record({
        op: fc.constant('update' as const),
        key,
        value,
        flags: fc.constantFrom(0, 0, 0, 1, 2, 3, 4),
      }),
    },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('delete' as const), key }) },
  );
  return fc.array(operation, { minLength: 1, maxLength: MAX_OPERATIONS });
}

/** r1 = map, r2 = pointer to the key, which is stored on the stack. */
function mapAndKey(key: number): Insn[] {
  return [
    st(BPF_W, 10, -4, key),
    ...ldImm64(1, BigInt(Maps.subject), BpfPseudo.BPF_PSEUDO_MAP_FD),
    mov64Reg(2, 10),
    alu64Imm(BPF_ADD, 2, -4),
  ];
}

/** r7 = *r if r is no NULL, else -1. */
function readThrough(register: number): Insn[] {
  return [mov64Imm(7, -1), jmpImm(BPF_JEQ, register, 0, 1), ldx(BPF_DW, 7, register, 0)];
}

/** Leaves its result in r7; r8 is the pointer kept. */
function bodyOf(operation: ProgramOperation): Insn[] {
  switch (operation.op) {
    case 'lookup':
      return [...mapAndKey(operation.key), call(BpfFuncId.BPF_FUNC_map_lookup_elem), ...readThrough(0)];
    case 'hold':
      return [...mapAndKey(operation.key), call(BpfFuncId.BPF_FUNC_map_lookup_elem), mov64Reg(8, 0), ...readThrough(8)];
    case 'readHeld':
      return readThrough(8);
    case 'writeHeld':
      return [mov64Imm(7, 0), jmpImm(BPF_JEQ, 8, 0, 1), st(BPF_DW, 8, 0, operation.value)];
    case 'delete':
      return [...mapAndKey(operation.key), call(BpfFuncId.BPF_FUNC_map_delete_elem), mov64Reg(7, 0)];
    default:
      return [
        ...mapAndKey(operation.key),
        st(BPF_DW, 10, -16, operation.value),
        mov64Reg(3, 10),
        alu64Imm(BPF_ADD, 3, -16),
        mov64Imm(4, operation.flags),
        call(BpfFuncId.BPF_FUNC_map_update_elem),
        mov64Reg(7, 0),
      ];
  }
}

/** A program that performs the operations and leaves each one's result in the results map. */
export function mapProgram(operations: readonly ProgramOperation[]): Insn[] {
  const body = operations.flatMap((operation, i) => [
    ...bodyOf(operation),
    ...ldImm64(1, BigInt(Maps.results), BpfPseudo.BPF_PSEUDO_MAP_VALUE),
    stx(BPF_DW, 1, 7, 8 * i),
  ]);
  return [mov64Imm(8, 0), ...body, mov64Imm(0, 0), exit()];
}
