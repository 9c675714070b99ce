import { Errno } from '../../../base/index.js';
import { HashKind } from '../../map/map-layout.js';
import type { CallFact, Words } from '../analysis/call-facts.js';
import type { Step } from '../step.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import { orCallOut } from './call-out.js';
import type { Emitter } from './emitter.js';
import { lookUpArray, lookUpHash } from './map-lookup.js';
import { GO_OUT, type UpdateFlags, writeDelete, writeLookup, writeUpdate } from './map-routines.js';
import { type MapShape, mapShape } from './map-shape.js';
import { canPass, passPointer } from './pass-pointer.js';

const R0 = 0;
const { i32, i64 } = ValType;

/** bpf_map_lookup_elem: what is short stands where it is called. */
export function lookUpElement(e: Emitter, _step: Step, { map, arguments: [, , key] }: CallFact): boolean {
  const shape = mapShape(e.runtime, map);
  if (shape === undefined || !canPass(key.way)) return false;
  if (shape.isArray) lookUpArray(e, shape, key);
  else if (shape.hashKind !== HashKind.jhash) lookUpHash(e, shape, key);
  else {
    passPointer(e, 2, key.way);
    e.cpu();
    callLookup(e, shape);
  }
  return true;
}

/** bpf_map_lookup_percpu_elem. */
export function lookUpElementOfCpu(e: Emitter, _step: Step, { map, arguments: [, , key] }: CallFact): boolean {
  const shape = mapShape(e.runtime, map);
  if (shape === undefined || !canPass(key.way)) return false;
  const { w } = e;
  w.i64(0);
  e.setReg(R0);
  e.regLo(3);
  w.i32(e.runtime.cpus);
  w.op(Wasm.i32LtU);
  w.if();
  passPointer(e, 2, key.way);
  e.regLo(3);
  callLookup(e, shape);
  w.end();
  return true;
}

/** bpf_map_update_elem. */
export function updateElement(e: Emitter, step: Step, { map, arguments: args }: CallFact): boolean {
  const shape = mapShape(e.runtime, map);
  const [, , key, value] = args;
  if (shape === undefined || !canPass(key.way) || !canPass(value.way)) return false;
  if (shape.isReadOnly) {
    answer(e, -Errno.EACCES);
    return true;
  }
  // Where each CPU has its own lists, each update rotates them.
  if (shape.isLru && shape.hasListsPerCpu) return false;
  if (shape.isLru) orCallOut(e, step, () => callUpdate(e, shape, args));
  else callUpdate(e, shape, args);
  return true;
}

/** Leaves the block if the routine leaves the work to others. */
function callUpdate(e: Emitter, shape: MapShape, [, , key, value, flags]: CallFact['arguments']): void {
  const { w } = e;
  const known = knownFlags(flags.constant);
  passPointer(e, 2, key.way);
  passPointer(e, 3, value.way);
  e.cpu();
  if (known === undefined) e.reg(4);
  w.call(updateRoutine(e, shape, known));
  if (shape.isLru) {
    w.tee(e.address);
    w.i32(GO_OUT);
    w.op(Wasm.i32Eq);
    w.brIf(0);
    w.get(e.address);
  }
  w.op(Wasm.i64ExtendI32S);
  e.setReg(R0);
}

/** bpf_map_delete_elem. */
export function deleteElement(e: Emitter, _step: Step, { map, arguments: [, , key] }: CallFact): boolean {
  const shape = mapShape(e.runtime, map);
  if (shape === undefined || !canPass(key.way)) return false;
  if (shape.isReadOnly) answer(e, -Errno.EACCES);
  else if (shape.isArray) answer(e, -Errno.EINVAL);
  else {
    passPointer(e, 2, key.way);
    const type = { params: [i32], results: [i32] };
    e.w.call(e.plan.routines.indexOf(`delete ${shape.address}`, type, (w) => writeDelete(w, shape)));
    e.w.op(Wasm.i64ExtendI32S);
    e.setReg(R0);
  }
  return true;
}

function answer(e: Emitter, number: number): void {
  e.w.i64(number);
  e.setReg(R0);
}

/** Key and CPU are on the stack. */
function callLookup(e: Emitter, shape: MapShape): void {
  const { w } = e;
  const type = { params: [i32, i32], results: [i32] };
  w.call(e.plan.routines.indexOf(`lookup ${shape.address}`, type, (body) => writeLookup(body, shape)));
  w.tee(e.address);
  e.toPointer();
  w.i64(0);
  w.get(e.address);
  w.op(Wasm.select);
  e.setReg(R0);
}

function knownFlags(words: Words | undefined): UpdateFlags {
  if (words?.hi !== 0) return undefined;
  const { lo } = words;
  return lo === 0 || lo === 1 || lo === 2 ? lo : undefined;
}

function updateRoutine({ plan }: Emitter, shape: MapShape, flags: UpdateFlags): number {
  const type = { params: flags === undefined ? [i32, i32, i32, i64] : [i32, i32, i32], results: [i32] };
  const name = `update ${shape.address} ${flags ?? 'any'}`;
  return plan.routines.indexOf(name, type, (w) => writeUpdate(w, shape, flags));
}
