import { CpuBlock } from '../../cpu-block.js';
import type { BpfMap } from '../../map/bpf-map.js';
import type { Words } from '../analysis/call-facts.js';
import type { FunctionWriter } from '../wasm/function-writer.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import type { Emitter } from './emitter.js';
import { storeCount, tableEntry } from './open-record-table.js';
import { QuickRingCode } from './quick-ring-code.js';
import { RingCode } from './ring-code.js';
import { type Amount, OUTPUT_FLAGS } from './ring-phrases.js';

const { i32 } = ValType;
/** Parameters of the routines: the block of the CPU, and where the data of a record are. */
const BLOCK = 0;
const RECORD = 1;

/** Leaves the block around if the record is committed. */
export function commitInline(e: Emitter, code: QuickRingCode, size: number, flags: Words, discard: boolean): void {
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

/**
 * (block, record, flags unless constant) -> 1, or 0 if no such record of this ring is in the table. A record whose size is
 * known is one of this ring that is open.
 */
export function commitRoutine(
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
  w.get(BLOCK);
  w.memory(Wasm.i32Load, CpuBlock.records);
  w.i32(1);
  w.op(Wasm.i32Sub);
  w.set(count);
  tableEntry(w, BLOCK, () => w.get(count));
  w.tee(last);
  w.set(entry);
  w.block();
  w.loop();
  w.get(entry);
  w.get(BLOCK);
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
