import { hi32, lo32 } from '../../base/index.js';
import type { SimulateInsn } from '../arch.js';
import { add64, type Word64 } from '../word64.js';
import type { InsnEffect } from './advance.js';
import { conditionHolds, X86Flag } from './flags.js';
import type { X86Mode } from './mode.js';
import { registerPlace, type OperandSize, type Source } from './operand.js';
import { peek, popped, push } from './stack.js';

/** Number of rcx in encodings. */
const CX = 1;
const value: Word64 = { lo: 0, hi: 0 };

export function simulateJump(mode: X86Mode, target: bigint): SimulateInsn {
  const { ip } = mode;
  const lo = lo32(target);
  const hi = hi32(target);
  return (regs) => {
    regs.set(ip, lo, hi);
    return true;
  };
}

/** jcc: `code` is the low nibble of the opcode. */
export function simulateConditionalJump(mode: X86Mode, code: number, target: bigint, next: bigint): SimulateInsn {
  const { flags } = mode;
  return choose(mode, target, next, (regs) => conditionHolds(code, regs.lo(flags)));
}

/** loopne (e0), loope (e1), loop (e2) and jrcxz (e3); `size`: they count in that many bytes of rcx. */
export function simulateLoop(mode: X86Mode, opcode: number, size: number, target: bigint, next: bigint): SimulateInsn {
  const { flags } = mode;
  const counter = registerPlace(mode, CX, size as OperandSize, true);
  const wanted = opcode === 0xe1 ? X86Flag.ZF : 0;
  return choose(mode, target, next, (regs, memory) => {
    counter.load(regs, memory, value);
    if (opcode === 0xe3) return (value.lo | value.hi) === 0;
    add64(value, value.lo, value.hi, -1, -1);
    counter.store(regs, memory, value.lo, value.hi);
    counter.load(regs, memory, value);
    if ((value.lo | value.hi) === 0) return false;
    return opcode === 0xe2 || (regs.lo(flags) & X86Flag.ZF) === wanted;
  });
}

export function simulateCall(mode: X86Mode, target: bigint, next: bigint): SimulateInsn {
  const { ip } = mode;
  const lo = lo32(target);
  const hi = hi32(target);
  const pushNext = pusher(mode, next);
  return (regs, memory) => {
    if (!pushNext(regs, memory)) return false;
    regs.set(ip, lo, hi);
    return true;
  };
}

export function simulateIndirectJump(mode: X86Mode, target: Source): SimulateInsn {
  const { ip } = mode;
  return (regs, memory) => {
    if (!target.load(regs, memory, value)) return false;
    regs.set(ip, value.lo, value.hi);
    return true;
  };
}

export function simulateIndirectCall(mode: X86Mode, target: Source, next: bigint): SimulateInsn {
  const { ip } = mode;
  const pushNext = pusher(mode, next);
  return (regs, memory) => {
    // The target counts as it was before the push moved the stack pointer.
    if (!target.load(regs, memory, value)) return false;
    if (!pushNext(regs, memory)) return false;
    regs.set(ip, value.lo, value.hi);
    return true;
  };
}

/** ret, with the bytes of arguments it drops. */
export function simulateReturn(mode: X86Mode, drop: number): SimulateInsn {
  const { ip, sp } = mode;
  return (regs, memory) => {
    if (!peek(mode, regs, memory, sp, value)) return false;
    regs.set(ip, value.lo, value.hi);
    popped(mode, regs, sp, drop);
    return true;
  };
}

function choose(mode: X86Mode, target: bigint, next: bigint, taken: InsnEffect): SimulateInsn {
  const { ip } = mode;
  const targetLo = lo32(target);
  const targetHi = hi32(target);
  const nextLo = lo32(next);
  const nextHi = hi32(next);
  return (regs, memory) => {
    if (taken(regs, memory)) regs.set(ip, targetLo, targetHi);
    else regs.set(ip, nextLo, nextHi);
    return true;
  };
}

/** Pushes the return address `next`. Leaves `value` alone. */
function pusher(mode: X86Mode, next: bigint): InsnEffect {
  const lo = lo32(next);
  const hi = hi32(next);
  return (regs, memory) => push(mode, regs, memory, lo, hi);
}
