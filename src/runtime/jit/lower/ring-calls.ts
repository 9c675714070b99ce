import { BpfMapType, Errno } from '../../../base/index.js';
import { CpuBlock, MAX_RECORDS } from '../../cpu-block.js';
import { isSize, MAX_SIZE } from '../../interp/helper-call.js';
import type { BpfMap } from '../../map/bpf-map.js';
import { BPF_MEMORY_HI } from '../../memory/bpf-memory.js';
import type { Runtime } from '../../runtime.js';
import type { ArgumentFact, CallFact, Words } from '../analysis/call-facts.js';
import type { Step } from '../step.js';
import type { FunctionWriter } from '../wasm/function-writer.js';
import type { FunctionType } from '../wasm/module-writer.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import { orCallOut } from './call-out.js';
import { copyBytes } from './copy-bytes.js';
import type { Emitter } from './emitter.js';
import { canPass, passPointer } from './pass-pointer.js';
import { QuickRingCode } from './quick-ring-code.js';
import { RingCode } from './ring-code.js';
import { type Amount, FORCE_WAKEUP, NO_WAKEUP } from './ring-phrases.js';

const R0 = 0;
const OUTPUT_FLAGS = NO_WAKEUP | FORCE_WAKEUP;
const { i32, i64 } = ValType;
/** What a routine returns that has done nothing: the call goes out of the module. */
const GO_OUT = -1;
/** Parameter of the routines: the block of the CPU. */
const BLOCK = 0;
/** Parameter of those that commit. */
const RECORD = 1;

/** bpf_ringbuf_reserve. */
export function reserveRecord(e: Emitter, step: Step, { map, arguments: [, , size, flags] }: CallFact): boolean {
  if (!isRing(map) || !isNumber(flags, 0) || !mayBeSize(size)) return false;
  e.plan.needsRun = true;
  orCallOut(e, step, () => {
    const { w } = e;
    leaveUnlessSize(e, 2, size);
    const code = quickCode(e, map, size.constant?.lo);
    if (code !== undefined && size.constant !== undefined) reserveInline(e, code, map, size.constant);
    else {
      e.cpuBlock();
      passUnlessConstant(e, 2, size);
      w.call(reserveRoutine(e, map, size.constant));
      w.set(e.pointer);
    }
    w.get(e.pointer);
    w.i64(GO_OUT);
    w.op(Wasm.i64Eq);
    w.brIf(0);
    w.get(e.pointer);
    e.setReg(R0);
  });
  return true;
}

export function submitRecord(e: Emitter, step: Step, fact: CallFact): boolean {
  return commitRecord(e, step, fact, false);
}

export function discardRecord(e: Emitter, step: Step, fact: CallFact): boolean {
  return commitRecord(e, step, fact, true);
}

/** bpf_ringbuf_output. */
export function outputRecord(e: Emitter, _step: Step, { map, arguments: [, , data, size, flags] }: CallFact): boolean {
  const words = flags.constant;
  if (!isRing(map) || words === undefined || size.constant === undefined || !mayBeSize(size)) return false;
  if (size.constant.lo > 0 && !canPass(data.way)) return false;
  const { w } = e;
  e.plan.needsRun = true;
  if (words.hi !== 0 || (words.lo & ~OUTPUT_FLAGS) !== 0) w.i64(-Errno.EINVAL);
  else {
    passPointer(e, 2, data.way);
    w.call(outputRoutine(e, map, size.constant.lo, words.lo));
    w.op(Wasm.i64ExtendI32S);
  }
  e.setReg(R0);
  return true;
}

/** bpf_ringbuf_query. */
export function queryRing(e: Emitter, _step: Step, { map, arguments: [, , selector] }: CallFact): boolean {
  const words = selector.constant;
  if (!isRing(map) || words === undefined) return false;
  if (words.hi === 0) new RingCode(e.w, e.runtime, map).query(words.lo);
  else e.w.i64(0);
  e.setReg(R0);
  return true;
}

