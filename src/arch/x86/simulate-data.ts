import type { SimulateInsn } from '../arch.js';
import type { Word64 } from '../word64.js';
import { advance } from './advance.js';
import { AluOp, compute } from './alu.js';
import { conditionHolds, STATUS_FLAGS, X86Flag } from './flags.js';
import type { X86Mode } from './mode.js';
import { effectiveAddress, type MemoryOperand, type OperandSize, type Place, type Source } from './operand.js';

const left: Word64 = { lo: 0, hi: 0 };
const right: Word64 = { lo: 0, hi: 0 };

export function simulateNop(mode: X86Mode, next: bigint): SimulateInsn {
  return advance(mode, next, () => true);
}

/** mov and movzx: values are zero-extended as they are read. */
export function simulateMove(mode: X86Mode, to: Place, from: Source, next: bigint): SimulateInsn {
  return advance(
    mode,
    next,
    (regs, memory) => from.load(regs, memory, left) && to.store(regs, memory, left.lo, left.hi),
  );
}

/** movsx and movsxd from `size` bytes. */
export function simulateSignExtend(
  mode: X86Mode,
  to: Place,
  from: Source,
  size: 1 | 2 | 4,
  next: bigint,
): SimulateInsn {
  const shift = 32 - 8 * size;
  return advance(mode, next, (regs, memory) => {
    if (!from.load(regs, memory, left)) return false;
    const lo = (left.lo << shift) >> shift;
    return to.store(regs, memory, lo, lo >> 31);
  });
}

export function simulateLea(mode: X86Mode, to: Place, operand: MemoryOperand, next: bigint): SimulateInsn {
  return advance(mode, next, (regs, memory) => {
    effectiveAddress(operand, regs, left);
    return to.store(regs, memory, left.lo, left.hi);
  });
}

/** cmovcc reads its source in any case, and a destination of 32 bits loses its upper half in any case. */
export function simulateConditionalMove(
  mode: X86Mode,
  code: number,
  to: Place,
  from: Source,
  next: bigint,
): SimulateInsn {
  const { flags } = mode;
  return advance(mode, next, (regs, memory) => {
    if (!from.load(regs, memory, left)) return false;
    if (!conditionHolds(code, regs.lo(flags))) to.load(regs, memory, left);
    return to.store(regs, memory, left.lo, left.hi);
  });
}

export function simulateSetCondition(mode: X86Mode, code: number, to: Place, next: bigint): SimulateInsn {
  const { flags } = mode;
  return advance(mode, next, (regs, memory) => to.store(regs, memory, conditionHolds(code, regs.lo(flags)) ? 1 : 0, 0));
}

/** One of `AluOp` on `to` and `from`. `keep`: false for cmp and test, which only set flags. */
export function simulateArithmetic(
  mode: X86Mode,
  op: number,
  size: OperandSize,
  to: Place,
  from: Source,
  keep: boolean,
  next: bigint,
): SimulateInsn {
  const { flags } = mode;
  return advance(mode, next, (regs, memory) => {
    if (!to.load(regs, memory, left) || !from.load(regs, memory, right)) return false;
    const before = regs.lo(flags);
    const status = compute(op, size, left, right, (before & X86Flag.CF) !== 0, left);
    if (keep && !to.store(regs, memory, left.lo, left.hi)) return false;
    regs.set(flags, (before & ~STATUS_FLAGS) | status, regs.hi(flags));
    return true;
  });
}

/** inc and dec, which leave the carry alone. */
export function simulateStep(
  mode: X86Mode,
  op: 'inc' | 'dec',
  size: OperandSize,
  to: Place,
  next: bigint,
): SimulateInsn {
  const { flags } = mode;
  const which = op === 'inc' ? AluOp.add : AluOp.sub;
  const changed = STATUS_FLAGS & ~X86Flag.CF;
  return advance(mode, next, (regs, memory) => {
    if (!to.load(regs, memory, left)) return false;
    right.lo = 1;
    right.hi = 0;
    const status = compute(which, size, left, right, false, left);
    if (!to.store(regs, memory, left.lo, left.hi)) return false;
    regs.set(flags, (regs.lo(flags) & ~changed) | (status & changed), regs.hi(flags));
    return true;
  });
}

/** not, which leaves the flags alone. */
export function simulateNot(mode: X86Mode, to: Place, next: bigint): SimulateInsn {
  return advance(mode, next, (regs, memory) => {
    if (!to.load(regs, memory, left)) return false;
    return to.store(regs, memory, ~left.lo, ~left.hi);
  });
}

export function simulateNegate(mode: X86Mode, size: OperandSize, to: Place, next: bigint): SimulateInsn {
  const { flags } = mode;
  return advance(mode, next, (regs, memory) => {
    if (!to.load(regs, memory, right)) return false;
    left.lo = 0;
    left.hi = 0;
    const status = compute(AluOp.sub, size, left, right, false, left);
    if (!to.store(regs, memory, left.lo, left.hi)) return false;
    regs.set(flags, (regs.lo(flags) & ~STATUS_FLAGS) | status, regs.hi(flags));
    return true;
  });
}
