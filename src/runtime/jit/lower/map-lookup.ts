import { BpfMapType } from '../../../base/index.js';
import type { BpfMap } from '../../map/bpf-map.js';
import { HashElem, HashKind, MapHeader } from '../../map/map-layout.js';
import type { Runtime } from '../../runtime.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import type { ArgumentFact, CallFact } from '../analysis/call-facts.js';
import type { Emitter } from './emitter.js';
import { canPass } from './pass-pointer.js';

const R0 = 0;
const KEY_REGISTER = 2;
const T = BpfMapType;

/** A field of a map's header; those read here never change while the map lives. */
function field(runtime: Runtime, map: BpfMap, at: number): number {
  return runtime.memory.u32[(map.address + at) >>> 2];
}

function isArray(map: BpfMap): boolean {
  return map.type === T.BPF_MAP_TYPE_ARRAY || map.type === T.BPF_MAP_TYPE_PERCPU_ARRAY;
}

/** Hash maps that a lookup leaves as they are (LRU maps note it), with keys of one load and a hash of few steps. */
export function isMixedHash(runtime: Runtime, map: BpfMap): boolean {
  if (map.type !== T.BPF_MAP_TYPE_HASH && map.type !== T.BPF_MAP_TYPE_PERCPU_HASH) return false;
  const kind = field(runtime, map, MapHeader.hashKind);
  return kind === HashKind.mix32 || kind === HashKind.mix64;
}

export function canLookUpInline({ runtime }: Emitter, { map, arguments: [, , key] }: CallFact): boolean {
  return map !== undefined && canPass(key.way) && (isArray(map) || isMixedHash(runtime, map));
}

/** map_lookup_elem in the places of docs/map-layout.md, with the map's numbers as constants. */
export function lookUpInline(e: Emitter, { map, arguments: [, , key] }: CallFact): void {
  if (map === undefined) throw new TypeError('no map to look into');
  if (isArray(map)) lookUpArray(e, map, key);
  else lookUpHash(e, map, key);
}

function loadKey(e: Emitter, { way }: ArgumentFact, code: number): void {
  if (way?.kind === 'frame') e.w.get(e.frame);
  else e.regLo(KEY_REGISTER);
  e.w.memory(code, way?.kind === 'frame' ? way.at : 0);
}

function lookUpArray(e: Emitter, map: BpfMap, key: ArgumentFact): void {
  const { w, runtime } = e;
  loadKey(e, key, Wasm.i32Load);
  w.tee(e.address);
  w.i32(map.maxEntries);
  w.op(Wasm.i32LtU);
  w.if(ValType.i64);
  w.get(e.address);
  w.i32(field(runtime, map, MapHeader.stride));
  w.op(Wasm.i32Mul);
  w.i32(field(runtime, map, MapHeader.elements));
  w.op(Wasm.i32Add);
  addCpu(e, map);
  e.toPointer();
  w.else();
  w.i64(0);
  w.end();
  e.setReg(R0);
}

/** Adds what lies between CPU 0's value and this CPU's. */
function addCpu(e: Emitter, map: BpfMap): void {
  const cpuStride = field(e.runtime, map, MapHeader.cpuStride);
  if (cpuStride === 0) return;
  e.cpu();
  e.w.i32(cpuStride);
  e.w.op(Wasm.i32Mul, Wasm.i32Add);
}

function lookUpHash(e: Emitter, map: BpfMap, key: ArgumentFact): void {
  const { w, runtime } = e;
  const wide = map.keySize === 8;
  loadKey(e, key, wide ? Wasm.i64Load : Wasm.i64Load32U);
  w.set(e.pointer);
  bucketOfKey(e, map);
  w.memory(Wasm.i32Load, field(runtime, map, MapHeader.buckets));
  w.set(e.element);
  w.i64(0);
  e.setReg(R0);
  w.block();
  w.loop();
  w.get(e.element);
  w.op(Wasm.i32Eqz);
  w.brIf(1);
  w.get(e.element);
  w.memory(wide ? Wasm.i64Load : Wasm.i64Load32U, field(runtime, map, MapHeader.elemKey));
  w.get(e.pointer);
  w.op(Wasm.i64Eq);
  w.if();
  w.get(e.element);
  w.i32(field(runtime, map, MapHeader.elemValue));
  w.op(Wasm.i32Add);
  addCpu(e, map);
  e.toPointer();
  e.setReg(R0);
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
function bucketOfKey(e: Emitter, map: BpfMap): void {
  const { w, runtime } = e;
  w.get(e.pointer);
  w.op(Wasm.i32WrapI64);
  if (map.keySize === 8) {
    w.get(e.pointer);
    w.i64(32);
    w.op(Wasm.i64ShrU, Wasm.i32WrapI64);
    w.i32(0x85ebca6b | 0);
    w.op(Wasm.i32Mul);
    w.i32(15);
    w.op(Wasm.i32Rotl, Wasm.i32Xor);
  }
  w.i32(field(runtime, map, MapHeader.seed) | 0);
  w.op(Wasm.i32Xor);
  w.i32(0x9e3779b1 | 0);
  w.op(Wasm.i32Mul);
  w.tee(e.address);
  w.get(e.address);
  w.i32(15);
  w.op(Wasm.i32ShrU, Wasm.i32Xor);
  w.i32(field(runtime, map, MapHeader.mask) | 0);
  w.op(Wasm.i32And);
  w.i32(2);
  w.op(Wasm.i32Shl);
}
