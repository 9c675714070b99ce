import { hi32, lo32 } from '../../base/index.js';
import type { SimulateInsn } from '../arch.js';
import type { PtRegs } from '../pt-regs.js';
import { Arm64Pstate, Arm64Slot } from './pt-regs.js';
import { advance, goTo, REGISTER_31, signedField, writeRegister } from './straight.js';

const INSN_SIZE = 4n;
const { pstate, x30 } = Arm64Slot;

/** b and bl. */
export function simulateBranch(word: number, address: bigint): SimulateInsn {
  const target = relative(address, signedField(word, 0, 26));
  const lo = lo32(target);
  const hi = hi32(target);
  const next = address + INSN_SIZE;
  const link = word < 0;
  const linkLo = lo32(next);
  const linkHi = hi32(next);
  return (regs) => {
    if (link) regs.set(x30, linkLo, linkHi);
    goTo(regs, lo, hi);
    return true;
  };
}

/** b.cond and bc.cond. */
export function simulateConditionalBranch(word: number, address: bigint): SimulateInsn {
  const condition = word & 0xf;
  return choose(address, signedField(word, 5, 19), (regs) => conditionHolds(condition, regs.lo(pstate)));
}

/** cbz and cbnz. */
export function simulateCompareBranch(word: number, address: bigint): SimulateInsn {
  const register = word & 0x1f;
  const wide = word < 0;
  const wantsZero = (word & 0x0100_0000) === 0;
  return choose(address, signedField(word, 5, 19), (regs) => {
    const zero = register === REGISTER_31 || (regs.lo(register) === 0 && (!wide || regs.hi(register) === 0));
    return zero === wantsZero;
  });
}

/** tbz and tbnz. */
export function simulateTestBranch(word: number, address: bigint): SimulateInsn {
  const register = word & 0x1f;
  const upper = word < 0;
  const bit = 1 << ((word >>> 19) & 0x1f);
  const wantsZero = (word & 0x0100_0000) === 0;
  return choose(address, signedField(word, 5, 14), (regs) => {
    const bits = register === REGISTER_31 ? 0 : upper ? regs.hi(register) : regs.lo(register);
    return ((bits & bit) === 0) === wantsZero;
  });
}

/** br, blr and ret. Their BTYPE is left out: a target that is no landing pad is not found out. */
export function simulateRegisterBranch(word: number, address: bigint, link: boolean): SimulateInsn {
  const register = (word >>> 5) & 0x1f;
  const next = address + INSN_SIZE;
  const linkLo = lo32(next);
  const linkHi = hi32(next);
  return (regs) => {
    const lo = register === REGISTER_31 ? 0 : regs.lo(register);
    const hi = register === REGISTER_31 ? 0 : regs.hi(register);
    if (link) regs.set(x30, linkLo, linkHi);
    goTo(regs, lo, hi);
    return true;
  };
}

/** adr and adrp. */
export function simulateAddress(word: number, address: bigint): SimulateInsn {
  const register = word & 0x1f;
  const distance = BigInt((signedField(word, 5, 19) << 2) | ((word >>> 29) & 3));
  const result = word < 0 ? (address & ~0xfffn) + (distance << 12n) : address + distance;
  const lo = lo32(result);
  const hi = hi32(result);
  return advance(address + INSN_SIZE, (regs) => {
    writeRegister(regs, register, lo, hi);
    return true;
  });
}

/** `distance` in instructions. */
function relative(address: bigint, distance: number): bigint {
  return address + INSN_SIZE * BigInt(distance);
}

function choose(address: bigint, distance: number, taken: (regs: PtRegs) => boolean): SimulateInsn {
  const target = relative(address, distance);
  const next = address + INSN_SIZE;
  const targetLo = lo32(target);
  const targetHi = hi32(target);
  const nextLo = lo32(next);
  const nextHi = hi32(next);
  return (regs) => {
    if (taken(regs)) goTo(regs, targetLo, targetHi);
    else goTo(regs, nextLo, nextHi);
    return true;
  };
}

/** The sixteen conditions by their number; an odd one negates the one before it, but for nv, which holds like al. */
function conditionHolds(condition: number, bits: number): boolean {
  const holds = positiveCondition(condition >> 1, bits);
  return (condition & 1) === 0 || condition === 15 ? holds : !holds;
}

function positiveCondition(pair: number, bits: number): boolean {
  const { N, Z, C, V } = Arm64Pstate;
  const greaterOrEqual = ((bits & N) !== 0) === ((bits & V) !== 0);
  switch (pair) {
    case 0:
      return (bits & Z) !== 0;
    case 1:
      return (bits & C) !== 0;
    case 2:
      return (bits & N) !== 0;
    case 3:
      return (bits & V) !== 0;
    case 4:
      return (bits & (C | Z)) === C;
    case 5:
      return greaterOrEqual;
    case 6:
      return greaterOrEqual && (bits & Z) === 0;
    default:
      return true;
  }
}