/** bpf_ringbuf_submit and bpf_ringbuf_discard. */
function commitRecord(e: Emitter, step: Step, fact: CallFact, discard: boolean): boolean {
  const [, { record }, flags] = fact.arguments;
  const rings = record === undefined ? e.plan.executable.maps.filter(isRing) : [record.ring];
  if (rings.length === 0) return false;
  e.plan.needsRun = true;
  orCallOut(e, step, () => {
    const { w } = e;
    if (record === undefined) {
      e.regHi(1);
      w.i32(BPF_MEMORY_HI);
      w.op(Wasm.i32Ne);
      w.brIf(0);
    }
    w.block();
    const code = record === undefined ? undefined : quickCode(e, record.ring, record.size);
    if (code !== undefined && record !== undefined && flags.constant !== undefined) {
      commitInline(e, code, record.size, flags.constant, discard);
    }
    for (const ring of rings) {
      e.cpuBlock();
      e.regLo(1);
      passUnlessConstant(e, 2, flags);
      w.call(commitRoutine(e, ring, record?.size, flags.constant, discard));
      w.brIf(0);
    }
    w.br(1);
    w.end();
    w.i64(0);
    e.setReg(R0);
    e.forgetWindows();
  });
  return true;
}

/**
 * What writes the quick case of a ring call where the call stands: the first two of a function, a record's reservation
 * and its commit as a rule, are spared the way into a routine and back.
 */
function quickCode(e: Emitter, ring: BpfMap, size: number | undefined): QuickRingCode | undefined {
  if (size === undefined || e.inlineRingCalls === 0) return undefined;
  const code = new QuickRingCode(e.w, e.runtime, ring);
  if (!code.takes(size)) return undefined;
  e.inlineRingCalls--;
  return code;
}

/** Sets `e.pointer` to the data of a record, 0 or GO_OUT. */
function reserveInline(e: Emitter, code: QuickRingCode, ring: BpfMap, size: Words): void {
  const { w } = e;
  w.block();
  w.block();
  e.cpuBlock();
  w.set(e.element);
  reserveFirst(w, code, e.element, size.lo);
  w.set(e.pointer);
  w.br(1);
  w.end();
  w.get(e.element);
  w.call(slowReserveRoutine(e, ring, size));
  w.set(e.pointer);
  w.end();
}

/** Leaves the block around if the record is committed. */
function commitInline(e: Emitter, code: QuickRingCode, size: number, flags: Words, discard: boolean): void {
  const { w } = e;
  w.block();
  e.cpuBlock();
  w.set(e.element);
  e.regLo(1);
  w.set(e.address);
  commitOnly(w, code, { block: e.element, record: e.address, size }, { constant: flags.lo & OUTPUT_FLAGS }, discard);
  w.br(1);
  w.end();
}

/** (block, size unless constant) -> pointer to the data, 0 or GO_OUT. */
function reserveRoutine(e: Emitter, ring: BpfMap, size: Words | undefined): number {
  if (size === undefined) return slowReserveRoutine(e, ring, undefined);
  return e.plan.routines.indexOf(reserveName(ring, size), reserveType(size), (w) => {
    const code = new QuickRingCode(w, e.runtime, ring);
    w.block();
    if (code.takes(size.lo)) {
      reserveFirst(w, code, BLOCK, size.lo);
      w.op(Wasm.return);
    }
    w.end();
    w.get(BLOCK);
    w.call(slowReserveRoutine(e, ring, size));
  });
}

/** The same, whatever there is to do. */
function slowReserveRoutine({ plan, runtime }: Emitter, ring: BpfMap, size: Words | undefined): number {
  return plan.routines.indexOf(`${reserveName(ring, size)} slowly`, reserveType(size), (w) =>
    reserveAny(w, runtime, ring, size?.lo),
  );
}

function reserveName(ring: BpfMap, size: Words | undefined): string {
  return `reserve ${ring.address} ${size?.lo ?? 'any'}`;
}

function reserveType(size: Words | undefined): FunctionType {
  return { params: size === undefined ? [i32, i32] : [i32], results: [i64] };
}

