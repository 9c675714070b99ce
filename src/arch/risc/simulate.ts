import { hi32, lo32 } from '../../base/index.js';
import type { SimulateInsn } from '../arch.js';
import type { PtRegs } from '../pt-regs.js';
import { add64, type Word64 } from '../word64.js';
import type { Operation64 } from './alu64.js';
import { readRegister, writeRegister } from './registers.js';
import { loadSized, storeSized } from './sized-access.js';

const a: Word64 = { lo: 0, hi: 0 };
const b: Word64 = { lo: 0, hi: 0 };

/** Decides a branch. */
export type Comparison64 = (a: Word64, b: Word64) => boolean;

/** An address and the slot of the pc: where an instruction goes on. */
export class Continuation {
  readonly #ip: number;
  readonly #lo: number;
  readonly #hi: number;

  constructor(ip: number, address: bigint) {
    this.#ip = ip;
    this.#lo = lo32(address);
    this.#hi = hi32(address);
  }

  enter(regs: PtRegs): true {
    regs.set(this.#ip, this.#lo, this.#hi);
    return true;
  }

  /** Puts the address into general register `n`. */
  link(regs: PtRegs, n: number): void {
    writeRegister(regs, n, this.#lo, this.#hi);
  }
}

export function simulateNop(next: Continuation): SimulateInsn {
  return (regs) => next.enter(regs);
}

/** rd = value. */
export function simulateConstant(rd: number, value: bigint, next: Continuation): SimulateInsn {
  const lo = lo32(value);
  const hi = hi32(value);
  return (regs) => {
    writeRegister(regs, rd, lo, hi);
    return next.enter(regs);
  };
}

/** Goes to `target` with the address of the next instruction in `rd`. */
export function simulateJump(rd: number, target: Continuation, next: Continuation): SimulateInsn {
  return (regs) => {
    next.link(regs, rd);
    return target.enter(regs);
  };
}

/** Goes to register `rs` + `offset`, cut by `mask`, with the address of the next instruction in `rd`. */
export function simulateJumpRegister(
  rd: number,
  rs: number,
  offset: number,
  mask: number,
  next: Continuation,
): SimulateInsn {
  return (regs) => {
    // The target counts as it was before the link.
    readRegister(a, regs, rs);
    add64(a, a.lo, a.hi, offset, offset >> 31);
    next.link(regs, rd);
    regs.set(regs.layout.ip, a.lo & mask, a.hi);
    return true;
  };
}

/** Goes to `target` where `compare` of the two registers is `wanted`. */
export function simulateBranch(
  compare: Comparison64,
  wanted: boolean,
  [rs1, rs2]: readonly [number, number],
  target: Continuation,
  next: Continuation,
): SimulateInsn {
  return (regs) => {
    readRegister(a, regs, rs1);
    readRegister(b, regs, rs2);
    return compare(a, b) === wanted ? target.enter(regs) : next.enter(regs);
  };
}

/** rd = rs op immediate. */
export function simulateImmediate(
  operation: Operation64,
  rd: number,
  rs: number,
  immediate: number,
  next: Continuation,
): SimulateInsn {
  return (regs) => {
    readRegister(a, regs, rs);
    b.lo = immediate;
    b.hi = immediate >> 31;
    operation(a, a, b);
    writeRegister(regs, rd, a.lo, a.hi);
    return next.enter(regs);
  };
}

/** rd = rs1 op rs2. */
export function simulateRegisters(
  operation: Operation64,
  rd: number,
  rs1: number,
  rs2: number,
  next: Continuation,
): SimulateInsn {
  return (regs) => {
    readRegister(a, regs, rs1);
    readRegister(b, regs, rs2);
    operation(a, a, b);
    writeRegister(regs, rd, a.lo, a.hi);
    return next.enter(regs);
  };
}

/** A memory operand of `size` bytes: register + offset. */
export interface SizedOperand {
  readonly base: number;
  readonly offset: number;
  readonly size: number;
}

export function simulateLoad(
  rd: number,
  { base, offset, size }: SizedOperand,
  signed: boolean,
  next: Continuation,
): SimulateInsn {
  return (regs, memory) => {
    readRegister(a, regs, base);
    add64(a, a.lo, a.hi, offset, offset >> 31);
    if (!loadSized(memory, a.lo, a.hi, size, signed, b)) return false;
    writeRegister(regs, rd, b.lo, b.hi);
    return next.enter(regs);
  };
}

export function simulateStore(from: number, { base, offset, size }: SizedOperand, next: Continuation): SimulateInsn {
  return (regs, memory) => {
    readRegister(a, regs, base);
    add64(a, a.lo, a.hi, offset, offset >> 31);
    readRegister(b, regs, from);
    return storeSized(memory, a.lo, a.hi, size, b) && next.enter(regs);
  };
}
