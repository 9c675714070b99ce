import { hi32, lo32 } from '../../base/index.js';
import { less, lessUnsigned } from '../alu64.js';
import type { SimulateInsn } from '../arch.js';
import { add64, type Word64 } from '../word64.js';
import { RiscvSlot } from './pt-regs.js';
import { readX, writeX } from './registers.js';

const { epc } = RiscvSlot;
const a: Word64 = { lo: 0, hi: 0 };
const b: Word64 = { lo: 0, hi: 0 };

/** auipc, where `value` is the address plus the immediate. */
export function simulateAuipc(rd: number, value: bigint, next: bigint): SimulateInsn {
  const [lo, hi, nextLo, nextHi] = words(value, next);
  return (regs) => {
    writeX(regs, rd, lo, hi);
    regs.set(epc, nextLo, nextHi);
    return true;
  };
}

export function simulateJal(rd: number, target: bigint, next: bigint): SimulateInsn {
  const [lo, hi, linkLo, linkHi] = words(target, next);
  return (regs) => {
    writeX(regs, rd, linkLo, linkHi);
    regs.set(epc, lo, hi);
    return true;
  };
}

export function simulateJalr(rd: number, rs1: number, offset: number, next: bigint): SimulateInsn {
  const [linkLo, linkHi] = words(next);
  return (regs) => {
    readX(a, regs, rs1);
    add64(a, a.lo, a.hi, offset, offset >> 31);
    writeX(regs, rd, linkLo, linkHi);
    regs.set(epc, a.lo & ~1, a.hi);
    return true;
  };
}

/** beq, bne, blt, bge, bltu, bgeu by their funct3. */
export function simulateBranch(funct3: number, rs1: number, rs2: number, target: bigint, next: bigint): SimulateInsn {
  const [lo, hi, nextLo, nextHi] = words(target, next);
  const compare = COMPARISONS[funct3 >> 1];
  const wanted = (funct3 & 1) === 0;
  return (regs) => {
    readX(a, regs, rs1);
    readX(b, regs, rs2);
    if (compare(a, b) === wanted) regs.set(epc, lo, hi);
    else regs.set(epc, nextLo, nextHi);
    return true;
  };
}

function equal(x: Word64, y: Word64): boolean {
  return x.lo === y.lo && x.hi === y.hi;
}

/** By funct3 without its lowest bit, which negates; the second is reserved. */
const COMPARISONS = [equal, equal, less, lessUnsigned];

function words(...values: readonly bigint[]): number[] {
  return values.flatMap((value) => [lo32(value), hi32(value)]);
}
