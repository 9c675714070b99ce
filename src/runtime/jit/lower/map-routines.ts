import { BpfUpdateFlag, Errno } from '../../../base/index.js';
import { HashElem, MapHeader } from '../../map/map-layout.js';
import type { FunctionWriter } from '../wasm/function-writer.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import { copyBytes } from './copy-bytes.js';
import { HashCode } from './hash-code.js';
import { LruCode } from './lru-code.js';
import type { MapShape } from './map-shape.js';

const { BPF_NOEXIST: NOEXIST, BPF_EXIST: EXIST, BPF_F_LOCK: LOCK } = BpfUpdateFlag;

/** What a routine returns that has done nothing: the call goes out of the module. No map answers -EPERM to programs. */
export const GO_OUT = -1;

/** Flags of an update that are known when code is written; undefined: they are an i64 in the local `FLAGS`. */
export type UpdateFlags = 0 | typeof NOEXIST | typeof EXIST | undefined;

/** Parameters of the routines, all i32 but the flags. */
const KEY = 0;
const VALUE = 1;
const CPU = 2;
const FLAGS = 3;

/** (key, cpu) -> offset of the value, or 0. */
export function writeLookup(w: FunctionWriter, map: MapShape): void {
  const cpu = 1;
  if (map.isArray) {
    const index = w.local(ValType.i32);
    w.get(KEY);
    w.memory(Wasm.i32Load, 0);
    w.tee(index);
    w.i32(map.maxEntries);
    w.op(Wasm.i32GeU);
    w.if();
    returnNumber(w, 0);
    w.end();
    arrayValue(w, map, index, cpu);
    return;
  }
  const hash = new HashCode(w, map, KEY);
  hash.find();
  w.get(hash.element);
  w.op(Wasm.i32Eqz);
  w.if();
  returnNumber(w, 0);
  w.end();
  if (map.isLru) new LruCode(w, map).reference(hash.element);
  elementValue(w, map, hash.element, cpu);
}

/** (key, value, cpu, flags unless known) -> 0, -errno or GO_OUT. */
export function writeUpdate(w: FunctionWriter, map: MapShape, flags: UpdateFlags): void {
  if (map.isArray) updateArray(w, map, flags);
  else if (map.isLru) updateLru(w, map, flags);
  else updateHash(w, map, flags);
}

/** (key) -> 0 or -errno, for hash maps. */
export function writeDelete(w: FunctionWriter, map: MapShape): void {
  const hash = new HashCode(w, map, KEY);
  hash.find();
  w.get(hash.element);
  w.op(Wasm.i32Eqz);
  w.if();
  returnNumber(w, -Errno.ENOENT);
  w.end();
  hash.unlinkElement();
  hash.count(-1);
  if (map.isLru) new LruCode(w, map).give(hash.element);
  else giveElement(w, map, hash);
  w.i32(0);
}

function updateArray(w: FunctionWriter, map: MapShape, flags: UpdateFlags): void {
  const index = w.local(ValType.i32);
  if (flags === undefined) refuseFlags(w, ~LOCK);
  w.get(KEY);
  w.memory(Wasm.i32Load, 0);
  w.tee(index);
  w.i32(map.maxEntries);
  w.op(Wasm.i32GeU);
  w.if();
  returnNumber(w, -Errno.E2BIG);
  w.end();
  if (flags === NOEXIST) {
    w.i32(-Errno.EEXIST);
    return;
  }
  if (flags === undefined) {
    refuseFlag(w, NOEXIST, -Errno.EEXIST);
    refuseFlag(w, LOCK, -Errno.EINVAL);
  }
  arrayValue(w, map, index, CPU);
  w.set(index);
  copyBytes(w, index, 0, VALUE, 0, map.valueSize);
  w.i32(0);
}

function updateHash(w: FunctionWriter, map: MapShape, flags: UpdateFlags): void {
  const hash = new HashCode(w, map, KEY);
  if (flags === undefined) refuseFlags(w, -1);
  hash.find();
  w.get(hash.element);
  w.if();
  refuseExistence(w, flags, NOEXIST, -Errno.EEXIST);
  if (map.cpuStride !== 0) {
    setValue(w, map, hash.element);
    returnNumber(w, 0);
  } else {
    hash.unlinkElement();
    swapSpare(w, map, hash.element);
  }
  w.else();
  refuseExistence(w, flags, EXIST, -Errno.ENOENT);
  takeElement(w, map, hash);
  hash.count(1);
  w.end();
  hash.setKey();
  if (map.cpuStride !== 0) clearValues(w, map, hash.element);
  hash.linkElement();
  setValue(w, map, hash.element);
  w.i32(0);
}

/** As in `LruHashMap` an element is taken first, whatever comes of it. */
function updateLru(w: FunctionWriter, map: MapShape, flags: UpdateFlags): void {
  const hash = new HashCode(w, map, KEY);
  const lru = new LruCode(w, map);
  const taken = w.local(ValType.i32);
  if (flags === undefined) refuseFlags(w, -1);
  w.block();
  lru.takeLocal(taken, CPU);
  copyBytes(w, taken, map.elemKey, KEY, 0, map.keySize);
  setValue(w, map, taken);
  hash.find();
  const giveUp = (number: number): void => {
    lru.give(taken);
    returnNumber(w, number);
  };
  w.get(hash.element);
  w.if();
  whereRefused(w, flags, NOEXIST, () => giveUp(-Errno.EEXIST));
  lru.reference(taken);
  hash.unlinkElement();
  lru.give(hash.element);
  w.else();
  whereRefused(w, flags, EXIST, () => giveUp(-Errno.ENOENT));
  hash.count(1);
  w.end();
  w.get(taken);
  w.set(hash.element);
  hash.linkElement();
  returnNumber(w, 0);
  w.end();
  w.i32(GO_OUT);
}

