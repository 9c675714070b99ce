import type { ProbeContext, ProbePlan, SimulateInsn } from '../arch.js';
import { decodeInsn, RiscvInsn } from './decode.js';
import { refusalOf } from './refusal.js';
import { equal, less, lessUnsigned } from '../risc/alu64.js';
import * as risc from '../risc/simulate.js';
import { RiscvSlot } from './pt-regs.js';
import { simulateCompute } from './simulate-compute.js';

const decoded = new RiscvInsn();

/**
 * What to do with the instruction at `address` whose bytes begin `bytes`. Whatever takes or sets the pc is simulated,
 * and so is the base integer set, since a slot costs a second trap; the rest runs in a slot as it is.
 */
export function planProbe(bytes: Uint8Array, address: bigint, context?: ProbeContext): ProbePlan {
  if (decodeInsn(bytes, 0, decoded) === null) {
    return { kind: 'refuse', length: 0, errno: 'EILSEQ', reason: 'the bytes here are no instruction' };
  }
  const { length } = decoded;
  const refusal = refusalOf(decoded.class, context?.before);
  if (refusal !== null) return { kind: 'refuse', length, ...refusal };
  const simulate = simulationOf(decoded, address);
  const original = bytes.slice(0, length);
  const relocate = (): Uint8Array => original;
  if (simulate === null) return { kind: 'slot', length, relocate };
  return accessesMemory(decoded.word)
    ? { kind: 'simulate', length, simulate, relocate }
    : { kind: 'simulate', length, simulate };
}

const LOAD = 0x03;
const STORE = 0x23;

function accessesMemory(word: number): boolean {
  const opcode = word & 0x7f;
  return opcode === LOAD || opcode === STORE;
}

function simulationOf(insn: RiscvInsn, address: bigint): SimulateInsn | null {
  const { word } = insn;
  const at = (offset: number): risc.Continuation => new risc.Continuation(RiscvSlot.epc, address + BigInt(offset));
  const next = at(insn.length);
  const rd = (word >> 7) & 31;
  const rs1 = (word >> 15) & 31;
  const rs2 = (word >> 20) & 31;
  switch (insn.class) {
    case 'auipc':
      return risc.simulateConstant(rd, address + BigInt(word & ~0xfff), next);
    case 'jal':
      return risc.simulateJump(rd, at(jumpOffset(word)), next);
    case 'jalr':
      return risc.simulateJumpRegister(rd, rs1, word >> 20, ~1, next);
    case 'branch': {
      const funct3 = (word >> 12) & 7;
      return risc.simulateBranch(
        COMPARISONS[funct3 >> 1],
        (funct3 & 1) === 0,
        [rs1, rs2],
        at(branchOffset(word)),
        next,
      );
    }
    default:
      return simulationOfOther(word, next);
  }
}

/** By funct3 without its lowest bit, which negates; the second is reserved. */
const COMPARISONS = [equal, equal, less, lessUnsigned];

function simulationOfOther(word: number, next: risc.Continuation): SimulateInsn | null {
  const base = (word >> 15) & 31;
  const funct3 = (word >> 12) & 7;
  const size = 1 << (funct3 & 3);
  switch (word & 0x7f) {
    case LOAD:
      // ldu is reserved.
      if (funct3 === 7) return null;
      return risc.simulateLoad((word >> 7) & 31, { base, offset: word >> 20, size }, funct3 < 4, next);
    case STORE:
      if (funct3 > 3) return null;
      return risc.simulateStore((word >> 20) & 31, { base, offset: storeOffset(word), size }, next);
    default:
      return simulateCompute(word, next);
  }
}

function storeOffset(word: number): number {
  return ((word >> 25) << 5) | ((word >> 7) & 31);
}

/** Immediate of the J format, in bytes. */
function jumpOffset(word: number): number {
  return ((word >> 31) << 20) | (word & 0xff000) | ((word >> 9) & 0x800) | ((word >> 20) & 0x7fe);
}

/** Immediate of the B format, in bytes. */
function branchOffset(word: number): number {
  return ((word >> 31) << 12) | ((word << 4) & 0x800) | ((word >> 20) & 0x7e0) | ((word >> 7) & 0x1e);
}
