import { BpfFuncId } from '../../../base/index.js';
import type { Helper } from '../../helper/helper.js';
import { Op } from '../../interp/op.js';
import { FaultReason, StateLayout } from '../state-layout.js';
import { Wasm } from '../wasm/opcodes.js';
import { indexOfWord, type Step } from '../step.js';
import type { Emitter } from './emitter.js';
import { askEventInline } from './event-helpers.js';
import { canLookUpInline, lookUpInline } from './map-lookup.js';
import type { Rule, Rules } from './rule.js';

const R0 = 0;

const callHelper: Rule = (e, step) => {
  const helper = e.code.helpers[step.x];
  const fact = e.facts.calls.get(step.index);
  if (helper.id === BpfFuncId.BPF_FUNC_map_lookup_elem && fact !== undefined && canLookUpInline(e, fact)) {
    lookUpInline(e, fact);
  } else if (!askEventInline(e, step, helper)) callOut(e, step, helper);
};

function callOut(e: Emitter, step: Step, helper: Helper): void {
  const { w } = e;
  const callsBack = helper.args.includes('func');
  if (callsBack) e.storeBudget();
  w.get(e.sp);
  helper.args.forEach((_, i) => {
    e.regLo(1 + i);
    e.regHi(1 + i);
  });
  e.callOutside(e.plan.outside.helper(helper));
  result(e, helper);
  if (helper.args.some((arg) => arg !== 'anything')) e.stopIfReported(step.index);
  if (callsBack) e.loadBudget();
  e.reloadWindows();
}

/** r0 from the low word on the stack, as the helper's row says. */
function result(e: Emitter, { ret }: Helper): void {
  const { w } = e;
  switch (ret) {
    case 'integer':
      w.op(Wasm.i64ExtendI32S);
      break;
    case 'u64':
      w.op(Wasm.i64ExtendI32U);
      e.loadState(Wasm.i64Load32U, StateLayout.resultHi);
      w.i64(32);
      w.op(Wasm.i64Shl, Wasm.i64Or);
      break;
    case 'map_value_or_null':
    case 'mem_or_null':
      w.tee(e.address);
      e.toPointer();
      w.i64(0);
      w.get(e.address);
      w.op(Wasm.select);
      break;
    case 'void':
      w.op(Wasm.drop);
      w.i64(0);
  }
  e.setReg(R0);
}

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
