import { Op } from '../../interp/op.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import type { Emitter } from './emitter.js';
import type { Rule, Rules } from './rule.js';

function binary64(code: number): Rule {
  return (e, { d, s }) => {
    e.reg(d);
    e.source(s);
    e.w.op(code);
    e.setReg(d);
  };
}

function binary32(code: number): Rule {
  return (e, { d, s }) => {
    e.regLo(d);
    e.sourceLo(s);
    e.w.op(code);
    e.setLo(d);
  };
}

/** A sum of rotated halves is one rotation: shifts of one value that meet in an `or`. */
function or(width: 32 | 64): Rule {
  const plain = width === 64 ? binary64(Wasm.i64Or) : binary32(Wasm.i32Or);
  return (e, step) => {
    const rotate = e.facts.rotates.get(step.index);
    if (rotate === undefined) return plain(e, step);
    e.w.get(e.keptLocal(rotate.keep));
    if (width === 64) {
      e.w.i64(rotate.by);
      e.w.op(Wasm.i64Rotl);
      e.setReg(step.d);
    } else {
      e.w.op(Wasm.i32WrapI64);
      e.w.i32(rotate.by);
      e.w.op(Wasm.i32Rotl);
      e.setLo(step.d);
    }
  };
}

/** A quotient by zero is 0, a remainder by zero the dividend. A constant divisor needs no such guard. */
function division(width: 32 | 64, signed: boolean, remainder: boolean): Rule {
  const is64 = width === 64;
  const divide64 = remainder ? (signed ? Wasm.i64RemS : Wasm.i64RemU) : signed ? Wasm.i64DivS : Wasm.i64DivU;
  const divide32 = remainder ? (signed ? Wasm.i32RemS : Wasm.i32RemU) : signed ? Wasm.i32DivS : Wasm.i32DivU;
  const dividend = (e: Emitter, d: number): void => (is64 ? e.reg(d) : e.regLo(d));
  const divisor = (e: Emitter, s: number): void => (is64 ? e.source(s) : e.sourceLo(s));
  const number = (e: Emitter, value: number): void => (is64 ? e.w.i64(value) : e.w.i32(value));
  const divide = (e: Emitter, d: number, s: number): void => {
    dividend(e, d);
    divisor(e, s);
    e.w.op(is64 ? divide64 : divide32);
  };
  /** The most negative number by -1 would trap; it is its own negation. */
  const negate = (e: Emitter, d: number): void => {
    number(e, 0);
    dividend(e, d);
    e.w.op(is64 ? Wasm.i64Sub : Wasm.i32Sub);
  };
  const overflows = signed && !remainder;

  return (e, { d, s }) => {
    const { w } = e;
    if (e.isConstant(s)) {
      const lo = e.lo(s);
      const isZero = lo === 0 && (!is64 || e.hi(s) === 0);
      if (isZero && remainder) dividend(e, d);
      else if (isZero) number(e, 0);
      else if (overflows && lo === -1 && (!is64 || e.hi(s) === -1)) negate(e, d);
      else divide(e, d, s);
    } else {
      const result = is64 ? ValType.i64 : ValType.i32;
      divisor(e, s);
      w.op(is64 ? Wasm.i64Eqz : Wasm.i32Eqz);
      w.if(result);
      if (remainder) dividend(e, d);
      else number(e, 0);
      w.else();
      if (overflows) {
        divisor(e, s);
        number(e, -1);
        w.op(is64 ? Wasm.i64Eq : Wasm.i32Eq);
        w.if(result);
        negate(e, d);
        w.else();
      }
      divide(e, d, s);
      if (overflows) w.end();
      w.end();
    }
    if (is64) e.setReg(d);
    else e.setLo(d);
  };
}

function extend64(code: number): Rule {
  return (e, { d, s }) => {
    e.source(s);
    e.w.op(code);
    e.setReg(d);
  };
}

function extend32(code: number): Rule {
  return (e, { d, s }) => {
    e.sourceLo(s);
    e.w.op(code);
    e.setLo(d);
  };
}

function mask(lo: number): Rule {
  return (e, { d }) => {
    e.reg(d);
    e.w.i64(lo, 0);
    e.w.op(Wasm.i64And);
    e.setReg(d);
  };
}

const swap16: Rule = (e, { d }) => {
  const { w } = e;
  e.regLo(d);
  w.i32(8);
  w.op(Wasm.i32Shl);
  w.i32(0xff00);
  w.op(Wasm.i32And);
  e.regLo(d);
  w.i32(8);
  w.op(Wasm.i32ShrU);
  w.i32(0xff);
  w.op(Wasm.i32And, Wasm.i32Or);
  e.setLo(d);
};

