import { CpuBlock, MAX_RECORDS } from '../../cpu-block.js';
import type { BpfMap } from '../../map/bpf-map.js';
import { BPF_MEMORY_HI } from '../../memory/bpf-memory.js';
import type { Runtime } from '../../runtime.js';
import type { Words } from '../analysis/call-facts.js';
import type { FunctionWriter } from '../wasm/function-writer.js';
import type { FunctionType } from '../wasm/module-writer.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import type { Emitter } from './emitter.js';
import { storeCount, storeEntry, tableEntry } from './open-record-table.js';
import { QuickRingCode } from './quick-ring-code.js';
import { RingCode } from './ring-code.js';
import type { Amount } from './ring-phrases.js';

const { i32, i64 } = ValType;
/** What a routine returns that has done nothing: the call goes out of the module. */
export const GO_OUT = -1;
/** Parameter of the routines: the block of the CPU. */
const BLOCK = 0;

/** Sets `e.pointer` to the data of a record, 0 or GO_OUT. */
export function reserveInline(e: Emitter, code: QuickRingCode, ring: BpfMap, size: Words): void {
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

/** (block, size unless constant) -> pointer to the data, 0 or GO_OUT. */
export function reserveRoutine(e: Emitter, ring: BpfMap, size: Words | undefined): number {
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
  w.get(BLOCK);
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
  tableEntry(w, BLOCK, () => w.get(count));
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
