import { Op } from '../../interp/op.js';
import { STACK_FRAME } from '../../interp/access-guard.js';
import { BPF_MEMORY_HI } from '../../memory/bpf-memory.js';
import type { AccessWay } from '../analysis/access-facts.js';
import { FaultReason, StateLayout } from '../state-layout.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import type { Step } from '../step.js';
import type { Emitter } from './emitter.js';
import type { Rule, Rules } from './rule.js';

/** Where the bytes are: an i32 on the stack, to which the instruction adds `offset`. */
interface Place {
  readonly offset: number;
}

/**
 * Leaves the address of `size` bytes at `register + off` on the stack, checked as far as nothing has been
 * proved. What the quick comparison does not let through is asked of the guard, outside the module.
 */
export function address(e: Emitter, index: number, register: number, off: number, size: number, write: boolean): Place {
  const way = e.facts.ways.get(index) ?? { kind: 'window' };
  if (way.kind === 'frame') {
    e.w.get(e.frame);
    return { offset: way.at };
  }
  if (way.kind === 'proved') return provedAddress(e, register, off);
  checkedAddress(e, index, way, { register, off, size, write });
  return { offset: 0 };
}

function provedAddress(e: Emitter, register: number, off: number): Place {
  e.regLo(register);
  if (off >= 0) return { offset: off };
  e.w.i32(off);
  e.w.op(Wasm.i32Add);
  return { offset: 0 };
}

interface Access {
  readonly register: number;
  readonly off: number;
  readonly size: number;
  readonly write: boolean;
}

function checkedAddress(e: Emitter, index: number, way: AccessWay, { register, off, size, write }: Access): void {
  const { w } = e;
  e.reg(register);
  if (off !== 0) {
    w.i64(off);
    w.op(Wasm.i64Add);
  }
  w.tee(e.pointer);
  isOutside(e, way, size, write);
  if (way.kind !== 'window') {
    // No call here: it would cost the loop around all its registers. The way back leads through the interpreter.
    w.if();
    e.stop(index, 1, FaultReason.access);
    w.end();
    w.get(e.pointer);
    w.op(Wasm.i32WrapI64);
    return;
  }
  w.if(ValType.i32);
  e.regLo(register);
  e.regHi(register);
  w.i32(off);
  w.i32(size);
  w.get(e.sp);
  e.callOutside(write ? e.plan.outside.findWritable : e.plan.outside.findReadable);
  w.tee(e.address);
  w.i32(-1);
  w.op(Wasm.i32Eq);
  w.if();
  e.stop(index, 2);
  w.end();
  e.reloadWindows();
  w.get(e.address);
  w.else();
  w.get(e.pointer);
  w.op(Wasm.i32WrapI64);
  w.end();
}

function isOutside(e: Emitter, way: AccessWay, size: number, write: boolean): void {
  const { w } = e;
  if (way.kind === 'nearFrame') {
    w.get(e.framePointer);
    w.op(Wasm.i64Sub);
    w.i64(STACK_FRAME - size);
    w.op(Wasm.i64GtU);
  } else if (way.kind === 'nearRegion') {
    w.i64(way.start, BPF_MEMORY_HI);
    w.op(Wasm.i64Sub);
    w.i64(way.size - size);
    w.op(Wasm.i64GtU);
  } else if (way.kind === 'packet') e.window(write ? 'packetWrite' : 'packetRead').isOutside(size);
  else e.window(write ? 'write' : 'read').isOutside(size);
}

function load(code: number, size: number): Rule {
  return (e, { index, d, s, x }) => {
    const { offset } = address(e, index, s / 2, x, size, false);
    e.w.memory(code, offset);
    e.setReg(d);
  };
}

/** A 32-bit field that holds a packet pointer if what is read is the context. */
const loadPacketPointer: Rule = (e, step) => {
  const { w } = e;
  isContext(e, step);
  w.op(Wasm.i64ExtendI32U);
  w.i64(0, BPF_MEMORY_HI);
  w.op(Wasm.i64Mul);
  const { offset } = address(e, step.index, step.s / 2, step.x, 4, false);
  w.memory(Wasm.i64Load32U, offset);
  w.op(Wasm.i64Or);
  const { packetProof, contextLoads } = e.facts;
  if (packetProof !== undefined && contextLoads.has(step.index)) mustBeOfPacket(e, step.index, packetProof);
  e.setReg(step.d);
};

/** What relies on the pointer on the stack being the packet's start or end is compiled as if it were. */
function mustBeOfPacket(e: Emitter, index: number, access: 'read' | 'write'): void {
  const { w } = e;
  w.tee(e.pointer);
  e.window(access === 'write' ? 'packetWrite' : 'packetRead').isOutside(0);
  w.if();
  e.stop(index, 1, FaultReason.access);
  w.end();
  w.get(e.pointer);
}

/** 1 where the base register points to the context. */
function isContext(e: Emitter, { index, s }: Step): void {
  const { w } = e;
  if (e.facts.contextLoads.has(index)) {
    w.i32(1);
    return;
  }
  e.plan.usesContext = true;
  e.reg(s / 2);
  e.loadState(Wasm.i64Load32U, StateLayout.context);
  w.i64(0, BPF_MEMORY_HI);
  w.op(Wasm.i64Or, Wasm.i64Eq);
}

function store(code: number, size: number): Rule {
  return (e, { index, d, s, x }) => {
    const { offset } = address(e, index, d, x, size, true);
    e.source(s);
    e.w.memory(code, offset);
  };
}

export const memoryRules: Rules = new Map<number, Rule>([
  [Op.load8, load(Wasm.i64Load8U, 1)],
  [Op.load16, load(Wasm.i64Load16U, 2)],
  [Op.load32, load(Wasm.i64Load32U, 4)],
  [Op.load64, load(Wasm.i64Load, 8)],
  [Op.loadsx8, load(Wasm.i64Load8S, 1)],
  [Op.loadsx16, load(Wasm.i64Load16S, 2)],
  [Op.loadsx32, load(Wasm.i64Load32S, 4)],
  [Op.loadPacketPointer, loadPacketPointer],
  [Op.store8, store(Wasm.i64Store8, 1)],
  [Op.store16, store(Wasm.i64Store16, 2)],
  [Op.store32, store(Wasm.i64Store32, 4)],
  [Op.store64, store(Wasm.i64Store, 8)],
]);

/** Bytes that a load, store or atomic touches; 0 for other operations. */
export function accessSize(op: number): number {
  switch (op) {
    case Op.load8:
    case Op.loadsx8:
    case Op.store8:
    case Op.acquire8:
    case Op.release8:
      return 1;
    case Op.load16:
    case Op.loadsx16:
    case Op.store16:
    case Op.acquire16:
    case Op.release16:
      return 2;
    case Op.load32:
    case Op.loadsx32:
    case Op.loadPacketPointer:
    case Op.store32:
    case Op.acquire32:
    case Op.release32:
      return 4;
    case Op.load64:
    case Op.store64:
    case Op.acquire64:
    case Op.release64:
      return 8;
    default:
      if (op >= Op.atomic_add_u32 && op <= Op.cmpxchg_u32) return 4;
      return op >= Op.atomic_add_u64 && op <= Op.cmpxchg_u64 ? 8 : 0;
  }
}

/** Atomic operations that write dst instead of memory. */
export function isAcquire(op: number): boolean {
  return op >= Op.acquire8 && op <= Op.acquire64;
}

export function isWrite(op: number): boolean {
  return (op >= Op.store8 && op <= Op.store64) || (op >= Op.atomic_add_u32 && !isAcquire(op));
}
