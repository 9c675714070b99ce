import { CpuBlock } from '../../cpu-block.js';
import type { FunctionWriter } from '../wasm/function-writer.js';
import { Wasm } from '../wasm/opcodes.js';
import type { Amount } from './ring-phrases.js';

/** Stores a record's offset and size in the CPU's table of open records (`CpuBlock.recordTable`), where the stack says. */
export function storeEntry(w: FunctionWriter, record: number, size: Amount): void {
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

/** How many records are open; `block` is the local with the CPU's block. */
export function storeCount(w: FunctionWriter, block: number, count: () => void): void {
  w.get(block);
  count();
  w.memory(Wasm.i32Store, CpuBlock.records);
}

/** Leaves where the entry of that number is, less the offset of the table in the block. */
export function tableEntry(w: FunctionWriter, block: number, index: () => void): void {
  w.get(block);
  index();
  w.i32(3);
  w.op(Wasm.i32Shl, Wasm.i32Add);
}
