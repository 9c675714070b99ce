import type { ProbeContext, ProbePlan, SimulateInsn } from '../arch.js';
import { decodeInsn, RiscvInsn } from './decode.js';
import { refusalOf } from './refusal.js';
import { simulateAuipc, simulateBranch, simulateJal, simulateJalr } from './simulate-branch.js';
import { simulateCompute } from './simulate-compute.js';
import { simulateLoad, simulateStore } from './simulate-memory.js';

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
  const next = address + BigInt(insn.length);
  const rd = (word >> 7) & 31;
  const rs1 = (word >> 15) & 31;
  switch (insn.class) {
    case 'auipc':
      return simulateAuipc(rd, address + BigInt(word & ~0xfff), next);
    case 'jal':
      return simulateJal(rd, address + BigInt(jumpOffset(word)), next);
    case 'jalr':
      return simulateJalr(rd, rs1, word >> 20, next);
    case 'branch':
      return simulateBranch((word >> 12) & 7, rs1, (word >> 20) & 31, address + BigInt(branchOffset(word)), next);
    default:
      return simulationOfOther(word, next);
  }
}

function simulationOfOther(word: number, next: bigint): SimulateInsn | null {
  const opcode = word & 0x7f;
  if (opcode === LOAD) return simulateLoad(word, next);
  if (opcode === STORE) return simulateStore(word, next);
  return simulateCompute(word, next);
}

/** Immediate of the J format, in bytes. */
function jumpOffset(word: number): number {
  return ((word >> 31) << 20) | (word & 0xff000) | ((word >> 9) & 0x800) | ((word >> 20) & 0x7fe);
}

/** Immediate of the B format, in bytes. */
function branchOffset(word: number): number {
  return ((word >> 31) << 12) | ((word << 4) & 0x800) | ((word >> 20) & 0x7e0) | ((word >> 7) & 0x1e);
}
