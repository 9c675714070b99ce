import { Wasm } from '../wasm/opcodes.js';
import type { AccessWay } from '../analysis/access-facts.js';
import type { Emitter } from './emitter.js';

/** Whether a pointer of which this is known can be passed on unchecked. */
export function canPass(way: AccessWay | undefined): boolean {
  return way?.kind === 'frame' || way?.kind === 'proved';
}

/** Leaves the offset that a register points to on the stack. */
export function passPointer(e: Emitter, register: number, way: AccessWay | undefined): void {
  if (way?.kind !== 'frame') {
    e.regLo(register);
    return;
  }
  e.w.get(e.frame);
  e.w.i32(way.at);
  e.w.op(Wasm.i32Add);
}
