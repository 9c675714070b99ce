import { BpfFuncId, Errno } from '../../base/index.js';
import { BPF_MEMORY_HI } from '../memory/bpf-memory.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Helper } from './helper.js';
import { mapOf } from './map-argument.js';

/** BPF_MAX_LOOPS */
const MAX_LOOPS = 1 << 23;

/** Helpers that call back into the program, and the tail call. */
export const loopHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_for_each_map_elem,
    name: 'for_each_map_elem',
    args: ['const_map_ptr', 'func', 'stack_or_null', 'anything'],
    ret: 'integer',
    gplOnly: false,
    impl: forEachMapElem,
  },
  {
    id: BpfFuncId.BPF_FUNC_loop,
    name: 'loop',
    args: ['anything', 'func', 'stack_or_null', 'anything'],
    ret: 'integer',
    gplOnly: false,
    impl: loop,
  },
  {
    // Engines execute the jump themselves; what is left is the case in which it cannot be made.
    id: BpfFuncId.BPF_FUNC_tail_call,
    name: 'tail_call',
    args: ['ctx', 'const_map_ptr', 'anything'],
    ret: 'void',
    gplOnly: false,
    impl: () => -Errno.EINVAL,
  },
];

function forEachMapElem(
  run: BpfRunCtx,
  mapLo: number,
  mapHi: number,
  func: number,
  _funcHi: number,
  ctxLo: number,
  ctxHi: number,
  flags: number,
  flagsHi: number,
): number {
  const map = mapOf(run, mapLo);
  const { callback } = run;
  if ((flags | flagsHi) !== 0 || map === undefined || callback === null) return -Errno.EINVAL;
  const each = (key: number, value: number): number =>
    callback(func, mapLo, mapHi, key, BPF_MEMORY_HI, value, BPF_MEMORY_HI, ctxLo, ctxHi);
  return map.forEachElem(each, run.cpu);
}

function loop(
  run: BpfRunCtx,
  count: number,
  _countHi: number,
  func: number,
  _funcHi: number,
  ctxLo: number,
  ctxHi: number,
  flags: number,
  flagsHi: number,
): number {
  const { callback } = run;
  const rounds = count >>> 0;
  if ((flags | flagsHi) !== 0 || callback === null) return -Errno.EINVAL;
  if (rounds > MAX_LOOPS) return -Errno.E2BIG;
  for (let i = 0; i < rounds; i++) {
    if (callback(func, i, 0, ctxLo, ctxHi, 0, 0, 0, 0) !== 0) return i + 1;
  }
  return rounds;
}
