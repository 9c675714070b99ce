import { Errno } from '../../base/index.js';
import type { BpfRunCtx } from '../run-context.js';

/** MAX_BPRINTF_VARARGS */
const MAX_ARGS = 12;

/** The array of u64 arguments at `data`, or -EINVAL for a length that is none. */
export function argumentsAt(run: BpfRunCtx, data: number, length: number): bigint[] | number {
  const start = data >>> 0;
  if (length % 8 !== 0 || length > 8 * MAX_ARGS || (length > 0 && start === 0)) return -Errno.EINVAL;
  const { view } = run.runtime.memory;
  return Array.from({ length: length / 8 }, (_, i) => view.getBigUint64(start + 8 * i, true));
}