/** Leaves the pointer to the only record of the run. Leaves the block if there are others, or the ring must do more. */
function reserveFirst(w: FunctionWriter, code: QuickRingCode, block: number, size: number): void {
  const record = w.local(i32);
  w.get(block);
  w.memory(Wasm.i32Load, CpuBlock.records);
  w.brIf(0);
  code.reserve(size);
  w.set(record);
  w.get(block);
  storeEntry(w, record, { constant: size });
  storeCount(w, block, () => w.i32(1));
  pointerTo(w, record);
}

/** Leaves the pointer to the data of a record, 0 or GO_OUT. */
function reserveAny(w: FunctionWriter, runtime: Runtime, ring: BpfMap, size: number | undefined): void {
  const count = w.local(i32);
  const record = w.local(i32);
  const amount: Amount = size === undefined ? { local: 1 } : { constant: size };
  w.get(0);
  w.memory(Wasm.i32Load, CpuBlock.records);
  w.tee(count);
  w.i32(MAX_RECORDS);
  w.op(Wasm.i32GeU);
  w.if();
  w.i64(GO_OUT);
  w.op(Wasm.return);
  w.end();
  new RingCode(w, runtime, ring).reserve(amount);
  w.tee(record);
  w.op(Wasm.i32Eqz);
  w.if();
  w.i64(0);
  w.op(Wasm.return);
  w.end();
  tableEntry(w, () => w.get(count));
  storeEntry(w, record, amount);
  storeCount(w, BLOCK, () => {
    w.get(count);
    w.i32(1);
    w.op(Wasm.i32Add);
  });
  pointerTo(w, record);
}

function pointerTo(w: FunctionWriter, record: number): void {
  w.get(record);
  w.op(Wasm.i64ExtendI32U);
  w.i64(0, BPF_MEMORY_HI);
  w.op(Wasm.i64Or);
}

/** Stores a record's offset and size in the table, where the stack says. */
function storeEntry(w: FunctionWriter, record: number, size: Amount): void {
  w.get(record);
  w.op(Wasm.i64ExtendI32U);
  if ('local' in size) {
    w.get(size.local);
    w.op(Wasm.i64ExtendI32U);
    w.i64(32);
    w.op(Wasm.i64Shl);
  } else w.i64(0, size.constant);
  w.op(Wasm.i64Or);
  w.memory(Wasm.i64Store, CpuBlock.recordTable);
}

function storeCount(w: FunctionWriter, block: number, count: () => void): void {
  w.get(block);
  count();
  w.memory(Wasm.i32Store, CpuBlock.records);
}

/**
 * (block, record, flags unless constant) -> 1, or 0 if no such record of this ring is in the table. A record whose size is
 * known is one of this ring that is open.
 */
function commitRoutine(
  { plan, runtime }: Emitter,
  ring: BpfMap,
  size: number | undefined,
  flags: Words | undefined,
  discard: boolean,
): number {
  const known = flags === undefined ? undefined : flags.lo & OUTPUT_FLAGS;
  const type = { params: known === undefined ? [i32, i32, i32] : [i32, i32], results: [i32] };
  const name = `${discard ? 'discard' : 'submit'} ${ring.address} ${known ?? 'any'}`;
  const amount: Amount = known === undefined ? { local: 2 } : { constant: known };
  const any = (): number =>
    plan.routines.indexOf(`${name} slowly`, type, (w) => commitAny(w, new RingCode(w, runtime, ring), amount, discard));
  return plan.routines.indexOf(`${name} ${size ?? 'any'}`, type, (w) => {
    const code = new QuickRingCode(w, runtime, ring);
    w.block();
    if (size === undefined || code.takes(size)) {
      commitOnly(w, code, { block: BLOCK, record: RECORD, size }, amount, discard);
      w.i32(1);
      w.op(Wasm.return);
    }
    w.end();
    type.params.forEach((_, param) => w.get(param));
    w.call(any());
  });
}

