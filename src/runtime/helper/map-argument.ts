import type { BpfMap } from '../map/bpf-map.js';
import type { BpfRunCtx } from '../run-context.js';

/** The map whose pointer has this low word. Engines let only pointers to live maps through. */
export function mapOf(run: BpfRunCtx, lo: number): BpfMap | undefined {
  return run.runtime.mapAt(lo >>> 0);
}
