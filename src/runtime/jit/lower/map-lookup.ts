import { HashElem } from '../../map/map-layout.js';
import { BPF_MEMORY_HI } from '../../memory/bpf-memory.js';
import type { ArgumentFact } from '../analysis/call-facts.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import type { Emitter } from './emitter.js';
import { foldHigh, mix } from './hash-code.js';
import type { MapShape } from './map-shape.js';

const R0 = 0;
const KEY_REGISTER = 2;

function loadKey(e: Emitter, { way }: ArgumentFact, code: number): void {
  if (way?.kind === 'frame') e.w.get(e.frame);
  else e.regLo(KEY_REGISTER);
  e.w.memory(code, way?.kind === 'frame' ? way.at : 0);
}

/** An array's value by the index that r2 points to. */
export function lookUpArray(e: Emitter, map: MapShape, key: ArgumentFact): void {
  const { w } = e;
  const { least, most } = key.key ?? { least: 0, most: 0xffff_ffff };
  if (least === most && most < map.maxEntries && map.cpuStride === 0) {
    w.i64((map.elements + most * map.stride) | 0, BPF_MEMORY_HI);
  } else if (most < map.maxEntries) {
    loadKey(e, key, Wasm.i32Load);
    arrayValue(e, map);
  } else {
    loadKey(e, key, Wasm.i32Load);
    w.tee(e.address);
    w.i32(map.maxEntries);
    w.op(Wasm.i32LtU);
    w.if(ValType.i64);
    w.get(e.address);
    arrayValue(e, map);
    w.else();
    w.i64(0);
    w.end();
  }
  e.setReg(R0);
}

/** From an index on the stack to the pointer to its value. */
function arrayValue(e: Emitter, map: MapShape): void {
  const { w } = e;
  w.i32(map.stride);
  w.op(Wasm.i32Mul);
  w.i32(map.elements);
  w.op(Wasm.i32Add);
  addCpu(e, map);
  e.toPointer();
}

/** Adds what lies between CPU 0's value and this CPU's. */
function addCpu(e: Emitter, map: MapShape): void {
  if (map.cpuStride === 0) return;
  e.cpu();
  e.w.i32(map.cpuStride);
  e.w.op(Wasm.i32Mul, Wasm.i32Add);
}

/** A hash map's value by a key of 4 or 8 bytes that is mixed, not hashed with jhash. */
export function lookUpHash(e: Emitter, map: MapShape, key: ArgumentFact): void {
  const { w } = e;
  const wide = map.keySize === 8;
  loadKey(e, key, wide ? Wasm.i64Load : Wasm.i64Load32U);
  w.set(e.pointer);
  bucketOfKey(e, map);
  w.memory(Wasm.i32Load, map.buckets);
  w.set(e.element);
  w.i64(0);
  e.setReg(R0);
  w.block();
  w.loop();
  w.get(e.element);
  w.op(Wasm.i32Eqz);
  w.brIf(1);
  w.get(e.element);
  w.memory(wide ? Wasm.i64Load : Wasm.i64Load32U, map.elemKey);
  w.get(e.pointer);
  w.op(Wasm.i64Eq);
  w.if();
  w.get(e.element);
  w.i32(map.elemValue);
  w.op(Wasm.i32Add);
  addCpu(e, map);
  e.toPointer();
  e.setReg(R0);
  if (map.isLru) {
    w.get(e.element);
    w.i32(1);
    w.memory(Wasm.i32Store8, HashElem.lruRef);
  }
  w.br(2);
  w.end();
  w.get(e.element);
  w.memory(Wasm.i32Load, HashElem.next);
  w.set(e.element);
  w.br(0);
  w.end();
  w.end();
}

/** Leaves 4 times the bucket number of the key in `pointer` on the stack; the hash is `hashKey`'s. */
function bucketOfKey(e: Emitter, map: MapShape): void {
  const { w } = e;
  w.get(e.pointer);
  w.op(Wasm.i32WrapI64);
  if (map.keySize === 8) {
    w.get(e.pointer);
    foldHigh(w);
  }
  mix(w, map.seed, e.address);
  w.get(e.address);
  w.i32(map.mask);
  w.op(Wasm.i32And);
  w.i32(2);
  w.op(Wasm.i32Shl);
}