/** Commits the only record of the run. Leaves the block if there are others, or the ring must do more. */
function commitOnly(
  w: FunctionWriter,
  code: QuickRingCode,
  { block, record, size }: { readonly block: number; readonly record: number; readonly size: number | undefined },
  flags: Amount,
  discard: boolean,
): void {
  w.get(block);
  w.memory(Wasm.i32Load, CpuBlock.records);
  w.i32(1);
  w.op(Wasm.i32Ne);
  w.brIf(0);
  if (size === undefined) {
    w.get(block);
    w.memory(Wasm.i32Load, CpuBlock.recordTable);
    w.get(record);
    w.op(Wasm.i32Ne);
    w.brIf(0);
    code.find(record);
  } else code.findKnown(record, size);
  storeCount(w, block, () => w.i32(0));
  code.commit(flags, discard);
}

/** Leaves 1, or 0 if no such record of this ring is in the table. */
function commitAny(w: FunctionWriter, code: RingCode, flags: Amount, discard: boolean): void {
  w.block();
  code.holds(RECORD);
  w.op(Wasm.i32Eqz);
  w.brIf(0);
  closeRecord(w, RECORD);
  code.commit(RECORD, flags, discard);
  w.i32(1);
  w.op(Wasm.return);
  w.end();
  w.i32(0);
}

/** Takes a record out of the table in the block: the last one takes its place. Leaves the block if it is not there. */
function closeRecord(w: FunctionWriter, record: number): void {
  const count = w.local(i32);
  const last = w.local(i32);
  const entry = w.local(i32);
  w.get(0);
  w.memory(Wasm.i32Load, CpuBlock.records);
  w.i32(1);
  w.op(Wasm.i32Sub);
  w.set(count);
  tableEntry(w, () => w.get(count));
  w.tee(last);
  w.set(entry);
  w.block();
  w.loop();
  w.get(entry);
  w.get(0);
  w.op(Wasm.i32LtU);
  w.brIf(2);
  w.get(entry);
  w.memory(Wasm.i32Load, CpuBlock.recordTable);
  w.get(record);
  w.op(Wasm.i32Eq);
  w.brIf(1);
  w.get(entry);
  w.i32(8);
  w.op(Wasm.i32Sub);
  w.set(entry);
  w.br(0);
  w.end();
  w.end();
  w.get(entry);
  w.get(last);
  w.memory(Wasm.i64Load, CpuBlock.recordTable);
  w.memory(Wasm.i64Store, CpuBlock.recordTable);
  storeCount(w, BLOCK, () => w.get(count));
}

/** Where the entry of that number is, less the offset of the table in the block. */
function tableEntry(w: FunctionWriter, index: () => void): void {
  w.get(0);
  index();
  w.i32(3);
  w.op(Wasm.i32Shl, Wasm.i32Add);
}

/** (data) -> 0 or -errno. */
function outputRoutine({ plan, runtime }: Emitter, ring: BpfMap, size: number, flags: number): number {
  const type = { params: [i32], results: [i32] };
  return plan.routines.indexOf(`output ${ring.address} ${size} ${flags}`, type, (w) => {
    const code = new RingCode(w, runtime, ring);
    const record = w.local(i32);
    code.reserve({ constant: size });
    w.tee(record);
    w.op(Wasm.i32Eqz);
    w.if();
    w.i32(-Errno.EAGAIN);
    w.op(Wasm.return);
    w.end();
    copyBytes(w, record, 0, 0, 0, size);
    code.commit(record, { constant: flags }, false);
    w.i32(0);
  });
}

function isRing(map: BpfMap | undefined): map is BpfMap {
  return map?.type === BpfMapType.BPF_MAP_TYPE_RINGBUF;
}

function isNumber({ constant }: ArgumentFact, number: number): boolean {
  return constant?.lo === number && constant.hi === 0;
}

function mayBeSize({ constant }: ArgumentFact): boolean {
  return constant === undefined || isSize(constant.lo, constant.hi);
}

/** Leaves the block if the register holds no size. */
function leaveUnlessSize(e: Emitter, register: number, { constant }: ArgumentFact): void {
  if (constant !== undefined) return;
  e.reg(register);
  e.w.i64(MAX_SIZE);
  e.w.op(Wasm.i64GeU);
  e.w.brIf(0);
}

function passUnlessConstant(e: Emitter, register: number, { constant }: ArgumentFact): void {
  if (constant === undefined) e.regLo(register);
}
