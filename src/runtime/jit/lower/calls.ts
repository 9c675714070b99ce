import { Op } from '../../interp/op.js';
import { FaultReason, StateLayout } from '../state-layout.js';
import { Wasm } from '../wasm/opcodes.js';
import { indexOfWord } from '../step.js';
import { callOut } from './call-out.js';
import { insideCalls } from './inside-calls.js';
import type { Rule, Rules } from './rule.js';

const R0 = 0;

const callHelper: Rule = (e, step) => {
  const helper = e.code.helpers[step.x];
  const fact = e.facts.calls.get(step.index);
  const inside = fact === undefined ? undefined : insideCalls.get(helper.id)?.(e, step, fact);
  if (inside !== true) callOut(e, step, helper);
};

const callSubprog: Rule = (e, { index, x }) => {
  const { w } = e;
  const callee = e.plan.subprogs.get(indexOfWord(x));
  if (callee === undefined) throw new TypeError(`no function at word ${x}`);
  w.get(e.frame);
  e.loadState(Wasm.i32Load, StateLayout.frameLimit);
  w.op(Wasm.i32LtU);
  w.if();
  e.stop(index, 1, FaultReason.frames);
  w.end();
  e.storeBudget();
  for (let r = 1; r <= 5; r++) e.reg(r);
  w.get(e.frame);
  w.call(callee);
  e.setReg(R0);
  e.loadBudget();
  e.reloadWindows();
};

/** Where the jump is made, its result is this function's. */
const tailCall: Rule = (e, { index }) => {
  const { w } = e;
  e.storeBudget();
  w.get(e.sp);
  for (let r = 1; r <= 3; r++) {
    e.regLo(r);
    e.regHi(r);
  }
  e.callOutside(e.plan.outside.tailCall);
  w.set(e.address);
  e.stopIfReported(index);
  e.loadBudget();
  w.get(e.address);
  w.if();
  e.loadState(Wasm.i64Load, StateLayout.registers);
  e.setReg(R0);
  e.exit();
  w.end();
  e.reloadWindows();
};

/** callx: the helper whose number is in the register, with all five arguments. */
const callRegister: Rule = (e, { index, s }) => {
  const { w } = e;
  e.storeBudget();
  e.sourceLo(s);
  w.get(e.sp);
  for (let r = 1; r <= 5; r++) {
    e.regLo(r);
    e.regHi(r);
  }
  e.callOutside(e.plan.outside.callNumber);
  e.stopIfReported(index);
  e.loadState(Wasm.i64Load, StateLayout.registers);
  e.setReg(R0);
  e.loadBudget();
  e.reloadWindows();
};

const callNothing: Rule = (e, { index }) => e.stop(index, 0, FaultReason.nothing);

/** LD_ABS, LD_IND: a packet without those bytes ends the function with 0. */
function packetLoad(size: number, indirect: boolean): Rule {
  return (e, { s, x }) => {
    const { w } = e;
    w.i32(x);
    if (indirect) {
      e.sourceLo(s);
      w.op(Wasm.i32Add);
    }
    w.i32(size);
    e.callOutside(e.plan.outside.packetLoad);
    e.setLo(R0);
    e.loadState(Wasm.i32Load, StateLayout.resultHi);
    w.op(Wasm.i32Eqz);
    w.if();
    e.exit();
    w.end();
  };
}

export const callRules: Rules = new Map<number, Rule>([
  [Op.callHelper, callHelper],
  [Op.callSubprog, callSubprog],
  [Op.tailCall, tailCall],
  [Op.exit, (e) => e.exit()],
  [Op.callRegister, callRegister],
  [Op.callNothing, callNothing],
  [Op.ld_abs_u8, packetLoad(1, false)],
  [Op.ld_abs_u16, packetLoad(2, false)],
  [Op.ld_abs_u32, packetLoad(4, false)],
  [Op.ld_ind_u8, packetLoad(1, true)],
  [Op.ld_ind_u16, packetLoad(2, true)],
  [Op.ld_ind_u32, packetLoad(4, true)],
]);
