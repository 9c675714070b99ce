import { AttachmentBlock } from '../../attachment-block.js';
import { FunctionWriter } from '../wasm/function-writer.js';
import type { FunctionType } from '../wasm/module-writer.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import { EntryParam } from './entry.js';

const { i32 } = ValType;

const BatchParam = { ...EntryParam, count: 3, stride: 4 } as const;

export const BATCH_TYPE: FunctionType = { params: [i32, i32, i32, i32, i32], results: [] };

/**
 * `count` hits of a closed program, the entry function `entry`, on contexts that are `stride` bytes apart. The
 * attachment's block says how many have not begun.
 */
export function batchBody(entry: number): FunctionWriter {
  const w = new FunctionWriter(BATCH_TYPE.params.length);
  w.block();
  w.get(BatchParam.count);
  w.op(Wasm.i32Eqz);
  w.brIf(0);
  w.loop();
  w.get(BatchParam.attachment);
  w.get(BatchParam.count);
  w.i32(1);
  w.op(Wasm.i32Sub);
  w.tee(BatchParam.count);
  w.memory(Wasm.i32Store, AttachmentBlock.left);
  w.get(BatchParam.ctx);
  w.get(BatchParam.cpuOrStack);
  w.get(BatchParam.attachment);
  w.call(entry);
  w.op(Wasm.drop);
  w.get(BatchParam.ctx);
  w.get(BatchParam.stride);
  w.op(Wasm.i32Add);
  w.set(BatchParam.ctx);
  w.get(BatchParam.count);
  w.brIf(0);
  w.end();
  w.end();
  return w;
}
