import { Op } from '../../interp/op.js';
import { FaultReason } from '../state-layout.js';
import { Wasm, WasmAtomic } from '../wasm/opcodes.js';
import type { Step } from '../step.js';
import type { Emitter } from './emitter.js';
import { address } from './memory.js';
import type { Rule, Rules } from './rule.js';

const R0 = 0;
type Width = 4 | 8;

const loadOf = { 4: Wasm.i64Load32U, 8: Wasm.i64Load } as const;
const storeOf = { 4: Wasm.i64Store32, 8: Wasm.i64Store } as const;

/** An operation between memory and src: the instruction that makes the new value, and the one that does it all. */
interface Modification {
  /** Undefined: the new value is src. */
  readonly combine: number | undefined;
  readonly atomic: Readonly<Record<Width, number>>;
}

const add: Modification = { combine: Wasm.i64Add, atomic: { 4: WasmAtomic.i64Add32U, 8: WasmAtomic.i64Add } };
const or: Modification = { combine: Wasm.i64Or, atomic: { 4: WasmAtomic.i64Or32U, 8: WasmAtomic.i64Or } };
const and: Modification = { combine: Wasm.i64And, atomic: { 4: WasmAtomic.i64And32U, 8: WasmAtomic.i64And } };
const xor: Modification = { combine: Wasm.i64Xor, atomic: { 4: WasmAtomic.i64Xor32U, 8: WasmAtomic.i64Xor } };
const exchange: Modification = {
  combine: undefined,
  atomic: { 4: WasmAtomic.i64Exchange32U, 8: WasmAtomic.i64Exchange },
};

/**
 * Stops the run where the address is no multiple of `size`. The interpreter finds the words for it, and WebAssembly's
 * own atomic instructions would trap.
 */
function requireAligned(e: Emitter, { index, x }: Step, register: number, size: number): void {
  const { w, facts, plan } = e;
  const way = facts.ways.get(index);
  const isProved = plan.assumeProved || plan.executable.facts?.isProved(e.code.slots[index]) === true;
  if (size === 1 || isProved || (way?.kind === 'frame' && way.at % size === 0)) return;
  plan.usesWindows = true;
  e.regLo(register);
  w.i32(x);
  w.op(Wasm.i32Add);
  w.i32(size - 1);
  w.op(Wasm.i32And);
  w.if();
  e.stop(index, 1, FaultReason.access);
  w.end();
}

/** Memory becomes `memory op src`; fetching forms leave the old value in src. */
function modify(width: Width, modification: Modification, fetch: boolean): Rule {
  return (e, step) => {
    requireAligned(e, step, step.d, width);
    const { offset } = address(e, step.index, step.d, step.x, width, true);
    if (e.runtime.memory.shared) modifyShared(e, step, modification.atomic[width], width, offset, fetch);
    else modifyAlone(e, step, modification.combine, width, offset, fetch);
  };
}

function modifyShared(e: Emitter, { s }: Step, code: number, width: Width, offset: number, fetch: boolean): void {
  e.source(s);
  e.w.atomic(code, width, offset);
  if (fetch) e.setReg(s / 2);
  else e.w.op(Wasm.drop);
}

/** A run is alone on memory that is not shared: one step after the other is atomic enough. */
function modifyAlone(
  e: Emitter,
  { s }: Step,
  combine: number | undefined,
  width: Width,
  offset: number,
  fetch: boolean,
): void {
  const { w } = e;
  w.set(e.address);
  if (fetch) {
    old(e, width, offset);
    w.set(e.pointer);
  }
  w.get(e.address);
  if (combine !== undefined) old(e, width, offset);
  e.source(s);
  if (combine !== undefined) w.op(combine);
  w.memory(storeOf[width], offset);
  if (!fetch) return;
  w.get(e.pointer);
  e.setReg(s / 2);
}

function old(e: Emitter, width: Width, offset: number): void {
  e.w.get(e.address);
  e.w.memory(loadOf[width], offset);
}

