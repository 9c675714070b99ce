import type { PtRegs } from '../arch/index.js';
import { u64 } from '../base/index.js';
import type { Host } from '../host/index.js';
import type { PerfEventAttr } from './perf-event-attr.js';
import { PERF_MAX_STACK } from './perf-open-rules.js';
import { PERF_CONTEXT_KERNEL, PERF_CONTEXT_USER } from './perf-record.js';

const frames = new Int32Array(2 * PERF_MAX_STACK);

/**
 * The callchain of an event at `regs` as get_perf_callchain() of kernel/events/callchain.c builds it:
 * kernel frames behind PERF_CONTEXT_KERNEL, then the task's user frames behind PERF_CONTEXT_USER;
 * `sample_max_stack` counts the frames of both and not the markers.
 */
export function callchainOf(host: Host, attr: PerfEventAttr, regs: PtRegs | null, user: boolean): bigint[] {
  const chain: bigint[] = [];
  let left = attr.sampleMaxStack === 0 ? PERF_MAX_STACK : attr.sampleMaxStack;
  if (!user && !attr.flags.has('exclude_callchain_kernel')) {
    const count = host.stacks.kernel(regs, frames, left);
    append(chain, PERF_CONTEXT_KERNEL, count);
    left -= count;
  }
  if (attr.flags.has('exclude_callchain_user')) return chain;
  // One frame at least is asked for: a task with user memory gets its marker even where no room is left.
  const count = host.stacks.user(user ? regs : null, frames, Math.max(left, 1));
  if (count > 0) append(chain, PERF_CONTEXT_USER, Math.min(count, left));
  return chain;
}

function append(chain: bigint[], marker: bigint, count: number): void {
  chain.push(marker);
  for (let i = 0; i < count; i++) chain.push(u64(frames[2 * i], frames[2 * i + 1]));
}
