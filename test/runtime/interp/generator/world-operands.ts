import { BpfPseudo } from '../../../../src/base/index.js';
import type { Insn, MapSpec } from '../../../../src/runtime/index.js';
import * as isa from '../../../../src/runtime/isa/index.js';

/** A map that programs work on. */
export interface Subject {
  readonly spec: MapSpec;
  /** Its position in the programs' list of maps. */
  readonly map: number;
  /** Whether its elements stand in the same order in Linux. */
  readonly isOrdered: boolean;
}

/** Scalars that survive a call. */
export const SAVED = [6, 7, 8];

const R10 = 10;

export function mapPointer(register: number, map: number): Insn[] {
  return isa.ldImm64(register, BigInt(map), BpfPseudo.BPF_PSEUDO_MAP_FD);
}

export function stackPointer(register: number, at: number): Insn[] {
  return [isa.mov64Reg(register, R10), isa.alu64Imm(isa.BPF_ADD, register, at)];
}