function compareAndExchange(width: Width): Rule {
  const code = width === 4 ? WasmAtomic.i64CompareExchange32U : WasmAtomic.i64CompareExchange;
  return (e, step) => {
    requireAligned(e, step, step.d, width);
    const { offset } = address(e, step.index, step.d, step.x, width, true);
    if (e.runtime.memory.shared) {
      expected(e, width);
      e.source(step.s);
      e.w.atomic(code, width, offset);
      e.setReg(R0);
    } else compareAndExchangeAlone(e, step, width, offset);
  };
}

function compareAndExchangeAlone(e: Emitter, { s }: Step, width: Width, offset: number): void {
  const { w } = e;
  w.set(e.address);
  old(e, width, offset);
  w.tee(e.pointer);
  expected(e, width);
  w.op(Wasm.i64Eq);
  w.if();
  w.get(e.address);
  e.source(s);
  w.memory(storeOf[width], offset);
  w.end();
  w.get(e.pointer);
  e.setReg(R0);
}

/** What memory is compared with: as much of r0 as is as wide. */
function expected(e: Emitter, width: Width): void {
  e.reg(R0);
  if (width === 8) return;
  e.w.i64(-1, 0);
  e.w.op(Wasm.i64And);
}

function loadAcquire(size: number, plain: number, atomic: number): Rule {
  return (e, step) => {
    requireAligned(e, step, step.s / 2, size);
    const { offset } = address(e, step.index, step.s / 2, step.x, size, false);
    if (e.runtime.memory.shared) e.w.atomic(atomic, size, offset);
    else e.w.memory(plain, offset);
    e.setReg(step.d);
  };
}

function storeRelease(size: number, plain: number, atomic: number): Rule {
  return (e, step) => {
    requireAligned(e, step, step.d, size);
    const { offset } = address(e, step.index, step.d, step.x, size, true);
    e.source(step.s);
    if (e.runtime.memory.shared) e.w.atomic(atomic, size, offset);
    else e.w.memory(plain, offset);
  };
}

export const atomicRules: Rules = new Map<number, Rule>([
  [Op.atomic_add_u32, modify(4, add, false)],
  [Op.atomic_or_u32, modify(4, or, false)],
  [Op.atomic_and_u32, modify(4, and, false)],
  [Op.atomic_xor_u32, modify(4, xor, false)],
  [Op.atomic_fetch_add_u32, modify(4, add, true)],
  [Op.atomic_fetch_or_u32, modify(4, or, true)],
  [Op.atomic_fetch_and_u32, modify(4, and, true)],
  [Op.atomic_fetch_xor_u32, modify(4, xor, true)],
  [Op.xchg_u32, modify(4, exchange, true)],
  [Op.cmpxchg_u32, compareAndExchange(4)],
  [Op.atomic_add_u64, modify(8, add, false)],
  [Op.atomic_or_u64, modify(8, or, false)],
  [Op.atomic_and_u64, modify(8, and, false)],
  [Op.atomic_xor_u64, modify(8, xor, false)],
  [Op.atomic_fetch_add_u64, modify(8, add, true)],
  [Op.atomic_fetch_or_u64, modify(8, or, true)],
  [Op.atomic_fetch_and_u64, modify(8, and, true)],
  [Op.atomic_fetch_xor_u64, modify(8, xor, true)],
  [Op.xchg_u64, modify(8, exchange, true)],
  [Op.cmpxchg_u64, compareAndExchange(8)],
  [Op.acquire8, loadAcquire(1, Wasm.i64Load8U, WasmAtomic.i64Load8U)],
  [Op.acquire16, loadAcquire(2, Wasm.i64Load16U, WasmAtomic.i64Load16U)],
  [Op.acquire32, loadAcquire(4, Wasm.i64Load32U, WasmAtomic.i64Load32U)],
  [Op.acquire64, loadAcquire(8, Wasm.i64Load, WasmAtomic.i64Load)],
  [Op.release8, storeRelease(1, Wasm.i64Store8, WasmAtomic.i64Store8)],
  [Op.release16, storeRelease(2, Wasm.i64Store16, WasmAtomic.i64Store16)],
  [Op.release32, storeRelease(4, Wasm.i64Store32, WasmAtomic.i64Store32)],
  [Op.release64, storeRelease(8, Wasm.i64Store, WasmAtomic.i64Store)],
]);