function returnNumber(w: FunctionWriter, number: number): void {
  w.i32(number);
  w.op(Wasm.return);
}

/** -EINVAL where the flags that `mask` leaves are more than EXIST. */
function refuseFlags(w: FunctionWriter, mask: number): void {
  w.get(FLAGS);
  w.i64(mask);
  w.op(Wasm.i64And);
  w.i64(EXIST);
  w.op(Wasm.i64GtU);
  w.if();
  returnNumber(w, -Errno.EINVAL);
  w.end();
}

function refuseFlag(w: FunctionWriter, flag: number, number: number): void {
  w.get(FLAGS);
  w.i64(flag);
  w.op(Wasm.i64And);
  w.i64(0);
  w.op(Wasm.i64Ne);
  w.if();
  returnNumber(w, number);
  w.end();
}

function refuseExistence(w: FunctionWriter, flags: UpdateFlags, refused: number, number: number): void {
  whereRefused(w, flags, refused, () => returnNumber(w, number));
}

/** Writes `then` for the case that the flags are `refused`. */
function whereRefused(w: FunctionWriter, flags: UpdateFlags, refused: number, then: () => void): void {
  if (flags !== undefined && flags !== refused) return;
  if (flags === undefined) {
    w.get(FLAGS);
    w.i64(refused);
    w.op(Wasm.i64Eq);
  } else w.i32(1);
  w.if();
  then();
  w.end();
}

/** The CPU's spare element takes the place of the one in the local, which becomes the spare. */
function swapSpare(w: FunctionWriter, map: MapShape, element: number): void {
  const word = w.local(ValType.i32);
  const spare = w.local(ValType.i32);
  w.get(CPU);
  w.i32(2);
  w.op(Wasm.i32Shl);
  w.i32(map.spares);
  w.op(Wasm.i32Add);
  w.tee(word);
  w.memory(Wasm.i32Load, 0);
  w.set(spare);
  w.get(word);
  w.get(element);
  w.memory(Wasm.i32Store, 0);
  w.get(spare);
  w.set(element);
}

/** An element given back, or else one never used; -E2BIG where there is none. */
function takeElement(w: FunctionWriter, map: MapShape, hash: HashCode): void {
  const { element } = hash;
  hash.loadField(MapHeader.freeList);
  w.tee(element);
  w.if();
  w.i32(0);
  w.get(element);
  w.memory(Wasm.i32Load, HashElem.hash);
  w.memory(Wasm.i32Store, map.address + MapHeader.freeList);
  w.else();
  hash.loadField(MapHeader.fresh);
  w.tee(element);
  w.i32(map.elements + map.stride * map.maxEntries);
  w.op(Wasm.i32Eq);
  w.if();
  returnNumber(w, -Errno.E2BIG);
  w.end();
  w.i32(0);
  w.get(element);
  w.i32(map.stride);
  w.op(Wasm.i32Add);
  w.memory(Wasm.i32Store, map.address + MapHeader.fresh);
  w.end();
}

function giveElement(w: FunctionWriter, map: MapShape, hash: HashCode): void {
  w.get(hash.element);
  hash.loadField(MapHeader.freeList);
  w.memory(Wasm.i32Store, HashElem.hash);
  w.i32(0);
  w.get(hash.element);
  w.memory(Wasm.i32Store, map.address + MapHeader.freeList);
}

/** Per-CPU values of a new element: those of other CPUs are 0. */
function clearValues(w: FunctionWriter, map: MapShape, element: number): void {
  w.get(element);
  w.i32(map.elemValue);
  w.op(Wasm.i32Add);
  w.i32(0);
  w.i32(map.stride - map.elemValue);
  w.memoryFill();
}

/** Copies the new value into the element. */
function setValue(w: FunctionWriter, map: MapShape, element: number): void {
  if (map.cpuStride === 0) {
    copyBytes(w, element, map.elemValue, VALUE, 0, map.valueSize);
    return;
  }
  const own = w.local(ValType.i32);
  elementValue(w, map, element, CPU);
  w.set(own);
  copyBytes(w, own, 0, VALUE, 0, map.valueSize);
}

/** Leaves the offset of a CPU's value in an element. */
function elementValue(w: FunctionWriter, map: MapShape, element: number, cpu: number): void {
  w.get(element);
  w.i32(map.elemValue);
  w.op(Wasm.i32Add);
  addCpu(w, map, cpu);
}

/** Leaves the offset of a CPU's value of an array. */
function arrayValue(w: FunctionWriter, map: MapShape, index: number, cpu: number): void {
  w.get(index);
  w.i32(map.stride);
  w.op(Wasm.i32Mul);
  w.i32(map.elements);
  w.op(Wasm.i32Add);
  addCpu(w, map, cpu);
}

function addCpu(w: FunctionWriter, map: MapShape, cpu: number): void {
  if (map.cpuStride === 0) return;
  w.get(cpu);
  w.i32(map.cpuStride);
  w.op(Wasm.i32Mul, Wasm.i32Add);
}
