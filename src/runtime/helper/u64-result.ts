import { hi32, lo32 } from '../../base/index.js';
import type { BpfRunCtx } from '../run-context.js';

/** What an implementation whose row says `u64` returns for `value`: r0's low word; the high one is left in the run. */
export function u64Result(run: BpfRunCtx, value: bigint): number {
  run.resultHi = hi32(value);
  return lo32(value);
}
