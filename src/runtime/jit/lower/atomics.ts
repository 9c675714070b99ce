import { Op } from '../../interp/op.js';
import { Wasm } from '../wasm/opcodes.js';
import type { Step } from '../step.js';
import type { Emitter } from './emitter.js';
import { address } from './memory.js';
import type { Rule, Rules } from './rule.js';

const R0 = 0;
type Width = 4 | 8;

const loadOf = { 4: Wasm.i64Load32U, 8: Wasm.i64Load } as const;
const storeOf = { 4: Wasm.i64Store32, 8: Wasm.i64Store } as const;

/** Leaves the address in a local. A run is alone on the memory: one step after the other is atomic enough. */
function place(e: Emitter, { index, d, x }: Step, width: Width): number {
  const { offset } = address(e, index, d, x, width, true);
  e.w.set(e.address);
  return offset;
}

function old(e: Emitter, width: Width, offset: number): void {
  e.w.get(e.address);
  e.w.memory(loadOf[width], offset);
}

/** Memory becomes `memory op src`; fetching forms leave the old value in src. */
function modify(width: Width, code: number | undefined, fetch: boolean): Rule {
  return (e, step) => {
    const { w } = e;
    const offset = place(e, step, width);
    if (fetch) {
      old(e, width, offset);
      w.set(e.pointer);
    }
    w.get(e.address);
    if (code !== undefined) old(e, width, offset);
    e.source(step.s);
    if (code !== undefined) w.op(code);
    w.memory(storeOf[width], offset);
    if (!fetch) return;
    w.get(e.pointer);
    e.setReg(step.s / 2);
  };
}

function compareAndExchange(width: Width): Rule {
  return (e, step) => {
    const { w } = e;
    const offset = place(e, step, width);
    old(e, width, offset);
    w.tee(e.pointer);
    e.reg(R0);
    if (width === 4) {
      w.i64(-1, 0);
      w.op(Wasm.i64And);
    }
    w.op(Wasm.i64Eq);
    w.if();
    w.get(e.address);
    e.source(step.s);
    w.memory(storeOf[width], offset);
    w.end();
    w.get(e.pointer);
    e.setReg(R0);
  };
}

export const atomicRules: Rules = new Map<number, Rule>([
  [Op.atomic_add_u32, modify(4, Wasm.i64Add, false)],
  [Op.atomic_or_u32, modify(4, Wasm.i64Or, false)],
  [Op.atomic_and_u32, modify(4, Wasm.i64And, false)],
  [Op.atomic_xor_u32, modify(4, Wasm.i64Xor, false)],
  [Op.atomic_fetch_add_u32, modify(4, Wasm.i64Add, true)],
  [Op.atomic_fetch_or_u32, modify(4, Wasm.i64Or, true)],
  [Op.atomic_fetch_and_u32, modify(4, Wasm.i64And, true)],
  [Op.atomic_fetch_xor_u32, modify(4, Wasm.i64Xor, true)],
  [Op.xchg_u32, modify(4, undefined, true)],
  [Op.cmpxchg_u32, compareAndExchange(4)],
  [Op.atomic_add_u64, modify(8, Wasm.i64Add, false)],
  [Op.atomic_or_u64, modify(8, Wasm.i64Or, false)],
  [Op.atomic_and_u64, modify(8, Wasm.i64And, false)],
  [Op.atomic_xor_u64, modify(8, Wasm.i64Xor, false)],
  [Op.atomic_fetch_add_u64, modify(8, Wasm.i64Add, true)],
  [Op.atomic_fetch_or_u64, modify(8, Wasm.i64Or, true)],
  [Op.atomic_fetch_and_u64, modify(8, Wasm.i64And, true)],
  [Op.atomic_fetch_xor_u64, modify(8, Wasm.i64Xor, true)],
  [Op.xchg_u64, modify(8, undefined, true)],
  [Op.cmpxchg_u64, compareAndExchange(8)],
]);
