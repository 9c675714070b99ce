import type { ProbeContext, ProbePlan, SimulateInsn } from '../arch.js';
import { equal, less, lessUnsigned } from '../risc/alu64.js';
import * as risc from '../risc/simulate.js';
import { INSN_BYTES, offset16, offset21, offset26, rd, readInsn, rj, si12, si14, si20 } from './decode.js';
import { classify, type LoongArchInsnClass } from './insn-class.js';
import { LoongArchSlot } from './pt-regs.js';
import { refusalOf } from './refusal.js';
import { simulateCompute } from './simulate-compute.js';

/**
 * What to do with the instruction at `address` whose bytes begin `bytes`. Whatever takes or sets the pc is simulated, as
 * in Linux, and so are the commonest other instructions, since a slot costs a second trap; the rest runs in a slot as it is.
 */
export function planProbe(bytes: Uint8Array, address: bigint, context?: ProbeContext): ProbePlan {
  const word = readInsn(bytes, 0);
  if (word === null) {
    return { kind: 'refuse', length: 0, errno: 'EILSEQ', reason: 'the bytes here are no instruction' };
  }
  const length = INSN_BYTES;
  const insnClass = classify(word);
  const refusal = refusalOf(insnClass, context?.before);
  if (refusal !== null) return { kind: 'refuse', length, ...refusal };
  const original = bytes.slice(0, length);
  const relocate = (): Uint8Array => original;
  const simulate = simulationOf(word, insnClass, address);
  if (simulate !== null) return { kind: 'simulate', length, simulate };
  const access = simulateAccess(word, new risc.Continuation(LoongArchSlot.csr_era, address + BigInt(length)));
  return access === null
    ? { kind: 'slot', length, relocate }
    : { kind: 'simulate', length, simulate: access, relocate };
}

function simulationOf(word: number, insnClass: LoongArchInsnClass, address: bigint): SimulateInsn | null {
  const at = (offset: number): risc.Continuation =>
    new risc.Continuation(LoongArchSlot.csr_era, address + BigInt(offset));
  const next = at(INSN_BYTES);
  switch (insnClass) {
    case 'nop':
      return risc.simulateNop(next);
    case 'pc-relative':
      return risc.simulateConstant(rd(word), pcRelative(word, address), next);
    case 'jump':
      return risc.simulateJump(word >>> 26 === 0x15 ? LoongArchSlot.ra : 0, at(offset26(word)), next);
    case 'jirl':
      return risc.simulateJumpRegister(rd(word), rj(word), offset16(word), ~0, next);
    case 'branch':
      return simulationOfBranch(word, at, next);
    default:
      return simulateCompute(word, next);
  }
}

/** What pcaddi (0), pcalau12i (1), pcaddu12i (2) and pcaddu18i (3) make of the pc. */
function pcRelative(word: number, address: bigint): bigint {
  const immediate = BigInt(si20(word));
  switch ((word >>> 25) & 3) {
    case 0:
      return address + (immediate << 2n);
    case 1:
      return (address + (immediate << 12n)) & ~0xfffn;
    case 2:
      return address + (immediate << 12n);
    default:
      return address + (immediate << 18n);
  }
}

/** beqz and bnez (10, 11), and pairs of comparison and opposite: beq bne blt bge bltu bgeu (16 to 1b). */
function simulationOfBranch(
  word: number,
  at: (offset: number) => risc.Continuation,
  next: risc.Continuation,
): SimulateInsn {
  const opcode = word >>> 26;
  const wanted = (opcode & 1) === 0;
  if (opcode < 0x12) return risc.simulateBranch(equal, wanted, [rj(word), 0], at(offset21(word)), next);
  const compare = COMPARISONS[(opcode - 0x16) >> 1];
  return risc.simulateBranch(compare, wanted, [rj(word), rd(word)], at(offset16(word)), next);
}

const COMPARISONS = [equal, less, lessUnsigned];

/** ld and st of all sizes with an offset of twelve bits, and ldptr and stptr; null for all other instructions. */
function simulateAccess(word: number, next: risc.Continuation): SimulateInsn | null {
  const pointer = POINTER_ACCESSES[word >>> 24];
  const access = pointer ?? ACCESSES[word >>> 22];
  if (access === undefined) return null;
  const operand = { base: rj(word), offset: pointer === undefined ? si12(word) : si14(word), size: access.size };
  if (access.store) return risc.simulateStore(rd(word), operand, next);
  return risc.simulateLoad(rd(word), operand, access.signed, next);
}

interface Access {
  readonly size: number;
  readonly store: boolean;
  readonly signed: boolean;
}

const load = (size: number, signed = true): Access => ({ size, store: false, signed });
const store = (size: number): Access => ({ size, store: true, signed: false });

const ACCESSES: Readonly<Record<number, Access>> = {
  0xa0: load(1),
  0xa1: load(2),
  0xa2: load(4),
  0xa3: load(8),
  0xa4: store(1),
  0xa5: store(2),
  0xa6: store(4),
  0xa7: store(8),
  0xa8: load(1, false),
  0xa9: load(2, false),
  0xaa: load(4, false),
};

const POINTER_ACCESSES: Readonly<Record<number, Access>> = {
  0x24: load(4),
  0x25: store(4),
  0x26: load(8),
  0x27: store(8),
};