/** Bytes 0 and 2 by a rotation one way, bytes 1 and 3 by one the other way. */
const swap32: Rule = (e, { d }) => {
  const { w } = e;
  e.regLo(d);
  w.i32(8);
  w.op(Wasm.i32Rotl);
  w.i32(0x00ff00ff);
  w.op(Wasm.i32And);
  e.regLo(d);
  w.i32(24);
  w.op(Wasm.i32Rotl);
  w.i32(0xff00ff00 | 0);
  w.op(Wasm.i32And, Wasm.i32Or);
  e.setLo(d);
};

/** Swaps neighbours of `bits` bits: those that `even` masks with the others. */
function swapNeighbours(e: Emitter, d: number, even: number, bits: number): void {
  const { w } = e;
  e.reg(d);
  w.i64(even, even);
  w.op(Wasm.i64And);
  w.i64(bits);
  w.op(Wasm.i64Shl);
  e.reg(d);
  w.i64(bits);
  w.op(Wasm.i64ShrU);
  w.i64(even, even);
  w.op(Wasm.i64And, Wasm.i64Or);
  e.setReg(d);
}

const swap64: Rule = (e, { d }) => {
  swapNeighbours(e, d, 0x00ff00ff, 8);
  swapNeighbours(e, d, 0x0000ffff, 16);
  e.reg(d);
  e.w.i64(32);
  e.w.op(Wasm.i64Rotl);
  e.setReg(d);
};

const move64: Rule = (e, { d, s }) => {
  e.source(s);
  e.setReg(d);
};

const move32: Rule = (e, { d, s }) => {
  if (e.isConstant(s)) {
    e.w.i64(e.lo(s), 0);
    e.setReg(d);
    return;
  }
  e.sourceLo(s);
  e.setLo(d);
};

const negate64: Rule = (e, { d }) => {
  e.w.i64(0);
  e.reg(d);
  e.w.op(Wasm.i64Sub);
  e.setReg(d);
};

const negate32: Rule = (e, { d }) => {
  e.w.i32(0);
  e.regLo(d);
  e.w.op(Wasm.i32Sub);
  e.setLo(d);
};

/** Shift counts count modulo the width, as WebAssembly does it. */
export const arithmeticRules: Rules = new Map<number, Rule>([
  [Op.add64, binary64(Wasm.i64Add)],
  [Op.sub64, binary64(Wasm.i64Sub)],
  [Op.mul64, binary64(Wasm.i64Mul)],
  [Op.div64, division(64, false, false)],
  [Op.sdiv64, division(64, true, false)],
  [Op.mod64, division(64, false, true)],
  [Op.smod64, division(64, true, true)],
  [Op.or64, or(64)],
  [Op.and64, binary64(Wasm.i64And)],
  [Op.xor64, binary64(Wasm.i64Xor)],
  [Op.lsh64, binary64(Wasm.i64Shl)],
  [Op.rsh64, binary64(Wasm.i64ShrU)],
  [Op.arsh64, binary64(Wasm.i64ShrS)],
  [Op.neg64, negate64],
  [Op.mov64, move64],
  [Op.movsx64_s8, extend64(Wasm.i64Extend8S)],
  [Op.movsx64_s16, extend64(Wasm.i64Extend16S)],
  [Op.movsx64_s32, extend64(Wasm.i64Extend32S)],
  [Op.add32, binary32(Wasm.i32Add)],
  [Op.sub32, binary32(Wasm.i32Sub)],
  [Op.mul32, binary32(Wasm.i32Mul)],
  [Op.div32, division(32, false, false)],
  [Op.sdiv32, division(32, true, false)],
  [Op.mod32, division(32, false, true)],
  [Op.smod32, division(32, true, true)],
  [Op.or32, or(32)],
  [Op.and32, binary32(Wasm.i32And)],
  [Op.xor32, binary32(Wasm.i32Xor)],
  [Op.lsh32, binary32(Wasm.i32Shl)],
  [Op.rsh32, binary32(Wasm.i32ShrU)],
  [Op.arsh32, binary32(Wasm.i32ShrS)],
  [Op.neg32, negate32],
  [Op.mov32, move32],
  [Op.movsx32_s8, extend32(Wasm.i32Extend8S)],
  [Op.movsx32_s16, extend32(Wasm.i32Extend16S)],
  [Op.truncate16, mask(0xffff)],
  [Op.truncate32, mask(-1)],
  [Op.truncate64, () => undefined],
  [Op.swap16, swap16],
  [Op.swap32, swap32],
  [Op.swap64, swap64],
]);
