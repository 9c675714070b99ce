import { Op } from '../../interp/op.js';
import { StateLayout } from '../state-layout.js';
import { Wasm } from '../wasm/opcodes.js';
import type { Rule, Rules } from './rule.js';

function compare64(code: number): Rule {
  return (e, { d, s }) => {
    e.reg(d);
    e.source(s);
    e.w.op(code);
  };
}

function compare32(code: number): Rule {
  return (e, { d, s }) => {
    e.regLo(d);
    e.sourceLo(s);
    e.w.op(code);
  };
}

/** Mostly a pointer with NULL. */
const equal64: Rule = (e, { d, s }) => {
  e.reg(d);
  if (e.isConstant(s) && e.lo(s) === 0 && e.hi(s) === 0) {
    e.w.op(Wasm.i64Eqz);
    return;
  }
  e.source(s);
  e.w.op(Wasm.i64Eq);
};

const anyBit64: Rule = (e, { d, s }) => {
  e.reg(d);
  e.source(s);
  e.w.op(Wasm.i64And);
  e.w.i64(0);
  e.w.op(Wasm.i64Ne);
};

/** Left once half of the run's budget is used up: straight code before the loop counts as one instruction. */
const mayGoto: Rule = (e) => {
  e.w.get(e.budget);
  e.loadState(Wasm.i64Load, StateLayout.loopReserve);
  e.w.op(Wasm.i64LeS);
};

/** The conditions under which jumps are taken. */
export const jumpRules: Rules = new Map<number, Rule>([
  [Op.jeq64, equal64],
  [Op.jne64, compare64(Wasm.i64Ne)],
  [Op.jgt64, compare64(Wasm.i64GtU)],
  [Op.jge64, compare64(Wasm.i64GeU)],
  [Op.jlt64, compare64(Wasm.i64LtU)],
  [Op.jle64, compare64(Wasm.i64LeU)],
  [Op.jset64, anyBit64],
  [Op.jsgt64, compare64(Wasm.i64GtS)],
  [Op.jsge64, compare64(Wasm.i64GeS)],
  [Op.jslt64, compare64(Wasm.i64LtS)],
  [Op.jsle64, compare64(Wasm.i64LeS)],
  [Op.jeq32, compare32(Wasm.i32Eq)],
  [Op.jne32, compare32(Wasm.i32Ne)],
  [Op.jgt32, compare32(Wasm.i32GtU)],
  [Op.jge32, compare32(Wasm.i32GeU)],
  [Op.jlt32, compare32(Wasm.i32LtU)],
  [Op.jle32, compare32(Wasm.i32LeU)],
  [Op.jset32, compare32(Wasm.i32And)],
  [Op.jsgt32, compare32(Wasm.i32GtS)],
  [Op.jsge32, compare32(Wasm.i32GeS)],
  [Op.jslt32, compare32(Wasm.i32LtS)],
  [Op.jsle32, compare32(Wasm.i32LeS)],
  [Op.may_goto, mayGoto],
]);
