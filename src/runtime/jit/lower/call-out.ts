import type { Helper } from '../../helper/helper.js';
import { StateLayout } from '../state-layout.js';
import type { Step } from '../step.js';
import { Wasm } from '../wasm/opcodes.js';
import type { Emitter } from './emitter.js';

const R0 = 0;

/** Calls a helper outside the module, where its arguments are checked. */
export function callOut(e: Emitter, step: Step, helper: Helper): void {
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

/** Writes a call that `inside` does within the module unless it leaves the block it is in: then it goes out. */
export function orCallOut(e: Emitter, step: Step, inside: () => void): void {
  const { w } = e;
  w.block();
  w.block();
  inside();
  w.br(1);
  w.end();
  e.depth++;
  callOut(e, step, e.code.helpers[step.x]);
  e.depth--;
  w.end();
}
